use async_trait::async_trait;
use domain::scoring::{Format, Judgement};

/// Checks formats where the work can be ended.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait FormatChecker: Send + Sync {
    /// Checks a text of any shape against a format.
    ///
    /// # Errors
    /// Why there is no judgement, for people: it took too long or too much memory, or could not begin.
    async fn check(&self, format: &Format, text: &str) -> Result<Judgement, String>;
}
