//! Why a request brought no answer.

use std::error::Error as StdError;

/// Why there is no answer. No message holds a URL, a header or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The request was not made.
    #[error("{0}")]
    Refused(RequestRefusal),
    /// There was no connection, or it broke before the first byte of an answer.
    #[error("no answer: {0}")]
    Connect(String),
    /// The answer broke off.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// The server took too long in all, or went silent within its answer.
    #[error("the server took too long")]
    Timeout,
    /// The answer is larger than is read.
    #[error("the answer is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    /// What came back was no HTTP.
    #[error("the answer is not HTTP: {0}")]
    BadHttp(String),
}

/// Why a request was not even made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefusal {
    /// It names no place.
    #[error("not an absolute URL")]
    NotAUrl,
    /// It is neither `http` nor `https`.
    #[error("only http and https URLs are called")]
    Scheme,
    /// It holds a user name or a password.
    #[error("the URL holds a user name or a password")]
    UserInfo,
    /// It leads to an address that may not be called.
    #[error("the URL leads to an address that may not be called")]
    Address,
    /// It leads to a private address, which nobody has allowed.
    #[error("the URL leads to a private address")]
    Private,
    /// It leads to this program or to its database.
    #[error("the URL leads to PromptLooper itself or to its database")]
    Own,
    /// A further header cannot be one.
    #[error("a header has characters that cannot be sent")]
    Header,
    /// The key has characters that no header can carry.
    #[error("the key has characters that cannot be sent")]
    Key,
}

impl Error {
    /// What went wrong before the head of the answer was there.
    pub(crate) fn before_answer(error: &reqwest::Error) -> Self {
        if let Some(refusal) = cause::<RequestRefusal>(error) {
            return Self::Refused(*refusal);
        }
        if error.is_connect() {
            return Self::Connect(innermost(error));
        }
        if error.is_timeout() {
            return Self::Timeout;
        }
        if error.is_builder() {
            return Self::Refused(RequestRefusal::Key);
        }
        match cause::<hyper::Error>(error) {
            Some(http) if http.is_parse() => Self::BadHttp(innermost(error)),
            _ => Self::Connect(innermost(error)),
        }
    }

    /// What went wrong within the body of the answer.
    pub(crate) fn within_answer(error: &reqwest::Error) -> Self {
        if error.is_timeout() { Self::Timeout } else { Self::Broken(innermost(error)) }
    }
}

fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    sources(error).find_map(|source| source.downcast_ref())
}

/// The message at the root; the outer ones of reqwest hold the URL.
fn innermost(error: &reqwest::Error) -> String {
    sources(error).skip(1).last().map_or_else(|| "unknown error".to_owned(), ToString::to_string)
}
