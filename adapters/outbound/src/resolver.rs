//! Resolves names to addresses that may be called.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::AddressPolicy;
use crate::error::RequestRefusal;

/// Asks the system for a name's addresses at each connection and passes on those that the policy allows, so that a
/// name that changes its answer gains nothing.
pub(crate) struct GuardedResolver {
    pub(crate) policy: AddressPolicy,
    /// The port that is connected to, where this program or its database has it.
    pub(crate) own_port: Option<u16>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, own_port) = (self.policy.clone(), self.own_port);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed = allowed(&policy, name.as_str(), own_port, found).await?;
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

/// The addresses that may be called; where there are none, why the last one may not.
async fn allowed(
    policy: &AddressPolicy,
    host: &str,
    own_port: Option<u16>,
    found: Vec<SocketAddr>,
) -> Result<Vec<SocketAddr>, RequestRefusal> {
    let (mut allowed, mut refusal) = (Vec::new(), RequestRefusal::Address);
    for address in found {
        match policy.check_address(Some(host), address.ip()) {
            Err(why) => refusal = why,
            Ok(()) => match own_port {
                Some(port) if policy.own.has(address.ip(), port).await => refusal = RequestRefusal::Own,
                _ => allowed.push(address),
            },
        }
    }
    if allowed.is_empty() { Err(refusal) } else { Ok(allowed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AllowList, OwnPlaces};

    #[tokio::test]
    async fn only_allowed_addresses_are_passed_on() {
        let list = AllowList::parse("127.0.0.1").unwrap();
        let own = OwnPlaces::default().with_listener("127.0.0.1:8400".parse().unwrap());
        let services = || AddressPolicy::services(list.clone()).keeping_out_of(own.clone());
        let (forbidden, private) = (Err(RequestRefusal::Address), Err(RequestRefusal::Private));
        for (policy, found, own_port, passed) in [
            (
                AddressPolicy::endpoints(),
                vec!["10.0.0.1:0", "169.254.169.254:0"],
                None,
                Ok(vec!["10.0.0.1:0"]),
            ),
            (AddressPolicy::endpoints(), vec!["169.254.169.254:0", "[fe80::1]:0"], None, forbidden.clone()),
            (AddressPolicy::endpoints(), vec![], None, forbidden),
            (services(), vec!["10.0.0.1:0"], None, private),
            (services(), vec!["127.0.0.1:0", "10.0.0.1:0"], None, Ok(vec!["127.0.0.1:0"])),
            (services(), vec!["127.0.0.1:0"], Some(8400), Err(RequestRefusal::Own)),
            (services(), vec!["127.0.0.1:0"], Some(8401), Ok(vec!["127.0.0.1:0"])),
        ] {
            let read = |all: Vec<&str>| all.iter().map(|address| address.parse().unwrap()).collect();
            let got = allowed(&policy, "a.example", own_port, read(found)).await;
            assert_eq!(got, passed.map(read));
        }
    }
}
