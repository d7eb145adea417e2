//! Requests and tokens a minute of endpoints, which processes share.

use application::ports::{RateCorrection, RateGrant, RateRequest, RateStore, StoreError};
use async_trait::async_trait;
use domain::id::EndpointId;
use domain::rate::{SecondUse, WINDOW_SECONDS, decide};
use sea_orm::DbErr;

use crate::dialect::{Session, corrupt, failed, id, whole};
use crate::open::Stores;
use crate::rows::{Row, read_all};

/// One process decides at a time.
const LOCK: &str = "SELECT id FROM endpoint WHERE id = $1 {for update}";

const SENT: &str = "SELECT second, requests, tokens FROM endpoint_use WHERE endpoint_id = $1 AND second > $2";

const COUNT: &str = "INSERT INTO endpoint_use (endpoint_id, second, requests, tokens) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (endpoint_id, second) DO UPDATE SET requests = endpoint_use.requests + excluded.requests, \
     tokens = endpoint_use.tokens + excluded.tokens";

const CORRECT: &str = "UPDATE endpoint_use SET requests = requests + $3, tokens = tokens + $4 \
     WHERE endpoint_id = $1 AND second = $2";

const FORGET: &str = "DELETE FROM endpoint_use WHERE endpoint_id = $1 AND second <= $2";

#[async_trait]
impl RateStore for Stores {
    async fn take(&self, endpoint: EndpointId, request: RateRequest) -> Result<RateGrant, StoreError> {
        let stores = self.clone();
        let taken = async move { stores.take_rate(endpoint, request).await };
        self.database.detached(taken).await.map_err(failed)
    }
}

impl Stores {
    async fn take_rate(&self, endpoint: EndpointId, request: RateRequest) -> Result<RateGrant, DbErr> {
        let transaction = self.database.writer.begin().await?;
        let session = Session { connection: &transaction, dialect: self.database.dialect() };
        session
            .one(LOCK, vec![id(endpoint.bits())])
            .await?
            .ok_or_else(|| corrupt("the endpoint has been removed"))?;
        for RateCorrection { second, requests, tokens } in request.corrections {
            let values = vec![id(endpoint.bits()), whole(second), whole(requests), whole(tokens)];
            session.execute(CORRECT, values).await?;
        }
        // Read under the lock: it may have been waited for.
        let now = session.one("SELECT {now} AS now", vec![]).await?;
        let now = now.map(|row| session.dialect.read_time(&row, "now")).transpose()?.flatten();
        let now = now.ok_or_else(|| corrupt("the database has no clock"))?;
        let second = now.micros().div_euclid(1_000_000);
        let key = vec![id(endpoint.bits()), whole(second - WINDOW_SECONDS)];
        let sent = session.all(SENT, key.clone()).await?;
        let decision = decide(request.limits, &read_all(&sent, second_use)?, now, &request.calls);
        if decision.granted > 0 {
            let tokens =
                request.calls[..decision.granted].iter().fold(0_u64, |sum, call| sum.saturating_add(*call));
            let counts = [whole(second), whole(decision.granted as u64), whole(tokens)];
            session.execute(COUNT, [vec![id(endpoint.bits())], counts.to_vec()].concat()).await?;
            session.execute(FORGET, key).await?;
        }
        transaction.commit().await?;
        Ok(RateGrant { decision, second })
    }
}

fn second_use(row: Row<'_>) -> Result<SecondUse, DbErr> {
    let count = |column| row.whole(column).map(|count| u64::try_from(count).unwrap_or(0));
    Ok(SecondUse { second: row.whole("second")?, requests: count("requests")?, tokens: count("tokens")? })
}
