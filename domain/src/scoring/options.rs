//! Reads the options of a scorer, and finds all their problems.

use crate::problem::{Problem, segment};
use crate::template::TemplateTree;
use crate::value::{Map, Number, Value};

/// Options that are being read. Options that are never read are unknown.
pub(super) struct Options<'a> {
    scorer: &'a str,
    given: &'a Map,
    /// Whether templates in them are not rendered yet.
    templates: bool,
    known: Vec<&'static str>,
    problems: Vec<Problem>,
}

impl<'a> Options<'a> {
    /// Options without templates.
    pub(super) const fn new(scorer: &'a str, given: &'a Map) -> Self {
        Self { scorer, given, templates: false, known: Vec::new(), problems: Vec::new() }
    }

    /// Options whose templates are not rendered yet. A template is accepted for any value.
    pub(super) const fn with_templates(scorer: &'a str, given: &'a Map) -> Self {
        Self { scorer, given, templates: true, known: Vec::new(), problems: Vec::new() }
    }

    /// The scorer, or all problems.
    pub(super) fn finish<T>(mut self, scorer: Option<T>) -> Result<T, Vec<Problem>> {
        for name in self.given.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let detail = format!(
                "scorer `{}` has no option `{name}` here: it takes {}",
                self.scorer,
                self.known.join(", ")
            );
            let pointer = format!("/options/{}", segment(name));
            self.problems.push(Problem::new(pointer, "unknown_option", detail));
        }
        match scorer {
            Some(scorer) if self.problems.is_empty() => Ok(scorer),
            _ => Err(self.problems),
        }
    }

    pub(super) fn wrong(&mut self, name: &str, code: &'static str, detail: impl Into<String>) {
        self.problems.push(Problem::new(format!("/options/{name}"), code, detail));
    }

    pub(super) fn optional(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.given.get(name)
    }

    pub(super) fn required(&mut self, name: &'static str) -> Option<&'a Value> {
        let value = self.optional(name);
        if value.is_none() {
            self.wrong(name, "missing", format!("scorer `{}` needs `{name}`", self.scorer));
        }
        value
    }

    /// Whether the option is a template, which may give any value.
    fn may_become(&self, value: &Value) -> bool {
        self.templates && value.as_text().is_some_and(TemplateTree::is_template)
    }

    /// Whether one of these options is a template, which may give any value.
    pub(super) fn may_come(&self, names: &[&str]) -> bool {
        names.iter().filter_map(|name| self.given.get(*name)).any(|value| self.may_become(value))
    }

    pub(super) fn required_text(&mut self, name: &'static str) -> Option<String> {
        let value = self.required(name)?;
        let text = value.as_text().map(str::to_owned);
        if text.is_none() {
            self.wrong(name, "wrong_value", format!("takes a text, not {value}"));
        }
        text
    }

    pub(super) fn flag(&mut self, name: &'static str, default: bool) -> bool {
        match self.optional(name) {
            None => default,
            Some(Value::Bool(flag)) => *flag,
            Some(template) if self.may_become(template) => default,
            Some(other) => {
                self.wrong(name, "wrong_value", format!("takes true or false, not {other}"));
                default
            }
        }
    }

    pub(super) fn count(&mut self, name: &'static str) -> Option<u64> {
        let value = self.value(name)?;
        let count = value.as_number().and_then(Number::as_u64);
        if count.is_none() {
            self.wrong(name, "wrong_value", format!("takes a whole number from 0 up, not {value}"));
        }
        count
    }

    /// The option, unless it is a template.
    pub(super) fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.optional(name).filter(|value| !self.may_become(value))
    }

    /// A text that is no template any more; `None` where it still is one.
    pub(super) fn rendered_text<'b>(&self, text: &'b str) -> Option<&'b str> {
        let is_open = self.templates && (text.contains("{{") || text.contains("{%"));
        (!is_open).then_some(text)
    }

    /// A text that is not blank. A template is one.
    pub(super) fn optional_text(&mut self, name: &'static str) -> Option<String> {
        let value = self.optional(name)?;
        let text = value.as_text().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        if text.is_none() {
            self.wrong(name, "wrong_value", format!("takes a text that is not empty, not {value}"));
        }
        text
    }

    /// A number above 0 that has to be there.
    pub(super) fn positive(&mut self, name: &'static str) -> Option<f64> {
        let value = self.required(name)?;
        if self.may_become(value) {
            return Some(1.0);
        }
        let number = value.as_number().map(Number::as_f64).filter(|number| *number > 0.0);
        if number.is_none() {
            self.wrong(name, "wrong_value", format!("takes a number above 0, not {value}"));
        }
        number
    }

    /// A whole number from 1 up.
    pub(super) fn positive_count(&mut self, name: &'static str) -> Option<u64> {
        let count = self.count(name)?;
        if count == 0 {
            self.wrong(name, "out_of_range", "takes a whole number from 1 up, not 0");
        }
        Some(count)
    }

    /// A list of texts, none of them empty. A single text counts as a list of one. Empty if the option is absent.
    pub(super) fn texts(&mut self, name: &'static str) -> Vec<String> {
        let Some(value) = self.value(name) else { return Vec::new() };
        let list = value.as_list().unwrap_or(std::slice::from_ref(value));
        match list.iter().map(Value::as_text).collect::<Option<Vec<_>>>() {
            Some(texts) if texts.iter().all(|text| !text.is_empty()) => {
                texts.into_iter().map(str::to_owned).collect()
            }
            _ => {
                self.wrong(
                    name,
                    "wrong_value",
                    format!("takes a list of texts that are not empty, not {value}"),
                );
                Vec::new()
            }
        }
    }

    /// One of these words.
    pub(super) fn word(
        &mut self,
        name: &'static str,
        words: &[&'static str],
        default: Option<&'static str>,
    ) -> Option<&'static str> {
        if default.is_none() {
            self.required(name)?;
        }
        self.optional_word(name, words).or(default)
    }

    /// One of these words, or `None` if the option is absent.
    pub(super) fn optional_word(
        &mut self,
        name: &'static str,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let value = self.optional(name)?;
        let word = words.iter().copied().find(|word| value.as_text() == Some(word));
        if word.is_none() {
            self.wrong(name, "wrong_value", format!("takes {}, not {value}", words.join(", ")));
        }
        word
    }
}
