//! Finds the parts of a prompt that stand between tags.

/// The text of all messages of a call, one below the other.
pub(super) fn text_of(call: &domain::call::ChatCall) -> String {
    call.messages.iter().map(|message| message.content.as_str()).collect::<Vec<_>>().join("\n")
}

/// What stands between `<name>` and `</name>`, without the white space around it: where the tags stand on lines of their own,
/// else where they stand first.
pub(super) fn section<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    range(text, name).map(|(_, from, to, _)| text[from..to].trim())
}

/// The text without these sections.
pub(super) fn without(text: &str, names: &[&str]) -> String {
    let mut rest = text.to_owned();
    for name in names {
        while let Some((begin, _, _, end)) = range(&rest, name) {
            rest.replace_range(begin..end, " ");
        }
    }
    rest
}

/// The places where the opening tag begins and ends, and where the closing tag begins and ends.
fn range(text: &str, name: &str) -> Option<(usize, usize, usize, usize)> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let begins_line = |at: &usize| text[..*at].rsplit('\n').next().is_none_or(|line| line.trim().is_empty());
    let opens = || text.match_indices(&open).map(|(at, _)| at);
    let begin = opens().find(begins_line).or_else(|| opens().next())?;
    let from = begin + open.len();
    let ends_line =
        |at: &usize| text[at + close.len()..].split('\n').next().is_none_or(|line| line.trim().is_empty());
    let closes = || text[from..].match_indices(&close).map(|(at, _)| from + at);
    let to = closes().find(ends_line).or_else(|| closes().next())?;
    Some((begin, from, to, to + close.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found_by_their_tags() {
        for (text, found) in [
            ("<output>a</output>", Some("a")),
            ("The <output> is below.\n<output>\na <b>\n</output>\nNow.", Some("a <b>")),
            ("<output>\na </output> b\n</output>\n", Some("a </output> b")),
            ("<output>a", None),
            ("a", None),
        ] {
            assert_eq!(section(text, "output"), found, "{text:?}");
        }
        assert_eq!(without("x <a>1</a> y <b>2</b> z", &["a", "b"]), "x   y   z");
    }
}
