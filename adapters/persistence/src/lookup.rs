//! Looks up stored answers. Lookups that arrive while a query runs are sent together as the next query.

use std::sync::Arc;

use application::ports::StoreError;
use domain::call::Digest;
use sea_orm::DbErr;
use tokio::sync::{mpsc, oneshot};

use crate::answers::{self, KnownOutcomes};
use crate::connect::{Access, acquiring, bounded};
use crate::detached::in_background;
use crate::dialect::{Session, failed};
use crate::writer::gone;

/// The most questions in one query.
const GROUP: usize = 128;

type Question = (Vec<Digest>, oneshot::Sender<Result<Arc<KnownOutcomes>, StoreError>>);

/// The handle of the task that queries.
#[derive(Clone)]
pub(crate) struct Lookups {
    questions: mpsc::UnboundedSender<Question>,
}

impl Lookups {
    /// Starts the task, which ends when its last handle is dropped.
    pub(crate) fn start(access: Access) -> Self {
        let (questions, inbox) = mpsc::unbounded_channel();
        in_background(access.dialect, answer(access, inbox));
        Self { questions }
    }

    /// The stored outcomes of these calls.
    pub(crate) async fn look(&self, hashes: Vec<Digest>) -> Result<KnownOutcomes, StoreError> {
        let (tell, told) = oneshot::channel();
        let wanted = hashes.clone();
        self.questions.send((hashes, tell)).map_err(|_| gone())?;
        let found = told.await.unwrap_or_else(|_| Err(gone()))?;
        Ok(wanted.into_iter().filter_map(|hash| Some((hash, found.get(&hash)?.clone()))).collect())
    }
}

async fn answer(access: Access, mut inbox: mpsc::UnboundedReceiver<Question>) {
    let mut group = Vec::new();
    while inbox.recv_many(&mut group, GROUP).await > 0 {
        let mut hashes: Vec<Digest> = group.iter().flat_map(|(hashes, _)| hashes).copied().collect();
        hashes.sort_unstable();
        hashes.dedup();
        let session = Session { connection: &access.connection, dialect: access.dialect };
        let look = || bounded(&access.availability, answers::look(session, &hashes));
        let found: Result<KnownOutcomes, DbErr> = acquiring(&access.connection, look).await;
        let found = found.map(Arc::new).map_err(failed);
        for (_, tell) in group.drain(..) {
            drop(tell.send(found.clone()));
        }
    }
}
