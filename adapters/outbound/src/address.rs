//! Which addresses may be called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::error::RequestRefusal;

/// Which addresses a client may connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Public and private ones (loopback, RFC 1918, unique local), as model servers have; never link-local ones,
    /// metadata services, "this network" or multicast.
    Endpoints,
    /// Public ones only.
    Public,
}

impl AddressPolicy {
    /// Whether this address may be called. Addresses that carry an IPv4 address are judged by that one.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        match Zone::of(address) {
            Zone::Public => true,
            Zone::Private => self == Self::Endpoints,
            Zone::Forbidden => false,
        }
    }

    /// Checks what can be seen of a URL before its name is resolved.
    pub(crate) fn check(self, url: &Url) -> Result<(), RequestRefusal> {
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
        if self.allows(literal) { Ok(()) } else { Err(RequestRefusal::Address) }
    }
}

/// How far an address reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    Public,
    Private,
    Forbidden,
}

impl Zone {
    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => embedded_v4(v6).map_or_else(|| Self::of_v6(v6), Self::of_v4),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        /// Alibaba Cloud's metadata service, within shared address space.
        const METADATA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
        let [first, second, ..] = address.octets();
        let shared = first == 100 && second & 0xc0 == 64;
        if first == 0 || first >= 224 || address.is_link_local() || address == METADATA {
            Self::Forbidden
        } else if address.is_loopback() || address.is_private() || shared {
            Self::Private
        } else {
            Self::Public
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        /// The metadata services of Amazon and Google, within unique local space.
        const METADATA: [Ipv6Addr; 2] = [
            Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254),
            Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254),
        ];
        let link_local = address.is_unicast_link_local();
        let unspecified = address.is_unspecified();
        if link_local || unspecified || address.is_multicast() || METADATA.contains(&address) {
            Self::Forbidden
        } else if address.is_loopback() || address.is_unique_local() {
            Self::Private
        } else {
            Self::Public
        }
    }
}

/// The IPv4 address within an IPv6 one that stands for it: mapped and compatible (RFC 4291, 2.5.5), NAT64 (RFC 6052,
/// RFC 8215) and 6to4 (RFC 3056).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        // `::` and `::1` are addresses of their own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => return None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, .., high, low]
        | [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_sorted_into_zones() {
        for (address, zone) in [
            ("8.8.8.8", Zone::Public),
            ("100.63.0.1", Zone::Public),
            ("2606:4700::1111", Zone::Public),
            ("64:ff9b::808:808", Zone::Public),
            ("127.0.0.1", Zone::Private),
            ("10.1.2.3", Zone::Private),
            ("172.31.0.1", Zone::Private),
            ("192.168.0.1", Zone::Private),
            ("100.64.0.1", Zone::Private),
            ("::1", Zone::Private),
            ("fd12::1", Zone::Private),
            ("::ffff:127.0.0.1", Zone::Private),
            ("2002:7f00:1::", Zone::Private),
            ("0.0.0.0", Zone::Forbidden),
            ("0.1.2.3", Zone::Forbidden),
            ("169.254.169.254", Zone::Forbidden),
            ("100.100.100.200", Zone::Forbidden),
            ("224.0.0.1", Zone::Forbidden),
            ("255.255.255.255", Zone::Forbidden),
            ("::", Zone::Forbidden),
            ("fe80::1", Zone::Forbidden),
            ("ff02::1", Zone::Forbidden),
            ("fd00:ec2::254", Zone::Forbidden),
            ("fd20:ce::254", Zone::Forbidden),
            ("::ffff:169.254.169.254", Zone::Forbidden),
            ("::169.254.169.254", Zone::Forbidden),
            ("64:ff9b::a9fe:a9fe", Zone::Forbidden),
            ("64:ff9b:1::a9fe:a9fe", Zone::Forbidden),
            ("2002:a9fe:a9fe::1", Zone::Forbidden),
        ] {
            assert_eq!(Zone::of(address.parse().unwrap()), zone, "{address}");
        }
    }

    #[test]
    fn urls_are_checked_before_their_names_are_resolved() {
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
            assert_eq!(AddressPolicy::Endpoints.check(&url.parse().unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn the_public_policy_keeps_out_of_private_networks() {
        for (address, allowed) in [("8.8.8.8", true), ("10.0.0.1", false), ("::1", false), ("fd12::1", false)]
        {
            assert_eq!(AddressPolicy::Public.allows(address.parse().unwrap()), allowed, "{address}");
        }
    }
}
