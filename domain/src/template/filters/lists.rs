//! Filters of lists.

use super::Arguments;
use crate::template::Fault;
use crate::template::limits::Bounded;
use crate::template::render::{Renderer, made};
use crate::template::value::{List, Val, equal, order};

pub(super) fn list<'a>(value: Val<'a>, filter: &str, at: usize) -> Result<List<'a>, Fault> {
    match value {
        Val::List(list) => Ok(list),
        other => Err(Fault::new(at, format!("`{filter}` takes a list, not {}", other.kind()))),
    }
}

pub(super) fn join<'a>(list: &List<'a>, arguments: &Arguments<'a>) -> Result<Val<'a>, Fault> {
    let separator = arguments.text(0, "")?;
    let mut out = Bounded::default();
    for (i, item) in list.iter().enumerate() {
        out.push(if i > 0 { &separator } else { "" }, arguments.at)?;
        out.push(&item.shown().map_err(|message| Fault::new(arguments.at, message))?, arguments.at)?;
    }
    Ok(Val::text(out.into_text()))
}

pub(super) fn end_of<'a>(value: &Val<'a>, first: bool, at: usize) -> Result<Val<'a>, Fault> {
    let found = match value {
        Val::List(list) if first => list.get(0),
        Val::List(list) => list.len().checked_sub(1).and_then(|last| list.get(last)),
        Val::Text(text) => {
            let mut chars = text.chars();
            let c = if first { chars.next() } else { chars.next_back() };
            c.map(|c| Val::text(c.to_string()))
        }
        other => return Err(Fault::new(at, format!("{} has no first and last item", other.kind()))),
    };
    Ok(found.unwrap_or_else(|| Val::Undefined(if first { "first item" } else { "last item" }.into())))
}

/// Sorts numbers by size and texts regardless of ASCII case. The sort is stable.
pub(super) fn sort<'a>(list: &List<'a>, at: usize) -> Result<Val<'a>, Fault> {
    let mut items: Vec<Val<'a>> = list.iter().collect();
    one_kind(&items, "sort", at)?;
    let folded = |value: &Val<'a>| match value {
        Val::Text(text) => Val::text(text.to_ascii_lowercase()),
        other => other.clone(),
    };
    items.sort_by_cached_key(|item| Sortable(folded(item)));
    made(items, at)
}

/// A number or a text among its kind.
struct Sortable<'a>(Val<'a>);

impl Ord for Sortable<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        order(&self.0, &other.0).unwrap_or(std::cmp::Ordering::Equal)
    }
}

impl PartialOrd for Sortable<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sortable<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Sortable<'_> {}

fn one_kind(items: &[Val<'_>], filter: &str, at: usize) -> Result<(), Fault> {
    let texts = items.iter().all(|item| matches!(item, Val::Text(_)));
    let numbers = items.iter().all(|item| matches!(item, Val::Whole(_) | Val::Float(_)));
    if texts || numbers {
        Ok(())
    } else {
        Err(Fault::new(at, format!("`{filter}` takes a list of texts, or one of numbers")))
    }
}

/// Keeps the first of equal items; the case of texts is ignored.
pub(super) fn unique<'a>(renderer: &mut Renderer<'a>, list: &List<'a>, at: usize) -> Result<Val<'a>, Fault> {
    let items: Vec<Val<'a>> = list.iter().collect();
    one_kind(&items, "unique", at)?;
    let mut kept: Vec<(Val<'a>, Val<'a>)> = Vec::new();
    for item in items {
        let folded = match &item {
            Val::Text(text) => Val::text(text.to_lowercase()),
            other => other.clone(),
        };
        let mut seen = false;
        for (known, _) in &kept {
            seen = seen || equal(known, &folded, &mut renderer.budget, at)?;
        }
        if !seen {
            kept.push((folded, item));
        }
    }
    made(kept.into_iter().map(|(_, item)| item).collect(), at)
}
