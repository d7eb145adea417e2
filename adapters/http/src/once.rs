//! Requests that are sent again because their answer got lost are answered again, not carried out again.

use application::ports::{KeptAnswer, Reserved};
use domain::access::{Identity, Writer};
use domain::call::Digest;
use poem::http::StatusCode;

use crate::failure::Failure;
use crate::services::Services;

/// A request that may come again.
pub(crate) struct Repeatable<'a> {
    pub(crate) by: &'a Writer,
    pub(crate) key: Option<&'a String>,
    pub(crate) route: String,
    pub(crate) body: Digest,
}

const LONGEST_KEY: usize = 255;

impl Repeatable<'_> {
    /// Carries a request out, or gives the answer it was given before. `keep` says what to keep of an answer, and `again`
    /// makes it one again.
    pub(crate) async fn answer<T>(
        &self,
        services: &Services,
        work: impl Future<Output = Result<T, Failure>>,
        keep: impl Fn(&T) -> KeptAnswer,
        again: impl Fn(KeptAnswer) -> T,
    ) -> Result<T, Failure> {
        let Some(key) = self.key else { return work.await };
        if key.is_empty() || key.len() > LONGEST_KEY {
            let detail = format!("an Idempotency-Key has 1 to {LONGEST_KEY} characters");
            return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_idempotency_key", detail));
        }
        let principal = principal(self.by.identity());
        let store = &services.idempotency;
        let reserved = store.reserve(&principal, key, &self.route, self.body).await;
        match reserved.map_err(crate::failure::refused)? {
            Reserved::Fresh => {}
            Reserved::Answered(kept) => return Ok(again(kept)),
            Reserved::Pending => {
                let detail = "the first request with this Idempotency-Key is still running";
                return Err(Failure::new(StatusCode::CONFLICT, "still_running", detail));
            }
            Reserved::Other => {
                let detail = "this Idempotency-Key was used for another request: use a new one";
                return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail));
            }
        }
        let done = work.await;
        let kept = done.as_ref().ok().map(keep);
        store.settle(&principal, key, kept).await.map_err(crate::failure::refused)?;
        done
    }
}

fn principal(identity: &Identity) -> String {
    match identity {
        Identity::User(user) => format!("user/{}", user.id),
        Identity::Key(label) => format!("key/{label}"),
        Identity::Guest => "guest".to_owned(),
        Identity::System => "system".to_owned(),
    }
}
