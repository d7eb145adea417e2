//! What `value | filter` does.

use std::borrow::Cow;

use super::Fault;
use super::ast::{Argument, Expr};
use super::limits::{BYTES, Bounded};
use super::render::{Renderer, made};
use super::value::{List, Val, equal, order, write_json};

macro_rules! filters {
    ($($name:ident = $word:literal ($($argument:literal),*)),+ $(,)?) => {
        /// The filters there are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Filter {
            $($name),+
        }

        impl Filter {
            const ALL: &'static [(&'static str, Self, &'static [&'static str])] =
                &[$(($word, Self::$name, &[$($argument),*])),+];
        }
    };
}

filters! {
    Default = "default" ("value", "boolean"),
    Join = "join" ("separator"),
    Json = "json" (),
    Length = "length" (),
    Lower = "lower" (),
    Upper = "upper" (),
    Trim = "trim" (),
    Title = "title" (),
    Replace = "replace" ("old", "new"),
    Truncate = "truncate" ("length", "killwords", "end", "leeway"),
    First = "first" (),
    Last = "last" (),
    Sort = "sort" (),
    Unique = "unique" (),
    Indent = "indent" ("width", "first", "blank"),
    Round = "round" ("precision"),
    String = "string" (),
}

impl Filter {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, ..)| *known == word).map(|(_, filter, _)| *filter)
    }

    pub(super) fn unknown(word: &str) -> String {
        let known: Vec<_> = Self::ALL.iter().map(|(known, ..)| *known).collect();
        format!("there is no filter `{word}`: there are {}", known.join(", "))
    }

    fn entry(self) -> (&'static str, &'static [&'static str]) {
        let found = Self::ALL.iter().find(|(_, filter, _)| *filter == self);
        found.map_or(("", &[]), |(word, _, arguments)| (*word, *arguments))
    }

    /// Whether its arguments are of those it takes. Only `truncate` and `indent` take them by name.
    pub(super) fn check(self, arguments: &[Argument]) -> Result<(), String> {
        let (word, known) = self.entry();
        let by_name = matches!(self, Self::Truncate | Self::Indent);
        let unknown = arguments.iter().filter_map(|argument| argument.name.as_deref());
        if let Some(name) = unknown.into_iter().find(|name| !by_name || !known.contains(name)) {
            return Err(format!("`{word}` has no argument called `{name}`"));
        }
        match (arguments.len() <= known.len(), known) {
            (true, _) => {}
            (false, []) => return Err(format!("`{word}` takes no arguments")),
            (false, known) => {
                return Err(format!("`{word}` takes at most {}: {}", known.len(), known.join(", ")));
            }
        }
        let twice = (0..arguments.len()).any(|i| {
            let position = |argument: &Argument, at: usize| match &argument.name {
                Some(name) => known.iter().position(|known| known == name),
                None => Some(at),
            };
            (0..i).any(|j| position(&arguments[i], i) == position(&arguments[j], j))
        });
        if twice {
            return Err(format!("an argument of `{word}` is given twice"));
        }
        if self == Self::Replace && arguments.len() != 2 {
            return Err("`replace` takes two texts: `replace(\"old\", \"new\")`".to_owned());
        }
        Ok(())
    }
}

/// Arguments that have been evaluated, in the order of the filter's own list.
struct Arguments<'a> {
    at: usize,
    values: Vec<Option<Val<'a>>>,
}

/// Applies a filter.
pub(super) fn apply<'a>(
    renderer: &mut Renderer<'a>,
    filter: Filter,
    of: &'a Expr,
    arguments: &'a [Argument],
) -> Result<Val<'a>, Fault> {
    let value = if filter == Filter::Default { renderer.eval(of)? } else { renderer.defined(of)? };
    let arguments = Arguments::evaluate(renderer, filter, arguments, of.at)?;
    renderer.budget.spend(size(&value), of.at)?;
    let at = of.at;
    match filter {
        Filter::Default => Ok(default(value, &arguments)),
        Filter::Join => join(&list(value, "join", at)?, &arguments),
        Filter::Json => {
            let mut out = Bounded::default();
            write_json(&value, &mut out, &mut renderer.budget, at)?;
            Ok(Val::text(out.into_text()))
        }
        Filter::Length => length(&value, at),
        Filter::First => end_of(&value, true, at),
        Filter::Last => end_of(&value, false, at),
        Filter::Sort => sort(&list(value, "sort", at)?, at),
        Filter::Unique => unique(renderer, &list(value, "unique", at)?, at),
        Filter::Round => round(&value, &arguments),
        Filter::String => Ok(Val::text(value.shown().map_err(|message| Fault::new(at, message))?)),
        Filter::Lower
        | Filter::Upper
        | Filter::Trim
        | Filter::Title
        | Filter::Replace
        | Filter::Truncate
        | Filter::Indent => {
            let text = text(value, filter.entry().0, at)?;
            on_text(filter, text, &arguments)
        }
    }
}

/// How long a filter's input is.
fn size(value: &Val<'_>) -> usize {
    match value {
        Val::Text(text) => text.len(),
        Val::List(list) => list.len(),
        _ => 1,
    }
}

fn on_text<'a>(filter: Filter, text: Cow<'a, str>, arguments: &Arguments<'a>) -> Result<Val<'a>, Fault> {
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

impl<'a> Arguments<'a> {
    fn evaluate(
        renderer: &mut Renderer<'a>,
        filter: Filter,
        arguments: &'a [Argument],
        at: usize,
    ) -> Result<Self, Fault> {
        let known = filter.entry().1;
        let mut values = vec![None; known.len()];
        for (i, argument) in arguments.iter().enumerate() {
            let named = argument.name.as_ref().and_then(|name| known.iter().position(|known| known == name));
            let value = renderer.defined(&argument.value)?;
            if let Some(slot) = values.get_mut(named.unwrap_or(i)) {
                *slot = Some(value);
            }
        }
        Ok(Self { at, values })
    }

    fn get(&self, index: usize) -> Option<&Val<'a>> {
        self.values.get(index)?.as_ref()
    }

    fn wrong<T>(&self, wanted: &str, found: &Val<'_>) -> Result<T, Fault> {
        Err(Fault::new(self.at, format!("the filter's argument must be {wanted}, not {}", found.kind())))
    }

    fn text(&self, index: usize, default: &'static str) -> Result<Cow<'_, str>, Fault> {
        match self.get(index) {
            None => Ok(Cow::Borrowed(default)),
            Some(Val::Text(text)) => Ok(Cow::Borrowed(text)),
            Some(other) => self.wrong("a text", other),
        }
    }

    fn count(&self, index: usize, default: usize) -> Result<usize, Fault> {
        match self.get(index) {
            None => Ok(default),
            Some(Val::Whole(whole)) if (0..=BYTES as i128).contains(whole) => {
                Ok(usize::try_from(*whole).unwrap_or(BYTES))
            }
            Some(other) => self.wrong("a whole number from 0 up", other),
        }
    }

    fn flag(&self, index: usize) -> Result<bool, Fault> {
        match self.get(index) {
            None => Ok(false),
            Some(Val::Bool(flag)) => Ok(*flag),
            Some(other) => self.wrong("true or false", other),
        }
    }
}

fn list<'a>(value: Val<'a>, filter: &str, at: usize) -> Result<List<'a>, Fault> {
    match value {
        Val::List(list) => Ok(list),
        other => Err(Fault::new(at, format!("`{filter}` takes a list, not {}", other.kind()))),
    }
}

fn text<'a>(value: Val<'a>, filter: &str, at: usize) -> Result<Cow<'a, str>, Fault> {
    match value {
        Val::Text(text) => Ok(text),
        other => {
            let message =
                format!("`{filter}` takes a text, not {}: write `| string` before it", other.kind());
            Err(Fault::new(at, message))
        }
    }
}

fn default<'a>(value: Val<'a>, arguments: &Arguments<'a>) -> Val<'a> {
    let also_empty = arguments.get(1).is_some_and(Val::is_true);
    if matches!(value, Val::Undefined(_)) || also_empty && !value.is_true() {
        return arguments.get(0).cloned().unwrap_or(Val::Text(Cow::Borrowed("")));
    }
    value
}

fn join<'a>(list: &List<'a>, arguments: &Arguments<'a>) -> Result<Val<'a>, Fault> {
    let separator = arguments.text(0, "")?;
    let mut out = Bounded::default();
    for (i, item) in list.iter().enumerate() {
        out.push(if i > 0 { &separator } else { "" }, arguments.at)?;
        out.push(&item.shown().map_err(|message| Fault::new(arguments.at, message))?, arguments.at)?;
    }
    Ok(Val::text(out.into_text()))
}

fn length<'a>(value: &Val<'a>, at: usize) -> Result<Val<'a>, Fault> {
    let length = match value {
        Val::Text(text) => text.chars().count(),
        Val::List(list) => list.len(),
        Val::Map(map) => map.len(),
        other => return Err(Fault::new(at, format!("{} has no length", other.kind()))),
    };
    Ok(Val::Whole(length as i128))
}

fn end_of<'a>(value: &Val<'a>, first: bool, at: usize) -> Result<Val<'a>, Fault> {
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

/// Numbers by size, texts by their letters regardless of ASCII case; equal ones stay in their order.
fn sort<'a>(list: &List<'a>, at: usize) -> Result<Val<'a>, Fault> {
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

/// The first of each, texts regardless of case.
fn unique<'a>(renderer: &mut Renderer<'a>, list: &List<'a>, at: usize) -> Result<Val<'a>, Fault> {
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

/// Cut at a space, or anywhere with `killwords`, so that the text and `end` have `length` characters; texts that are
/// longer by no more than `leeway` stay whole.
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

/// Half away from zero, to so many decimals.
fn round<'a>(value: &Val<'a>, arguments: &Arguments<'a>) -> Result<Val<'a>, Fault> {
    const MOST: usize = 15;
    let precision = arguments.count(0, 0)?;
    match value {
        Val::Whole(_) => Ok(value.clone()),
        Val::Float(float) if precision <= MOST => {
            let scale = 10_f64.powi(i32::try_from(precision).unwrap_or(0));
            let rounded = (scale * float).round() / scale;
            Ok(Val::Float(if rounded.is_finite() { rounded } else { *float }))
        }
        Val::Float(_) => Err(Fault::new(arguments.at, format!("`round` takes up to {MOST} decimals"))),
        other => Err(Fault::new(arguments.at, format!("`round` takes a number, not {}", other.kind()))),
    }
}
