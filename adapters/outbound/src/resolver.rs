//! Resolves names to addresses that may be called.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::AddressPolicy;
use crate::error::RequestRefusal;

/// Asks the system for a name's addresses at each connection and passes on those that the policy allows, so that a
/// name that changes its answer gains nothing.
pub(crate) struct GuardedResolver(pub(crate) AddressPolicy);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(allowed(policy, found)?)
        })
    }
}

fn allowed(policy: AddressPolicy, found: impl Iterator<Item = SocketAddr>) -> Result<Addrs, RequestRefusal> {
    let allowed: Vec<SocketAddr> = found.filter(|address| policy.allows(address.ip())).collect();
    if allowed.is_empty() { Err(RequestRefusal::Address) } else { Ok(Box::new(allowed.into_iter())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_addresses_are_passed_on() {
        for (found, passed) in [
            (vec!["10.0.0.1:0", "169.254.169.254:0"], Some(vec!["10.0.0.1:0"])),
            (vec!["169.254.169.254:0", "[fe80::1]:0"], None),
            (vec![], None),
        ] {
            let found = found.iter().map(|address| address.parse().unwrap());
            let got = allowed(AddressPolicy::Endpoints, found).ok().map(Iterator::collect::<Vec<_>>);
            let passed = passed.map(|all| all.iter().map(|address| address.parse().unwrap()).collect());
            assert_eq!(got, passed);
        }
    }
}
