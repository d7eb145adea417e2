//! The model that a scorer asks.

use super::options::Options;

/// An endpoint and a model, as far as the options name them; what is absent comes from the settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelChoice {
    /// The label of the endpoint.
    pub endpoint: Option<String>,
    /// The model.
    pub model: Option<String>,
}

impl ModelChoice {
    pub(super) fn read(options: &mut Options<'_>) -> Self {
        Self { endpoint: options.optional_text("endpoint"), model: options.optional_text("model") }
    }
}
