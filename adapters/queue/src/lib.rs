//! The bell: wake-ups between what commits and what looks for work. It carries no truth, so that it may lose anything.

use application::ports::Bell;
use async_trait::async_trait;
use tokio::sync::watch;

/// A bell for one process.
#[derive(Debug)]
pub struct LocalBell {
    rings: watch::Sender<u64>,
}

impl LocalBell {
    /// A bell that has not rung yet.
    #[must_use]
    pub fn new() -> Self {
        Self { rings: watch::Sender::new(0) }
    }
}

impl Default for LocalBell {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Bell for LocalBell {
    fn ring(&self) {
        self.rings.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    fn rings(&self) -> u64 {
        *self.rings.borrow()
    }

    async fn rung_after(&self, seen: u64) -> u64 {
        let mut listener = self.rings.subscribe();
        // The sender is this bell itself, which outlives the wait.
        listener.wait_for(|rings| *rings != seen).await.map_or(seen, |rings| *rings)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_ring_between_looking_and_waiting_is_heard() {
        let bell = LocalBell::new();
        let seen = bell.rings();
        bell.ring();
        assert_eq!(bell.rung_after(seen).await, 1);
    }

    #[tokio::test]
    async fn everyone_who_waits_is_woken() {
        let bell = Arc::new(LocalBell::new());
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                let bell = Arc::clone(&bell);
                tokio::spawn(async move { bell.rung_after(0).await })
            })
            .collect();
        bell.ring();
        for waiter in waiting {
            assert!(waiter.await.unwrap() > 0);
        }
    }
}
