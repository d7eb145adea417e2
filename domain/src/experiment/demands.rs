//! The fields of samples that templates use, as one tree of names.
//!
//! Each sample is compared with the tree once, so the work does not grow with the number of templates.

use std::collections::BTreeMap;

use crate::problem::{MAX_PROBLEMS, Problem};
use crate::sample::Sample;
use crate::value::Value;

/// The deepest level of names that is checked. Deeper names are checked only when a template is rendered.
const DEPTH: usize = 32;

/// The names that templates use after `sample.`.
#[derive(Debug, Default)]
pub(super) struct Demands {
    root: Demand,
    added: usize,
}

/// The uses of one value.
#[derive(Debug, Default)]
struct Demand {
    /// The templates that use the value itself: the order in which they were added, and their places.
    by: Vec<(usize, String)>,
    /// The uses of its fields.
    fields: BTreeMap<String, Demand>,
}

/// A sample that lacks a field.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lack {
    pub(super) pointer: String,
    pub(super) sample: usize,
    /// The names after `sample.`, separated by points.
    pub(super) path: String,
    order: usize,
}

impl Lack {
    /// The problem, for a sample with this name.
    pub(super) fn problem(self, sample: &str) -> Problem {
        let Self { pointer, path, .. } = self;
        let detail = format!("{sample} has no `{path}`: give it one, or write `sample.{path} | default(…)`");
        Problem::new(pointer, "unknown_name", detail)
    }
}

impl Demands {
    /// Adds a path that the template at this place uses. Paths that do not begin with a field of `sample` are
    /// ignored.
    pub(super) fn add(&mut self, path: &[String], pointer: &str) {
        let Some((sample, inner)) = path.split_first().filter(|(_, inner)| !inner.is_empty()) else { return };
        if sample != "sample" {
            return;
        }
        let mut demand = &mut self.root;
        for name in inner.iter().take(DEPTH) {
            demand = demand.fields.entry(name.clone()).or_default();
        }
        if demand.by.len() < MAX_PROBLEMS {
            demand.by.push((self.added, pointer.to_owned()));
        }
        self.added += 1;
    }

    /// For each template and path, the first sample without it, in the order of addition.
    pub(super) fn lacking(mut self, samples: &[Sample]) -> Vec<Lack> {
        let mut found = Vec::new();
        for (number, sample) in samples.iter().enumerate() {
            Walk { sample: number, path: Vec::new(), found: &mut found }.sample(&mut self.root, sample);
            if self.root.fields.is_empty() {
                break;
            }
        }
        found.sort_by_key(|lack| lack.order);
        found
    }
}

/// The comparison of one sample with the tree.
struct Walk<'a> {
    sample: usize,
    path: Vec<String>,
    found: &'a mut Vec<Lack>,
}

impl Walk<'_> {
    /// Only input, reference and meta can be missing; other fields of `sample` always exist.
    fn sample(&mut self, root: &mut Demand, sample: &Sample) {
        root.fields.retain(|name, demand| match (name.as_str(), sample.accepted().first()) {
            ("input", _) => self.value(name, demand, Some(&sample.input)),
            ("reference", reference) => self.value(name, demand, reference),
            ("meta", _) => self.meta(demand, sample),
            _ => false,
        });
    }

    /// Only the first names of `meta` are checked.
    fn meta(&mut self, demand: &mut Demand, sample: &Sample) -> bool {
        self.path.push("meta".to_owned());
        demand.fields.retain(|name, inner| sample.meta.contains_key(name) || self.lack(name, inner));
        self.path.pop();
        !demand.fields.is_empty()
    }

    /// Records what a value lacks. Returns whether other samples have to be compared too.
    fn value(&mut self, name: &str, demand: &mut Demand, value: Option<&Value>) -> bool {
        let Some(value) = value else { return self.lack(name, demand) };
        self.path.push(name.to_owned());
        match value {
            Value::List(_) => {}
            Value::Map(map) => demand.fields.retain(|name, inner| self.value(name, inner, map.get(name))),
            _ => demand.fields.retain(|name, inner| self.lack(name, inner)),
        }
        self.path.pop();
        true
    }

    /// Records that a value is missing. It is reported once, so no other sample has to be compared.
    fn lack(&mut self, name: &str, demand: &mut Demand) -> bool {
        self.path.push(name.to_owned());
        for (order, pointer) in demand.by.drain(..) {
            if self.found.len() >= MAX_PROBLEMS {
                break;
            }
            let (sample, path) = (self.sample, self.path.join("."));
            self.found.push(Lack { pointer, sample, path, order });
        }
        for (name, inner) in &mut demand.fields {
            self.lack(name, inner);
        }
        self.path.pop();
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(input: Value) -> Sample {
        Sample { input, ..Sample::default() }
    }

    fn lacking(paths: &[&str], samples: &[Sample]) -> Vec<(usize, String)> {
        let mut demands = Demands::default();
        for path in paths {
            let names: Vec<String> = path.split('.').map(str::to_owned).collect();
            demands.add(&names, path);
        }
        demands.lacking(samples).into_iter().map(|lack| (lack.sample, lack.path)).collect()
    }

    #[test]
    fn the_first_sample_that_lacks_something_is_reported() {
        let full = Value::from([("a", Value::from([("b", Value::from("x"))]))]);
        let samples = [sample(full), sample(Value::List(vec![])), sample(Value::from("text"))];
        for (path, found) in [
            ("sample.input", None),
            ("sample.index", None),
            ("sample.input.a.b", Some((2, "input.a.b"))),
            ("sample.input.a.c", Some((0, "input.a.c"))),
            ("sample.input.a.b.c", Some((0, "input.a.b.c"))),
            ("sample.reference", Some((0, "reference"))),
            ("sample.meta", None),
            ("sample.meta.lang.x", Some((0, "meta.lang.x"))),
            ("other.input.z", None),
        ] {
            let expected: Vec<_> = found.into_iter().map(|(at, path)| (at, path.to_owned())).collect();
            assert_eq!(lacking(&[path], &samples), expected, "{path}");
        }
    }

    #[test]
    fn each_template_is_reported_in_order() {
        let samples = [sample(Value::from([("a", Value::Null)]))];
        let found =
            lacking(&["sample.input.z", "sample.input.a", "sample.input.b", "sample.input.z"], &samples);
        assert_eq!(
            found.iter().map(|(_, path)| path.as_str()).collect::<Vec<_>>(),
            ["input.z", "input.b", "input.z"]
        );
    }
}
