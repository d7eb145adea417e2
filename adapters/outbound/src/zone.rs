//! How far addresses reach: public ones, private ones, and those that nothing is sent to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an address reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    Public,
    Private,
    Forbidden,
}

impl Zone {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => embedded_v4(v6).map_or_else(|| Self::of_v6(v6), Self::of_v4),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        /// Alibaba Cloud's metadata service, within shared address space.
        const METADATA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
        let [first, second, third, _] = address.octets();
        let shared = first == 100 && second & 0xc0 == 64;
        // Protocol assignments (RFC 6890) and benchmarks (RFC 2544).
        let unrouted = [first, second, third] == [192, 0, 0] || first == 198 && second & 0xfe == 18;
        if first == 0 || first >= 224 || address.is_link_local() || address == METADATA {
            Self::Forbidden
        } else if address.is_loopback() || address.is_private() || shared || unrouted {
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
        // Site-local addresses (RFC 3879) and Teredo (RFC 4380).
        let unrouted = address.segments()[0] & 0xffc0 == 0xfec0 || address.segments()[..2] == [0x2001, 0];
        if link_local || unspecified || address.is_multicast() || METADATA.contains(&address) {
            Self::Forbidden
        } else if address.is_loopback() || address.is_unique_local() || unrouted {
            Self::Private
        } else {
            Self::Public
        }
    }
}

/// The IPv4 address within an IPv6 one that stands for it: mapped and compatible (RFC 4291, 2.5.5), NAT64 (RFC 6052,
/// RFC 8215) and 6to4 (RFC 3056).
pub(crate) fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
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
            ("192.0.0.8", Zone::Private),
            ("192.0.1.1", Zone::Public),
            ("198.19.255.255", Zone::Private),
            ("198.20.0.0", Zone::Public),
            ("fec0::1", Zone::Private),
            ("feff::1", Zone::Private),
            ("2001::1", Zone::Private),
            ("2001:1::1", Zone::Public),
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
}
