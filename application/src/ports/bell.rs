use async_trait::async_trait;

/// Hints that there may be something to do. A hint may be lost or wrong at the price of some latency; everyone who
/// waits for one also looks by the clock.
#[async_trait]
pub trait Bell: Send + Sync {
    /// Tells everyone to look.
    fn ring(&self);

    /// How often it has rung. Read this, look for work, then wait for what came after.
    fn rings(&self) -> u64;

    /// Waits until it has rung more than `seen` times; how often it has rung then.
    async fn rung_after(&self, seen: u64) -> u64;
}
