//! Which addresses may be called.

use std::net::IpAddr;
use std::sync::Arc;

use url::{Host, Url};

use crate::allow_list::AllowList;
use crate::error::RequestRefusal;
use crate::own_places::OwnPlaces;
use crate::zone::Zone;

/// Which addresses a client may connect to: public ones, private ones (loopback, RFC 1918, unique local and others that are
/// not public) as far as it says, never link-local ones, metadata services, "this network", multicast, or this program itself.
#[derive(Debug, Clone)]
pub struct AddressPolicy {
    private: PrivateAddresses,
    pub(crate) own: Arc<OwnPlaces>,
}

/// Which private addresses may be called.
#[derive(Debug, Clone)]
enum PrivateAddresses {
    /// Every one.
    All,
    /// Those that a list names, or whose host it names.
    Listed(Arc<AllowList>),
}

impl AddressPolicy {
    /// For model servers, which may be private.
    #[must_use]
    pub fn endpoints() -> Self {
        Self { private: PrivateAddresses::All, own: Arc::default() }
    }

    /// For services that whoever writes an experiment names: public, or on the administrator's list.
    #[must_use]
    pub fn services(allowed: AllowList) -> Self {
        Self { private: PrivateAddresses::Listed(Arc::new(allowed)), own: Arc::default() }
    }

    /// The same, keeping out of these places.
    #[must_use]
    pub fn keeping_out_of(self, own: OwnPlaces) -> Self {
        Self { own: Arc::new(own), ..self }
    }

    /// Whether this address may be called, which a URL holds itself or which the name of its host leads to. Addresses that
    /// carry an IPv4 address are judged by that one.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check_address(&self, host: Option<&str>, address: IpAddr) -> Result<(), RequestRefusal> {
        match (Zone::of(address), &self.private) {
            (Zone::Public, _) | (Zone::Private, PrivateAddresses::All) => Ok(()),
            (Zone::Private, PrivateAddresses::Listed(list)) => {
                let is_listed = host.is_some_and(|host| list.has_host(host)) || list.has_address(address);
                if is_listed { Ok(()) } else { Err(RequestRefusal::Private) }
            }
            (Zone::Forbidden, _) => Err(RequestRefusal::Address),
        }
    }

    /// Checks what can be seen of a URL before its name is resolved.
    pub(crate) async fn check(&self, url: &Url) -> Result<(), RequestRefusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(RequestRefusal::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RequestRefusal::UserInfo);
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(RequestRefusal::NotAUrl),
        };
        self.check_address(None, literal)?;
        match url.port_or_known_default() {
            Some(port) if self.own.has(literal, port).await => Err(RequestRefusal::Own),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn urls_are_checked_before_their_names_are_resolved() {
        for (url, expected) in [
            ("http://localhost:11434/v1", Ok(())),
            ("https://192.168.1.2/v1", Ok(())),
            ("http://[::1]:8080/v1", Ok(())),
            ("ftp://example.com/", Err(RequestRefusal::Scheme)),
            ("file:///etc/passwd", Err(RequestRefusal::Scheme)),
            ("http://user@example.com/", Err(RequestRefusal::UserInfo)),
            ("http://:pass@example.com/", Err(RequestRefusal::UserInfo)),
            ("http://169.254.169.254/latest", Err(RequestRefusal::Address)),
            ("http://0xa9fea9fe/latest", Err(RequestRefusal::Address)),
            ("http://0251.0376.0251.0376/", Err(RequestRefusal::Address)),
            ("http://[::ffff:169.254.169.254]/", Err(RequestRefusal::Address)),
            ("http://0/", Err(RequestRefusal::Address)),
        ] {
            assert_eq!(AddressPolicy::endpoints().check(&url.parse().unwrap()).await, expected, "{url}");
        }
    }

    #[test]
    fn services_are_public_or_listed() {
        let list = AllowList::parse("10.0.0.0/8, db.internal, 169.254.0.0/16").unwrap();
        let (none, some) = (AddressPolicy::services(AllowList::default()), AddressPolicy::services(list));
        let (private, forbidden) = (Err(RequestRefusal::Private), Err(RequestRefusal::Address));
        for (host, address, unlisted, listed) in [
            (None, "8.8.8.8", Ok(()), Ok(())),
            (None, "10.0.0.1", private, Ok(())),
            (None, "192.168.0.1", private, private),
            (Some("db.internal"), "192.168.0.1", private, Ok(())),
            (Some("other.internal"), "192.168.0.1", private, private),
            (Some("db.internal"), "169.254.169.254", forbidden, forbidden),
            (None, "::1", private, private),
            (None, "fec0::1", private, private),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(none.check_address(host, address), unlisted, "{address}");
            assert_eq!(some.check_address(host, address), listed, "{address}");
        }
    }

    #[tokio::test]
    async fn this_program_calls_neither_itself_nor_its_database() {
        let own = OwnPlaces::default().with_listener("127.0.0.1:8400".parse().unwrap());
        let list = AllowList::parse("127.0.0.1").unwrap();
        for policy in [AddressPolicy::endpoints(), AddressPolicy::services(list)] {
            let policy = policy.keeping_out_of(own.clone());
            for (url, expected) in [
                ("http://127.0.0.1:8400/api/v1/projects", Err(RequestRefusal::Own)),
                ("http://127.0.0.1:8401/", Ok(())),
            ] {
                assert_eq!(policy.check(&url.parse().unwrap()).await, expected, "{url}");
            }
        }
    }
}
