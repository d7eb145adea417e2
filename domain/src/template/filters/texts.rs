//! Filters of texts.

use std::borrow::Cow;

use super::{Arguments, Filter};
use crate::template::Fault;
use crate::template::limits::Bounded;
use crate::template::value::Val;

pub(super) fn on_text<'a>(
    filter: Filter,
    text: Cow<'a, str>,
    arguments: &Arguments<'a>,
) -> Result<Val<'a>, Fault> {
    match filter {
        Filter::Lower => Ok(Val::text(text.to_lowercase())),
        Filter::Upper => Ok(Val::text(text.to_uppercase())),
        Filter::Trim => Ok(Val::text(text.trim())),
        Filter::Title => Ok(Val::text(title(&text))),
        Filter::Replace => replace(&text, arguments),
        Filter::Truncate => truncate(text, arguments),
        _ => indent(&text, arguments),
    }
}

pub(super) fn text<'a>(value: Val<'a>, filter: &str, at: usize) -> Result<Cow<'a, str>, Fault> {
    match value {
        Val::Text(text) => Ok(text),
        other => {
            let message =
                format!("`{filter}` takes a text, not {}: write `| string` before it", other.kind());
            Err(Fault::new(at, message))
        }
    }
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars() {
        let between = c.is_ascii_punctuation() || c.is_whitespace();
        match (between, begins) {
            (true, _) => out.push(c),
            (false, true) => out.extend(c.to_uppercase()),
            (false, false) => out.extend(c.to_lowercase()),
        }
        begins = between;
    }
    out
}

fn replace<'a>(text: &str, arguments: &Arguments<'a>) -> Result<Val<'a>, Fault> {
    let (old, new) = (arguments.text(0, "")?, arguments.text(1, "")?);
    let mut out = Bounded::default();
    let mut rest = 0;
    for (at, found) in text.match_indices(old.as_ref()) {
        out.push(&text[rest..at], arguments.at)?;
        out.push(&new, arguments.at)?;
        rest = at + found.len();
    }
    out.push(&text[rest..], arguments.at)?;
    Ok(Val::text(out.into_text()))
}

/// Cuts a text at a space, or anywhere with `killwords`, so that it has `length` characters together with `end`.
/// Texts that are longer by at most `leeway` are not cut.
fn truncate<'a>(text: Cow<'a, str>, arguments: &Arguments<'a>) -> Result<Val<'a>, Fault> {
    let (length, leeway) = (arguments.count(0, 255)?, arguments.count(3, 5)?);
    let (killwords, end) = (arguments.flag(1)?, arguments.text(2, "...")?);
    let room = length.checked_sub(end.chars().count());
    let room =
        room.ok_or_else(|| Fault::new(arguments.at, "`truncate` needs a length that its end fits in"))?;
    if text.chars().count() <= length + leeway {
        return Ok(Val::Text(text));
    }
    let mut kept: String = text.chars().take(room).collect();
    if let (false, Some(space)) = (killwords, kept.rfind(' ')) {
        kept.truncate(space);
    }
    kept.push_str(&end);
    Ok(Val::text(kept))
}

fn indent<'a>(text: &str, arguments: &Arguments<'a>) -> Result<Val<'a>, Fault> {
    let (width, first, blank) = (arguments.count(0, 4)?, arguments.flag(1)?, arguments.flag(2)?);
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let mut out = Bounded::default();
    for (i, line) in text.split('\n').enumerate() {
        out.push(if i > 0 { "\n" } else { "" }, arguments.at)?;
        let indented = if i == 0 { first } else { true };
        if indented && (blank || !line.is_empty()) {
            out.push_times(" ", width, arguments.at)?;
        }
        out.push(line, arguments.at)?;
    }
    Ok(Val::text(out.into_text()))
}
