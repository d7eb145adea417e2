//! What unit tests of several modules need.

use std::time::Duration;

use domain::call::{Completion, Flags, Reply, ReplyBody};
use domain::pricing::{CacheUse, Tokens};

/// A completion with this text, and nothing else to tell.
pub(crate) fn completion(text: &str) -> Reply {
    Reply {
        body: ReplyBody::Completion(Completion { text: text.to_owned(), ..Completion::default() }),
        model_returned: None,
        provider: None,
        system_fingerprint: None,
        service_tier: None,
        cache: CacheUse::default(),
        stated_cost: None,
        tokens: Tokens::default(),
        latency: Duration::ZERO,
        flags: Flags::default(),
    }
}
