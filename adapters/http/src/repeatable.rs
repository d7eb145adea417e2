//! Requests that carry an `Idempotency-Key`.

use application::once::principal;
use application::ports::RepeatableRequest;
use domain::access::Writer;
use domain::call::Digest;

/// The request with its key, where it has one.
pub(crate) fn repeatable(
    by: &Writer,
    key: Option<String>,
    route: impl Into<String>,
    body: Digest,
) -> Option<RepeatableRequest> {
    let principal = principal(by.identity());
    key.map(|key| RepeatableRequest { principal, key, route: route.into(), body })
}
