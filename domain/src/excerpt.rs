//! The beginning of a text, escaped for display.

/// The first characters of a text, at most so many, with control characters and backslashes escaped.
#[must_use]
pub fn excerpt(text: &str, characters: usize) -> String {
    let mut out = String::new();
    for character in text.chars().take(characters) {
        if matches!(character, '"' | '\'') {
            out.push(character);
        } else {
            out.extend(character.escape_debug());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_printable() {
        assert_eq!(excerpt("<a href=\"b\">\n\0\u{1b}\u{fffd}", 100), "<a href=\"b\">\\n\\0\\u{1b}\u{fffd}");
        assert_eq!(excerpt(&"é".repeat(600), 512).chars().count(), 512);
    }
}
