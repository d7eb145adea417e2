//! How endpoints are doing: breakers, and the pauses that they asked for.

use application::ports::{Breaker, EndpointCondition};
use domain::call::FailureKind;
use domain::id::EndpointId;
use sea_orm::DbErr;

use super::figures;
use crate::batch::list;
use crate::dialect::id;
use crate::open::Stores;
use crate::rows::{Row, read_all};

/// What an endpoint's row says of its condition once calls are let through.
pub(super) const CLOSED: &str =
    "breaker_reason = NULL, breaker_kind = NULL, breaker_until = NULL, backing_off_until = NULL";

pub(super) const OPEN_BREAKER: &str =
    "UPDATE endpoint SET breaker_kind = $2, breaker_reason = $3, breaker_until = {in:$4} WHERE id = $1";

pub(super) const BACK_OFF: &str = "UPDATE endpoint SET backing_off_until = {in:$2} \
     WHERE id = $1 AND (backing_off_until IS NULL OR backing_off_until < {in:$2})";

/// A breaker whose time is over is left out, like a pause that has passed.
const CONDITIONS: &str = "SELECT id, label, limits, \
     CASE WHEN breaker_until IS NULL OR breaker_until > {now} THEN breaker_kind END AS kind, \
     CASE WHEN breaker_until IS NULL OR breaker_until > {now} THEN breaker_reason END AS reason, breaker_until, \
     CASE WHEN backing_off_until > {now} THEN backing_off_until END AS backing_off_until FROM endpoint";

impl Stores {
    pub(super) async fn read_conditions(&self, ids: &[EndpointId]) -> Result<Vec<EndpointCondition>, DbErr> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("{CONDITIONS} WHERE id IN ({})", list(1, ids.len()));
        let values = ids.iter().map(|endpoint| id(endpoint.bits())).collect();
        let rows = self.database.read().all(&sql, values).await?;
        read_all(&rows, |row| self.condition(row))
    }

    pub(super) async fn read_all_conditions(&self) -> Result<Vec<EndpointCondition>, DbErr> {
        let rows = self.database.read().all(&format!("{CONDITIONS} ORDER BY label"), vec![]).await?;
        read_all(&rows, |row| self.condition(row))
    }

    fn condition(&self, row: Row<'_>) -> Result<EndpointCondition, DbErr> {
        let dialect = self.database.dialect();
        let breaker = breaker(row)?;
        let until = dialect.read_time(row.0, "breaker_until")?;
        Ok(EndpointCondition {
            endpoint: EndpointId::new(row.id("id")?),
            label: row.text("label")?,
            concurrency: figures::limits(&row.json("limits")?).concurrency.get(),
            breaker_until: until.filter(|_| breaker.is_some()),
            breaker,
            backing_off_until: dialect.read_time(row.0, "backing_off_until")?,
        })
    }
}

/// Breakers of early releases have no kind: most were keys that were refused.
fn breaker(row: Row<'_>) -> Result<Option<Breaker>, DbErr> {
    let kind = row.maybe_text("kind")?.and_then(|kind| FailureKind::parse(&kind));
    let kind = kind.unwrap_or(FailureKind::Unauthorized);
    Ok(row.maybe_text("reason")?.map(|reason| Breaker { kind, reason }))
}
