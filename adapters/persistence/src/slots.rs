//! The slots of endpoints, which processes share.

use application::ports::{SlotRequest, SlotStore, StoreError};
use async_trait::async_trait;
use domain::id::{EndpointId, WorkerId};
use sea_orm::DbErr;

use crate::dialect::{Session, corrupt, failed, id, whole};
use crate::open::Stores;
use crate::rows::Row;

/// What other live workers hold, and how many they are.
const OTHERS: &str = "SELECT CAST(COALESCE(SUM(s.held), 0) AS bigint) AS held, count(*) AS workers \
     FROM endpoint_slot s JOIN worker w ON w.id = s.worker_id \
     WHERE s.endpoint_id = $1 AND s.worker_id <> $2 AND w.lease_until >= {now}";

const HOLD: &str = "INSERT INTO endpoint_slot (endpoint_id, worker_id, held) VALUES ($1, $2, $3) \
     ON CONFLICT (endpoint_id, worker_id) DO UPDATE SET held = excluded.held";

const LEAVE: &str = "DELETE FROM endpoint_slot WHERE endpoint_id = $1 AND worker_id = $2";

#[async_trait]
impl SlotStore for Stores {
    async fn hold(
        &self,
        worker: WorkerId,
        endpoint: EndpointId,
        request: SlotRequest,
    ) -> Result<u32, StoreError> {
        let stores = self.clone();
        let share = async move { stores.share_slots(worker, endpoint, request).await };
        self.database.detached(share).await.map_err(failed)
    }
}

impl Stores {
    /// Each live worker that wants any may use its even share of the concurrency, as far as the others have left it.
    async fn share_slots(
        &self,
        worker: WorkerId,
        endpoint: EndpointId,
        SlotRequest { concurrency, want, in_flight }: SlotRequest,
    ) -> Result<u32, DbErr> {
        let transaction = self.database.writer.begin().await?;
        let session = Session { connection: &transaction, dialect: self.database.dialect() };
        let lock = "SELECT id FROM endpoint WHERE id = $1 {for update}";
        session.one(lock, vec![id(endpoint.bits())]).await?;
        let key = vec![id(endpoint.bits()), id(worker.bits())];
        let row = session.one(OTHERS, key.clone()).await?;
        let row = row.ok_or_else(|| corrupt("slots cannot be counted"))?;
        let (held, others) = (Row(&row).small("held")?, Row(&row).small("workers")?);
        let share = concurrency.div_ceil(others.saturating_add(1));
        let granted = want.min(share).min(concurrency.saturating_sub(held));
        if want.max(in_flight) == 0 {
            session.execute(LEAVE, key).await?;
        } else {
            let values = [key, vec![whole(granted.max(in_flight))]].concat();
            session.execute(HOLD, values).await?;
        }
        transaction.commit().await?;
        Ok(granted)
    }
}
