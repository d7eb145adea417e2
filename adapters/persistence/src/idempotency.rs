//! Stores reservations of idempotency keys, and the answers of their requests.

use application::ports::{IdempotencyStore, KeptAnswer, RepeatableRequest, Reserved, StoreError};
use async_trait::async_trait;
use sea_orm::{DbErr, Value as Bound};

use crate::columns::Columns;
use crate::dialect::{failed, id, text, whole};
use crate::open::Stores;
use crate::rows::Row;

const MINUTE_MS: i64 = 60_000;
/// How long answers are kept.
const KEEP_MS: i64 = 24 * 60 * MINUTE_MS;
/// After how long an unsettled reservation is considered abandoned.
const RESERVATION_MS: i64 = 5 * MINUTE_MS;

const EXPIRE: &str =
    "DELETE FROM idempotency WHERE at < {in:$1} OR (status IS NULL AND made IS NULL AND at < {in:$2})";

const SELECT: &str =
    "SELECT route, body_digest, status, answer, made FROM idempotency WHERE principal = $1 AND key = $2";

/// Stores an answer, unless there is one already.
const KEEP: &str =
    "UPDATE idempotency SET status = $3, answer = $4 WHERE principal = $1 AND key = $2 AND status IS NULL";

const FREE: &str =
    "DELETE FROM idempotency WHERE principal = $1 AND key = $2 AND reservation = $3 AND made IS NULL";

#[async_trait]
impl IdempotencyStore for Stores {
    async fn reserve(&self, request: &RepeatableRequest, reservation: u128) -> Result<Reserved, StoreError> {
        let write = self.database.write();
        write.execute(EXPIRE, vec![whole(-KEEP_MS), whole(-RESERVATION_MS)]).await.map_err(failed)?;
        let (insert, values) = Columns([
            ("principal", text(request.principal.as_str())),
            ("key", text(request.key.as_str())),
            ("route", text(request.route.as_str())),
            ("body_digest", text(request.body.to_string())),
            ("reservation", id(reservation)),
        ])
        .insert("idempotency");
        let reserve = format!("{insert} ON CONFLICT (principal, key) DO NOTHING");
        if write.execute(&reserve, values).await.map_err(failed)?.rows_affected() > 0 {
            return Ok(Reserved::Fresh(reservation));
        }
        let row = write.one(SELECT, key(request)).await.map_err(failed)?;
        // The key was released just now, and is free at the next attempt.
        row.map_or(Ok(Reserved::Pending), |row| reserved(Row(&row), request).map_err(failed))
    }

    async fn keep(&self, request: &RepeatableRequest, answer: KeptAnswer) -> Result<KeptAnswer, StoreError> {
        let write = self.database.write();
        let mut values = key(request);
        values.extend([whole(answer.status), text(answer.body.as_str())]);
        if write.execute(KEEP, values).await.map_err(failed)?.rows_affected() > 0 {
            return Ok(answer);
        }
        let row = write.one(SELECT, key(request)).await.map_err(failed)?;
        let kept = row.map(|row| kept(Row(&row))).transpose().map_err(failed)?.flatten();
        Ok(kept.unwrap_or(answer))
    }

    async fn free(&self, request: &RepeatableRequest, reservation: u128) -> Result<(), StoreError> {
        let mut values = key(request);
        values.push(id(reservation));
        self.database.write().execute(FREE, values).await.map(drop).map_err(failed)
    }
}

fn key(request: &RepeatableRequest) -> Vec<Bound> {
    vec![text(request.principal.as_str()), text(request.key.as_str())]
}

fn reserved(row: Row<'_>, request: &RepeatableRequest) -> Result<Reserved, DbErr> {
    if row.text("route")? != request.route || row.text("body_digest")? != request.body.to_string() {
        return Ok(Reserved::Other);
    }
    Ok(match (kept(row)?, row.maybe_id("made")?) {
        (Some(answer), _) => Reserved::Answered(answer),
        (None, Some(made)) => Reserved::Done(made),
        (None, None) => Reserved::Pending,
    })
}

fn kept(row: Row<'_>) -> Result<Option<KeptAnswer>, DbErr> {
    let Some(status) = row.maybe_whole("status")? else { return Ok(None) };
    let body = row.maybe_text("answer")?.unwrap_or_default();
    Ok(Some(KeptAnswer { status: u16::try_from(status).unwrap_or(500), body }))
}
