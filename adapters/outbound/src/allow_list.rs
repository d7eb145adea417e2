//! The private hosts and networks that an administrator allows services to be at.

use std::fmt;
use std::net::IpAddr;

use crate::zone::embedded_v4;

/// Hosts and networks by which private addresses may be called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowList {
    /// Names of hosts in lower case.
    names: Vec<String>,
    /// The ends of names of hosts, each with its leading point.
    suffixes: Vec<String>,
    networks: Vec<Network>,
}

/// An entry of a list that is neither a host nor a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidEntry(String);

/// What an entry can be, for messages.
pub const ALLOW_LIST_TAKES: &str =
    "host names, *.SUFFIX, IP addresses and networks such as 10.0.0.0/8, separated by commas";

impl fmt::Display for InvalidEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is none of {ALLOW_LIST_TAKES}", self.0.escape_debug())
    }
}

impl std::error::Error for InvalidEntry {}

/// The addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    /// How many bits are the same, from the first on.
    bits: u32,
}

impl AllowList {
    /// Reads a list separated by commas.
    ///
    /// # Errors
    /// The first entry that cannot be read.
    pub fn parse(text: &str) -> Result<Self, InvalidEntry> {
        let mut list = Self::default();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            list.add(entry).ok_or_else(|| InvalidEntry(entry.to_owned()))?;
        }
        Ok(list)
    }

    fn add(&mut self, entry: &str) -> Option<()> {
        if let Some(network) = Network::parse(entry) {
            self.networks.push(network);
            return Some(());
        }
        let (name, names) = match entry.strip_prefix('*') {
            Some(suffix) => (suffix.strip_prefix('.')?, &mut self.suffixes),
            None => (entry, &mut self.names),
        };
        if !is_host_name(name) {
            return None;
        }
        let name = name.to_ascii_lowercase();
        names.push(if entry.starts_with('*') { format!(".{name}") } else { name });
        Some(())
    }

    /// Whether it names a host.
    pub(crate) fn has_host(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.names.contains(&name) || self.suffixes.iter().any(|suffix| name.ends_with(suffix))
    }

    /// Whether an address lies in one of its networks. An address that carries an IPv4 address lies where that one does.
    pub(crate) fn has_address(&self, address: IpAddr) -> bool {
        let address = match address {
            IpAddr::V6(v6) => embedded_v4(v6).map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// Whether a text can be the name of a host. One that ends with a number would be read as an IPv4 address.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(of, bits)| (of, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
        };
        (bits <= most).then_some(Self { address, bits })
    }

    fn contains(&self, address: IpAddr) -> bool {
        /// As bits from the first on, in the upper end.
        fn bits(address: IpAddr) -> u128 {
            match address {
                IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
                IpAddr::V6(v6) => v6.to_bits(),
            }
        }
        let differing = bits(self.address) ^ bits(address);
        self.address.is_ipv4() == address.is_ipv4() && differing.leading_zeros() >= self.bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_networks_are_told_from_others() {
        let list = AllowList::parse(
            "Rerank.internal, *.lan.example,10.0.0.0/8, 192.168.1.7,fd12::/16,::1, 172.16.9.9/12,",
        )
        .unwrap();
        for (host, listed) in [
            ("rerank.internal", true),
            ("RERANK.internal.", true),
            ("a.rerank.internal", false),
            ("a.lan.example", true),
            ("a.b.lan.example", true),
            ("lan.example", false),
            ("xlan.example", false),
            ("", false),
        ] {
            assert_eq!(list.has_host(host), listed, "{host}");
        }
        for (address, listed) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("192.168.1.7", true),
            ("192.168.1.8", false),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("::ffff:10.1.1.1", true),
            ("2002:a01:101::", true),
            ("fd12:3::1", true),
            ("fd13::1", false),
            ("::1", true),
            ("::2", false),
            ("a00::", false),
        ] {
            assert_eq!(list.has_address(address.parse().unwrap()), listed, "{address}");
        }
        assert!(AllowList::parse("0.0.0.0/0").unwrap().has_address("127.0.0.1".parse().unwrap()));
        assert_eq!(AllowList::parse(" , ").unwrap(), AllowList::default());
    }

    #[test]
    fn what_is_neither_is_refused() {
        for entry in [
            "http://a",
            "a/b",
            "a:80",
            "*",
            "*.",
            "*a.b",
            "a.*",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "10.0.0",
            "300.1.1.1",
            "::1/129",
            "[::1]",
            "a b",
            "a..b",
            "-/8",
        ] {
            let error = AllowList::parse(&format!("localhost,{entry}")).unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{entry}` is none of host names")), "{error}");
        }
    }
}
