//! Where calls go: to an endpoint, or to a service of the user's own.

use std::sync::Arc;

use domain::call::Call;
use domain::endpoint::Endpoint;
use domain::id::EndpointId;
use domain::service::ServiceOrigin;

/// Where a call goes.
#[derive(Debug, Clone)]
pub(crate) enum Destination {
    /// A model server. All processes share its limits, and know of its breaker.
    Endpoint(Arc<Endpoint>),
    /// A service. Each process limits its own exchanges with it; it has no breaker.
    Service(ServiceOrigin),
}

/// What has a gate of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::engine) enum GateKey {
    Endpoint(EndpointId),
    Service(ServiceOrigin),
}

impl Destination {
    /// Where a call of a stage with this endpoint goes; `None` if it needs an endpoint and there is none.
    pub(crate) fn of(call: &Call, endpoint: Option<&Arc<Endpoint>>) -> Option<Self> {
        match call.service() {
            Some(origin) => Some(Self::Service(origin.clone())),
            None => endpoint.map(|endpoint| Self::Endpoint(Arc::clone(endpoint))),
        }
    }

    /// The endpoint, if it is one.
    pub(crate) const fn endpoint(&self) -> Option<&Arc<Endpoint>> {
        match self {
            Self::Endpoint(endpoint) => Some(endpoint),
            Self::Service(_) => None,
        }
    }

    /// What people call it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Endpoint(endpoint) => format!("endpoint `{}`", endpoint.label),
            Self::Service(origin) => format!("service `{origin}`"),
        }
    }

    /// Exchanges that it takes at once: an endpoint from all processes, a service from each.
    pub(in crate::engine) fn concurrency(&self) -> u32 {
        match self {
            Self::Endpoint(endpoint) => endpoint.limits.concurrency.get(),
            Self::Service(_) => ServiceOrigin::CONCURRENCY,
        }
    }

    pub(super) fn key(&self) -> GateKey {
        match self {
            Self::Endpoint(endpoint) => GateKey::Endpoint(endpoint.id),
            Self::Service(origin) => GateKey::Service(origin.clone()),
        }
    }
}
