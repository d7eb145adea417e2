//! Texts of users and models in Markdown, so that none is read as Markdown.

/// The longest text that stands in a line or a table, in characters.
const LONGEST_INLINE: usize = 60;

/// Whether a text can stand in a line without being changed.
pub(super) fn is_inline(text: &str) -> bool {
    text.chars().count() <= LONGEST_INLINE && !text.contains(char::is_control)
}

/// On one line, without what Markdown or HTML would read.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' => vec!['\\', c],
            c if c.is_control() => vec![' '],
            c => vec![c],
        })
        .collect()
}

/// A code span that nothing in the text can end.
pub(super) fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let fence = "`".repeat(longest_run(&text) + 1);
    if fence.len() == 1 { format!("`{text}`") } else { format!("{fence} {text} {fence}") }
}

/// A code block that nothing in the text can end. It holds the whole text, as it is.
pub(super) fn block(text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}text\n{text}\n{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_code() {
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("a\nb"), "`a b`");
        assert_eq!(block("```\nx"), "````text\n```\nx\n````");
        assert_eq!(block("x\n\n"), "```text\nx\n\n\n```");
        assert_eq!(plain("<b>*x*\n# y"), "\\<b\\>\\*x\\* \\# y");
    }
}
