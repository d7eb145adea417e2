//! Answers that are given again rather than worked out again.

use application::ports::{IdempotencyStore, KeptAnswer, Reserved, StoreError};
use async_trait::async_trait;
use domain::call::Digest;
use sea_orm::DbErr;

use crate::dialect::{failed, text, whole};
use crate::open::Stores;
use crate::rows::Row;

const MINUTE: i64 = 60_000;
/// How long answers are kept.
const KEPT: i64 = 24 * 60 * MINUTE;
/// After how long whoever reserved a key and never settled it is taken for dead.
const PATIENCE: i64 = 5 * MINUTE;

const EXPIRE: &str = "DELETE FROM idempotency WHERE at < {in:$1} OR (status IS NULL AND at < {in:$2})";

const RESERVE: &str = "INSERT INTO idempotency (principal, key, route, body_digest) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (principal, key) DO NOTHING";

const SELECT: &str =
    "SELECT route, body_digest, status, answer FROM idempotency WHERE principal = $1 AND key = $2";

const SETTLE: &str = "UPDATE idempotency SET status = $3, answer = $4 WHERE principal = $1 AND key = $2";

#[async_trait]
impl IdempotencyStore for Stores {
    async fn reserve(
        &self,
        principal: &str,
        key: &str,
        route: &str,
        body: Digest,
    ) -> Result<Reserved, StoreError> {
        let write = self.database.write();
        write.execute(EXPIRE, vec![whole(-KEPT), whole(-PATIENCE)]).await.map_err(failed)?;
        let values = vec![text(principal), text(key), text(route), text(body.to_string())];
        if write.execute(RESERVE, values).await.map_err(failed)?.rows_affected() > 0 {
            return Ok(Reserved::Fresh);
        }
        let row = write.one(SELECT, vec![text(principal), text(key)]).await.map_err(failed)?;
        // Somebody gave it back in this moment: it will be free at the next try.
        row.map_or(Ok(Reserved::Pending), |row| kept(Row(&row), route, body).map_err(failed))
    }

    async fn settle(&self, principal: &str, key: &str, answer: Option<KeptAnswer>) -> Result<(), StoreError> {
        let mut values = vec![text(principal), text(key)];
        let sql = match answer {
            None => "DELETE FROM idempotency WHERE principal = $1 AND key = $2",
            Some(answer) => {
                values.extend([whole(answer.status), text(answer.body)]);
                SETTLE
            }
        };
        self.database.write().execute(sql, values).await.map(drop).map_err(failed)
    }
}

fn kept(row: Row<'_>, route: &str, body: Digest) -> Result<Reserved, DbErr> {
    if row.text("route")? != route || row.text("body_digest")? != body.to_string() {
        return Ok(Reserved::Other);
    }
    Ok(match row.maybe_whole("status")? {
        None => Reserved::Pending,
        Some(status) => Reserved::Answered(KeptAnswer {
            status: u16::try_from(status).unwrap_or(500),
            body: row.maybe_text("answer")?.unwrap_or_default(),
        }),
    })
}
