//! Limits the number of connections, so that file descriptors are left for the database and for model servers.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most connections, whatever the number of file descriptors.
const MAX_CONNECTIONS: usize = 4_096;
/// File descriptors that Linux gives a process by default, assumed where the limit cannot be read.
const USUAL_DESCRIPTORS: usize = 1_024;
/// The most connections of one client on a public address.
const MAX_PER_CLIENT: usize = 256;

/// The most connections at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) total: usize,
    pub(crate) per_client: usize,
}

impl Limits {
    /// The limits for this process: half of its file descriptors.
    pub(crate) fn of_process() -> Self {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let total = descriptors(&limits).map_or(MAX_CONNECTIONS, |most| (most / 2).clamp(1, MAX_CONNECTIONS));
        Self { total, per_client: MAX_PER_CLIENT }
    }
}

/// The soft limit of open files; `None` where there is none.
fn descriptors(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    match line.and_then(|line| line.split_whitespace().next()) {
        Some("unlimited") => None,
        soft => Some(soft.and_then(|soft| soft.parse().ok()).unwrap_or(USUAL_DESCRIPTORS)),
    }
}

/// Counts connections.
#[derive(Debug)]
pub(super) struct Gate {
    limits: Limits,
    total: Arc<Semaphore>,
    per_client: Mutex<HashMap<IpAddr, usize>>,
}

/// Why a connection is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    #[error("there are {0} connections already")]
    Total(usize),
    #[error("this client has {0} connections already")]
    Client(usize),
}

impl Gate {
    pub(super) fn new(limits: Limits) -> Self {
        let total = Arc::new(Semaphore::new(limits.total));
        Self { limits, total, per_client: Mutex::default() }
    }

    /// Admits a connection of this address.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Permit, Full> {
        let slot = Arc::clone(&self.total).try_acquire_owned();
        let slot = slot.map_err(|_| Full::Total(self.limits.total))?;
        let client = client(peer);
        if let Some(client) = client {
            let mut clients = self.clients();
            let count = clients.entry(client).or_default();
            if *count >= self.limits.per_client {
                return Err(Full::Client(*count));
            }
            *count += 1;
        }
        Ok(Permit { gate: Arc::clone(self), client, _slot: slot })
    }

    /// Waits until all connections are closed.
    pub(super) async fn emptied(&self) {
        let all = u32::try_from(self.limits.total).unwrap_or(u32::MAX);
        drop(self.total.acquire_many(all).await);
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.per_client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to keep one connection open, released on drop.
#[derive(Debug)]
pub(super) struct Permit {
    gate: Arc<Gate>,
    client: Option<IpAddr>,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(client) = self.client else { return };
        let mut clients = self.gate.clients();
        if let Some(count) = clients.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                clients.remove(&client);
            }
        }
    }
}

/// The address that a client is counted by. `None` for loopback and private addresses, where one reverse proxy may
/// serve many clients. In IPv6 a client owns a whole /64.
fn client(peer: IpAddr) -> Option<IpAddr> {
    match peer.to_canonical() {
        IpAddr::V4(v4) if v4.is_loopback() || v4.is_private() || v4.is_link_local() => None,
        IpAddr::V6(v6) if v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() => None,
        IpAddr::V6(v6) => Some(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => Some(v4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_client_cannot_take_every_connection() {
        let gate = Arc::new(Gate::new(Limits { total: 4, per_client: 2 }));
        let first = gate.admit(peer("203.0.113.1")).unwrap();
        let _second = gate.admit(peer("::ffff:203.0.113.1")).unwrap();
        assert_eq!(gate.admit(peer("203.0.113.1")).unwrap_err(), Full::Client(2));
        let other = gate.admit(peer("203.0.113.2")).unwrap();
        drop(first);
        let _third = gate.admit(peer("203.0.113.1")).unwrap();
        drop(other);
        assert_eq!(gate.clients().len(), 1, "clients that have left are forgotten");
    }

    #[test]
    fn a_proxy_has_only_the_limit_of_all_connections() {
        let gate = Arc::new(Gate::new(Limits { total: 4, per_client: 2 }));
        let _held: Vec<_> = (0..4).map(|_| gate.admit(peer("10.0.0.7")).unwrap()).collect();
        assert_eq!(gate.admit(peer("203.0.113.1")).unwrap_err(), Full::Total(4));
    }

    #[tokio::test]
    async fn the_end_of_the_last_connection_is_noticed() {
        let gate = Arc::new(Gate::new(Limits { total: 2, per_client: 2 }));
        let permit = gate.admit(peer("127.0.0.1")).unwrap();
        let waiting = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.emptied().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(permit);
        waiting.await.unwrap();
    }

    #[test]
    fn clients_are_distinguished_by_their_public_address() {
        for (address, counted) in [
            ("127.0.0.1", None),
            ("10.1.2.3", None),
            ("172.17.0.1", None),
            ("192.168.1.1", None),
            ("::1", None),
            ("fd00::1", None),
            ("fe80::1", None),
            ("::ffff:10.0.0.1", None),
            ("203.0.113.9", Some("203.0.113.9")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2::")),
        ] {
            assert_eq!(client(peer(address)), counted.map(peer), "{address}");
        }
    }

    #[test]
    fn the_limit_of_open_files_is_read() {
        for (limits, soft) in [
            ("Max processes  1  2  processes\nMax open files   1024   524288   files\n", Some(1024)),
            ("Max open files   unlimited   unlimited   files\n", None),
            ("", Some(USUAL_DESCRIPTORS)),
        ] {
            assert_eq!(descriptors(limits), soft, "{limits}");
        }
    }
}
