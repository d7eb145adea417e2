//! Requests that are sent again because their answer got lost are carried out once, and answered alike.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::access::Identity;

use crate::ports::{
    IdempotencyStore, Ids, KeptAnswer, RepeatableRequest, ReservationMark, Reserved, Tasks, started,
};
use crate::refusal::Refusal;

/// What a request does.
#[async_trait]
pub trait KeyedOperation: Send + Sync + 'static {
    /// Does it; the id of what was made. What is committed takes the mark of the reservation along, where there is one.
    async fn act(&self, reservation: Option<Reservation>) -> Result<u128, Refusal>;

    /// What whoever asked is told of what was made.
    async fn answer(&self, made: u128) -> Result<KeptAnswer, Refusal>;
}

/// The right to carry a request out.
#[derive(Debug, Clone)]
pub struct Reservation {
    request: RepeatableRequest,
    number: u128,
}

impl Reservation {
    /// The mark that lands with what was made.
    #[must_use]
    pub fn mark(&self, made: u128) -> ReservationMark {
        let RepeatableRequest { principal, key, .. } = self.request.clone();
        ReservationMark { principal, key, reservation: self.number, made }
    }
}

/// Carries requests out once for each key.
pub struct Once {
    ids: Arc<dyn Ids>,
    store: Arc<dyn IdempotencyStore>,
    tasks: Arc<dyn Tasks>,
    /// Keys that this process works on.
    running: Arc<Mutex<HashSet<(String, String)>>>,
}

/// The longest key, in bytes.
pub const LONGEST_KEY: usize = 255;

impl Once {
    /// Over these ports.
    #[must_use]
    pub fn new(ids: Arc<dyn Ids>, store: Arc<dyn IdempotencyStore>, tasks: Arc<dyn Tasks>) -> Self {
        Self { ids, store, tasks, running: Arc::default() }
    }

    /// Carries a request out to its end, whether or not whoever sent it still waits, or gives the answer that it was given
    /// before. Without a key each request is another one.
    ///
    /// # Errors
    /// Why it was refused; where it is still running, or its key was used for another request.
    pub async fn carry_out(
        &self,
        request: Option<RepeatableRequest>,
        operation: impl KeyedOperation,
    ) -> Result<KeptAnswer, Refusal> {
        let Some(request) = request else {
            return self.to_the_end(async move { operation.answer(operation.act(None).await?).await }).await;
        };
        check_key(&request.key)?;
        let Some(running) = Running::begin(&self.running, &request) else { return Err(still_running()) };
        let (store, number) = (Arc::clone(&self.store), self.ids.next());
        self.to_the_end(async move {
            let _running = running;
            with_key(&*store, number, request, &operation).await
        })
        .await
    }

    /// Runs work in a task of its own, so that it goes on when nobody waits for it any more.
    async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let done = started(&*self.tasks, work).await;
        done.unwrap_or_else(|panicked| Err(Refusal::Unavailable(format!("the request {panicked}"))))
    }
}

async fn with_key(
    store: &dyn IdempotencyStore,
    number: u128,
    request: RepeatableRequest,
    operation: &impl KeyedOperation,
) -> Result<KeptAnswer, Refusal> {
    match store.reserve(&request, number).await? {
        Reserved::Fresh(number) => fresh(store, Reservation { request, number }, operation).await,
        Reserved::Done(made) => answered(store, &request, operation, made).await,
        Reserved::Answered(kept) => Ok(kept),
        Reserved::Pending => Err(still_running()),
        Reserved::Other => Err(Refusal::Unprocessable {
            code: "idempotency_key_reused",
            detail: "this Idempotency-Key was used for another request: use a new one".to_owned(),
        }),
    }
}

async fn fresh(
    store: &dyn IdempotencyStore,
    reservation: Reservation,
    operation: &impl KeyedOperation,
) -> Result<KeptAnswer, Refusal> {
    let (request, number) = (reservation.request.clone(), reservation.number);
    match operation.act(Some(reservation)).await {
        Ok(made) => answered(store, &request, operation, made).await,
        Err(refusal) => {
            store.free(&request, number).await?;
            Err(refusal)
        }
    }
}

/// Keeps the answer about what was made.
async fn answered(
    store: &dyn IdempotencyStore,
    request: &RepeatableRequest,
    operation: &impl KeyedOperation,
    made: u128,
) -> Result<KeptAnswer, Refusal> {
    let answer = operation.answer(made).await?;
    Ok(store.keep(request, answer).await?)
}

fn check_key(key: &str) -> Result<(), Refusal> {
    if (1..=LONGEST_KEY).contains(&key.len()) {
        return Ok(());
    }
    let detail = format!("an Idempotency-Key has 1 to {LONGEST_KEY} characters");
    Err(Refusal::Unprocessable { code: "invalid_idempotency_key", detail })
}

fn still_running() -> Refusal {
    Refusal::conflict("still_running", "the first request with this Idempotency-Key is still running")
}

/// Whose keys somebody uses.
#[must_use]
pub fn principal(identity: &Identity) -> String {
    match identity {
        Identity::User(user) => format!("user/{}", user.id),
        Identity::Key(label) => format!("key/{label}"),
        Identity::Guest => "guest".to_owned(),
        Identity::System => "system".to_owned(),
    }
}

/// A key that this process works on, until it is dropped.
struct Running {
    all: Arc<Mutex<HashSet<(String, String)>>>,
    key: (String, String),
}

impl Running {
    /// `None` where the process works on it already.
    fn begin(all: &Arc<Mutex<HashSet<(String, String)>>>, request: &RepeatableRequest) -> Option<Self> {
        let key = (request.principal.clone(), request.key.clone());
        let began = all.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        began.then(|| Self { all: Arc::clone(all), key })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
