//! Claims calls, and looks up their answers.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{CallClaim, CallStore, Claim, MeasuredCalls, StoreError, StoredAnswer};
use async_trait::async_trait;
use domain::call::Digest;
use domain::id::{EndpointId, WorkerId};
use sea_orm::DbErr;

use crate::answers::{KnownOutcome, settled, take};
use crate::claims::{Claimant, RELEASE};
use crate::dialect::{Session, failed, id, text, whole};
use crate::open::Stores;
use crate::rows::Row;

/// Charges a call whose outcome is unknown, in place of its reservation.
const CHARGE: &str = "UPDATE sweep_total SET unknown_calls = unknown_calls + 1, unknown_tokens = unknown_tokens + $2, \
     unknown_nano = unknown_nano + $3 WHERE sweep_id = $1";
const HELD: &str = "SELECT sweep_id, reserved_tokens, reserved_nano FROM response_cache \
     WHERE config_hash = $1 AND claimed_by = $2 AND answer_id IS NULL {for update}";
const UNRESERVE: &str = "UPDATE response_cache SET reserved_tokens = 0, reserved_nano = 0 \
     WHERE config_hash = $1 AND claimed_by = $2 AND answer_id IS NULL";

/// The newest 200 calls of a model among the newest 5,000 answers.
const MEASURED: &str = "SELECT CAST(avg(latency_us) AS bigint) AS latency_us, CAST(avg(tokens_out) AS bigint) AS tokens_out \
     FROM (SELECT latency_us, tokens_out FROM answer WHERE id > (SELECT COALESCE(max(id), 0) - 5000 FROM answer) \
     AND endpoint_id = $1 AND model = $2 ORDER BY id DESC LIMIT 200) recent";

#[async_trait]
impl CallStore for Stores {
    /// In a repeated sweep most calls have a stored answer. So answers are looked up first, in one query with the
    /// lookups of other callers, and only the remaining calls are claimed.
    async fn claim(&self, calls: Vec<CallClaim>, by: WorkerId) -> Result<Vec<Claim>, StoreError> {
        let mut known = self.lookups.look(calls.iter().map(|call| call.hash).collect()).await?;
        let open: Vec<CallClaim> =
            calls.iter().filter(|call| settled(&known, call).is_none()).copied().collect();
        if open.is_empty() {
            return Ok(calls.iter().filter_map(|call| take(&mut known, call)).collect());
        }
        let by = Claimant { worker: by, from_dead: self.takeovers.are_allowed(by) };
        let mut claimed = self.group.claim(open, by).await?.into_iter();
        let answers = calls.iter().map(|call| take(&mut known, call).or_else(|| claimed.next()));
        answers
            .collect::<Option<_>>()
            .ok_or_else(|| StoreError::Corrupt("a claim was not answered".to_owned()))
    }

    async fn peek(&self, calls: Vec<Digest>) -> Result<Vec<Option<Arc<StoredAnswer>>>, StoreError> {
        let found = self.lookups.look(calls.clone()).await?;
        let answered = |hash: &Digest| match found.get(hash) {
            Some(KnownOutcome::Answered(answer)) => Some(Arc::clone(answer)),
            Some(KnownOutcome::Failed(..)) | None => None,
        };
        Ok(calls.iter().map(answered).collect())
    }

    async fn measured(&self, endpoint: EndpointId, model: &str) -> Result<Option<MeasuredCalls>, StoreError> {
        let values = vec![id(endpoint.bits()), text(model)];
        let row = self.database.read().one(MEASURED, values).await.map_err(failed)?;
        row.map_or(Ok(None), |row| measured(Row(&row))).map_err(failed)
    }

    async fn release(&self, calls: &[Digest], by: WorkerId) -> Result<(), StoreError> {
        for hash in calls {
            let values = vec![text(hash.to_string()), id(by.bits())];
            self.database.write().execute(RELEASE, values).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn charge(&self, call: Digest, by: WorkerId) -> Result<(), StoreError> {
        let stores = self.clone();
        let charge = async move { stores.charge_unknown(call, by).await };
        self.database.detached(charge).await.map_err(failed)
    }
}

fn measured(row: Row<'_>) -> Result<Option<MeasuredCalls>, DbErr> {
    let micros = row.maybe_whole("latency_us")?.and_then(|micros| u64::try_from(micros).ok());
    let tokens = row.maybe_whole("tokens_out")?.and_then(|tokens| u64::try_from(tokens).ok());
    let measured = micros.zip(tokens);
    Ok(measured.map(|(micros, output_tokens)| MeasuredCalls {
        latency: Duration::from_micros(micros),
        output_tokens,
    }))
}

impl Stores {
    async fn charge_unknown(&self, call: Digest, by: WorkerId) -> Result<(), DbErr> {
        let transaction = self.database.writer.begin().await?;
        let session = Session { connection: &transaction, dialect: self.database.dialect() };
        let key = vec![text(call.to_string()), id(by.bits())];
        if let Some(row) = session.one(HELD, key.clone()).await?
            && let Some(sweep) = Row(&row).maybe_id("sweep_id")?
        {
            session.execute(UNRESERVE, key).await?;
            let reserved = [Row(&row).whole("reserved_tokens")?, Row(&row).whole("reserved_nano")?];
            let mut values = vec![id(sweep)];
            values.extend(reserved.map(whole));
            session.execute(CHARGE, values).await?;
        }
        transaction.commit().await
    }
}
