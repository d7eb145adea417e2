use async_trait::async_trait;

/// Wake-up hints between processes. A hint may be lost or wrong, which costs latency only: whoever waits for one also
/// polls.
#[async_trait]
pub trait Bell: Send + Sync {
    /// Wakes all who wait.
    fn ring(&self);

    /// How often it has rung. Read this before looking for work, then wait for later rings.
    fn rings(&self) -> u64;

    /// Waits until it has rung more than `seen` times; how often it has rung then.
    async fn rung_after(&self, seen: u64) -> u64;
}
