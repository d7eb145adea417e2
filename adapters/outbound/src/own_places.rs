//! Where this program itself listens, and where its database is: no request may go there.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use url::Url;

use crate::zone::embedded_v4;

/// The places of this program: addresses that it listens at, and hosts of its stores with their ports.
#[derive(Debug, Clone, Default)]
pub struct OwnPlaces {
    listeners: Vec<SocketAddr>,
    stores: Vec<(Arc<str>, u16)>,
}

impl OwnPlaces {
    /// The port of a database URL that names none.
    const POSTGRES_PORT: u16 = 5432;

    /// The same with an address that this program listens at.
    #[must_use]
    pub fn with_listener(mut self, address: SocketAddr) -> Self {
        self.listeners.push(address);
        self
    }

    /// The same with the server of a database URL, where it is at a network address.
    #[must_use]
    pub fn with_database(mut self, url: &str) -> Self {
        let Ok(url) = Url::parse(url) else { return self };
        let asked = |names: &[&str]| {
            let mut pairs = url.query_pairs();
            pairs.find(|(name, _)| names.contains(&&**name)).map(|(_, value)| value.into_owned())
        };
        let host = asked(&["host", "hostaddr"]).or_else(|| url.host_str().map(str::to_owned));
        let port = asked(&["port"]).and_then(|port| port.parse().ok()).or_else(|| url.port());
        if let Some(host) = host.filter(|host| !host.is_empty() && !host.starts_with('/')) {
            let host = host.trim_matches(['[', ']']);
            self.stores.push((host.into(), port.unwrap_or(Self::POSTGRES_PORT)));
        }
        self
    }

    /// The ports of its places, each once.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let listening = self.listeners.iter().map(SocketAddr::port);
        let mut ports: Vec<u16> = listening.chain(self.stores.iter().map(|(_, port)| *port)).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// Whether a connection to this address and port would reach this program or its database.
    pub(crate) async fn has(&self, address: IpAddr, port: u16) -> bool {
        let address = match address {
            IpAddr::V6(v6) => embedded_v4(v6).map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        let listens =
            |own: &SocketAddr| own.ip() == address || own.ip().is_unspecified() && is_local(address);
        if self.listeners.iter().filter(|own| own.port() == port).any(listens) {
            return true;
        }
        for (host, _) in self.stores.iter().filter(|(_, own)| *own == port) {
            let found = tokio::net::lookup_host((&**host, port)).await;
            let is_there = |own: IpAddr| own == address || is_local(own) && is_local(address);
            if found.is_ok_and(|mut found| found.any(|own| is_there(own.ip()))) {
                return true;
            }
        }
        false
    }
}

/// Whether an address is one of this machine's: only those can be bound to.
fn is_local(address: IpAddr) -> bool {
    UdpSocket::bind(SocketAddr::new(address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn listeners_and_databases_are_recognised() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let own = OwnPlaces::default()
            .with_listener(at("0.0.0.0:8400"))
            .with_listener(at("127.0.0.1:8401"))
            .with_database("postgres://me:secret@localhost/loop")
            .with_database("postgresql://me@db.invalid:6000/loop?host=127.0.0.1&port=6001")
            .with_database("postgres://me@localhost/loop?host=/run/postgresql&port=7000");
        assert_eq!(own.ports(), [5432, 6001, 8400, 8401]);
        for (address, port, is_own) in [
            ("127.0.0.1", 8400, true),
            ("127.0.0.9", 8400, true),
            ("::ffff:127.0.0.1", 8400, true),
            ("192.0.2.1", 8400, false),
            ("127.0.0.1", 8401, true),
            ("127.0.0.2", 8401, false),
            ("127.0.0.1", 5432, true),
            ("127.0.0.5", 5432, true),
            ("192.0.2.1", 5432, false),
            ("127.0.0.1", 6000, false),
            ("127.0.0.1", 6001, true),
            ("127.0.0.1", 80, false),
        ] {
            assert_eq!(own.has(address.parse().unwrap(), port).await, is_own, "{address} {port}");
        }
    }
}
