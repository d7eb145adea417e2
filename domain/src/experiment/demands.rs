//! What templates ask of every sample, as one tree of names.
//!
//! Each sample is walked beside the tree, so that the work is that of reading both once, however many templates ask.

use std::collections::BTreeMap;

use crate::problem::{MAX_PROBLEMS, Problem};
use crate::sample::Sample;
use crate::value::Value;

/// Levels of names that are looked at; what lies deeper is left to the rendering.
const DEPTH: usize = 32;

/// What is asked, by the names behind `sample`.
#[derive(Debug, Default)]
pub(super) struct Demands {
    root: Demand,
    added: usize,
}

/// What is asked of one value.
#[derive(Debug, Default)]
struct Demand {
    /// Who asks for it itself: the order of asking, and the template's place.
    by: Vec<(usize, String)>,
    /// What is asked of its fields.
    fields: BTreeMap<String, Demand>,
}

/// A sample that lacks what a template asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lack {
    pub(super) pointer: String,
    pub(super) sample: usize,
    /// The names behind `sample`, with points between them.
    pub(super) path: String,
    order: usize,
}

impl Lack {
    /// The problem that this is, of a sample that is called so.
    pub(super) fn problem(self, sample: &str) -> Problem {
        let Self { pointer, path, .. } = self;
        let detail = format!("{sample} has no `{path}`: give it one, or write `sample.{path} | default(…)`");
        Problem::new(pointer, "unknown_name", detail)
    }
}

impl Demands {
    /// A template at this place asks for a path; what does not begin with a field of `sample` does not count.
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

    /// For each template and path the first sample that does not have it, in the order of asking.
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

/// The way through one sample.
struct Walk<'a> {
    sample: usize,
    path: Vec<String>,
    found: &'a mut Vec<Lack>,
}

impl Walk<'_> {
    /// Whatever is neither input, reference nor meta is there in every sample.
    fn sample(&mut self, root: &mut Demand, sample: &Sample) {
        root.fields.retain(|name, demand| match (name.as_str(), sample.accepted().first()) {
            ("input", _) => self.value(name, demand, Some(&sample.input)),
            ("reference", reference) => self.value(name, demand, reference),
            ("meta", _) => self.meta(demand, sample),
            _ => false,
        });
    }

    /// Only the first names of `meta` are looked at.
    fn meta(&mut self, demand: &mut Demand, sample: &Sample) -> bool {
        self.path.push("meta".to_owned());
        demand.fields.retain(|name, inner| sample.meta.contains_key(name) || self.lack(name, inner));
        self.path.pop();
        !demand.fields.is_empty()
    }

    /// Notes what the value lacks; whether there is more to ask of other samples.
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

    /// Notes everything that is asked of a value that is not there. It is told once, so nothing is left to ask.
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
    fn the_first_sample_that_lacks_something_is_told() {
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
    fn each_template_is_told_of_in_its_order() {
        let samples = [sample(Value::from([("a", Value::Null)]))];
        let found =
            lacking(&["sample.input.z", "sample.input.a", "sample.input.b", "sample.input.z"], &samples);
        assert_eq!(
            found.iter().map(|(_, path)| path.as_str()).collect::<Vec<_>>(),
            ["input.z", "input.b", "input.z"]
        );
    }
}
