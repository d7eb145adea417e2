//! The beginning of a response body, escaped for display.

use domain::excerpt::excerpt;

/// Characters of a server's text that are shown.
const LENGTH: usize = 512;

/// The first 512 characters, control characters and backslashes escaped.
pub(crate) fn of_text(text: &str) -> String {
    excerpt(text, LENGTH)
}

/// The same of bytes; those that are no text are replaced.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    of_text(&String::from_utf8_lossy(&bytes[..bytes.len().min(4 * LENGTH)]))
}
