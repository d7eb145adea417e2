//! What unit tests of several modules need.

use std::time::Duration;

use domain::call::{Completion, Flags};
use domain::pricing::Tokens;

/// A completion with this text, and nothing else to tell.
pub(crate) fn completion(text: &str) -> Completion {
    Completion {
        text: text.to_owned(),
        model_returned: None,
        tokens: Tokens::default(),
        latency: Duration::ZERO,
        finish_reason: None,
        flags: Flags::default(),
        tool_calls: None,
    }
}
