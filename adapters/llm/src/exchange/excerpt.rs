//! The beginning of a response body, escaped for display.

/// Characters of a server's text that are shown.
const LENGTH: usize = 512;

/// The first 512 characters, control characters and backslashes escaped.
pub(crate) fn of_text(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars().take(LENGTH) {
        if matches!(character, '"' | '\'') {
            out.push(character);
        } else {
            out.extend(character.escape_debug());
        }
    }
    out
}

/// The same of bytes; those that are no text are replaced.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    of_text(&String::from_utf8_lossy(&bytes[..bytes.len().min(4 * LENGTH)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_printable() {
        assert_eq!(of_bytes(b"<a href=\"b\">\n\0\x1b\xff"), "<a href=\"b\">\\n\\0\\u{1b}\u{fffd}");
        assert_eq!(of_text(&"é".repeat(600)).chars().count(), 512);
    }
}
