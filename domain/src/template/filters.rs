//! Filters: `value | filter`.

mod lists;
mod texts;

use std::borrow::Cow;

use super::Fault;
use super::ast::{Argument, Expr};
use super::limits::{BYTES, Bounded};
use super::render::Renderer;
use super::value::{Val, write_json};
use crate::problem;

macro_rules! filters {
    ($($name:ident = $word:literal ($($argument:literal),*)),+ $(,)?) => {
        /// The known filters.
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
        problem::unknown("filter", word, Self::ALL.iter().map(|(known, ..)| *known))
    }

    fn entry(self) -> (&'static str, &'static [&'static str]) {
        let found = Self::ALL.iter().find(|(_, filter, _)| *filter == self);
        found.map_or(("", &[]), |(word, _, arguments)| (*word, *arguments))
    }

    pub(super) fn word(self) -> &'static str {
        self.entry().0
    }

    /// Checks the arguments. Only `truncate` and `indent` take them by name.
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

/// Evaluated arguments, in the order of the filter's parameters.
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
        Filter::Join => lists::join(&lists::list(value, "join", at)?, &arguments),
        Filter::Json => {
            let mut out = Bounded::default();
            write_json(&value, &mut out, &mut renderer.budget, at)?;
            Ok(Val::text(out.into_text()))
        }
        Filter::Length => length(&value, at),
        Filter::First => lists::end_of(&value, true, at),
        Filter::Last => lists::end_of(&value, false, at),
        Filter::Sort => lists::sort(&lists::list(value, "sort", at)?, at),
        Filter::Unique => lists::unique(renderer, &lists::list(value, "unique", at)?, at),
        Filter::Round => round(&value, &arguments),
        Filter::String => Ok(Val::text(value.shown().map_err(|message| Fault::new(at, message))?)),
        Filter::Lower
        | Filter::Upper
        | Filter::Trim
        | Filter::Title
        | Filter::Replace
        | Filter::Truncate
        | Filter::Indent => {
            let text = texts::text(value, filter.word(), at)?;
            texts::on_text(filter, text, &arguments)
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

fn default<'a>(value: Val<'a>, arguments: &Arguments<'a>) -> Val<'a> {
    let also_empty = arguments.get(1).is_some_and(Val::is_true);
    if matches!(value, Val::Undefined(_)) || also_empty && !value.is_true() {
        return arguments.get(0).cloned().unwrap_or(Val::Text(Cow::Borrowed("")));
    }
    value
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

/// Rounds half away from zero, to a number of decimals.
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
