//! What unit tests of several modules need.

use domain::call::{Completion, Reply, ReplyBody};

/// A completion with this text, and nothing else to tell.
pub(crate) fn completion(text: &str) -> Reply {
    Reply::of(ReplyBody::Completion(Completion { text: text.to_owned(), ..Completion::default() }))
}
