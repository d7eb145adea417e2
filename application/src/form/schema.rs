//! JSON Schemas, and how much work they make.

use domain::problem::Problem;
use domain::value::Value;
use jsonschema::{PatternOptions, Validator};

use super::pattern::{MAX_SIZE, units};
use super::{Effort, MAX_PATTERN_UNITS};
use crate::json;

/// The largest schema, in bytes of its canonical text.
const MAX_BYTES: usize = 256 << 10;
/// The deepest schema, in levels.
const MAX_DEPTH: usize = 64;
/// Pairs of a part of the schema and a part of the text that are looked at between other work, and at all.
const FEW_PAIRS: usize = 20_000;
const MAX_PAIRS: usize = 1_000_000;
/// Bytes of the text, for each pattern and by itself, that are looked at between other work, and at all.
const FEW_BYTES: usize = 16 << 10;
const MAX_TEXT: usize = 64 << 10;

/// Keywords that lead a validator over the same parts again: how often is for the text to decide.
const REPEATING: [&str; 7] = [
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "unevaluatedProperties",
    "unevaluatedItems",
    "uniqueItems",
    "contentMediaType",
];

/// A schema, ready to be checked.
#[derive(Debug)]
pub(super) struct Schema {
    validator: Validator,
    outline: Outline,
}

/// What decides how much work a schema makes.
#[derive(Debug, Default)]
struct Outline {
    /// Its parts: objects, lists and what they hold.
    parts: usize,
    patterns: usize,
    /// The memory that its patterns take at most, in small programs.
    pattern_units: usize,
    depth: usize,
    /// It has a keyword or a pattern whose work cannot be told from sizes.
    repeating: bool,
}

impl Schema {
    /// # Errors
    /// What is wrong with the schema, and where.
    pub(super) fn compile(schema: &Value) -> Result<Self, Problem> {
        let mut outline = Outline::default();
        outline.add(schema, 1);
        if outline.depth > MAX_DEPTH {
            return Err(too_large(format!(
                "the schema is nested deeper than {MAX_DEPTH} levels: flatten it"
            )));
        }
        let bytes = schema.canonical().len();
        if bytes > MAX_BYTES {
            return Err(too_large(format!("the schema has {bytes} bytes, and can have at most {MAX_BYTES}")));
        }
        if outline.pattern_units > MAX_PATTERN_UNITS {
            return Err(too_large("the schema has too many patterns, or too large ones".to_owned()));
        }
        let patterns = PatternOptions::regex().size_limit(MAX_SIZE).dfa_size_limit(MAX_SIZE);
        let options = jsonschema::options().with_pattern_options(patterns);
        let validator = options.build(&json::to_json(schema)).map_err(|error| {
            let at = format!("/schema{}", error.instance_path());
            Problem::new(at, "wrong_value", format!("not a valid JSON Schema: {error}"))
        })?;
        Ok(Self { validator, outline })
    }

    /// The memory that its patterns take at most, in small programs.
    pub(super) const fn pattern_units(&self) -> usize {
        self.outline.pattern_units
    }

    /// Without repeating keywords a validator looks at each part of the text with each part of the schema, a few times
    /// at most.
    pub(super) fn effort(&self, text: &str) -> Effort {
        let parts = 1 + text.bytes().filter(|byte| b",:[{".contains(byte)).count();
        let pairs = self.outline.parts.saturating_mul(parts);
        let matched = self.outline.patterns.saturating_mul(text.len());
        if self.outline.repeating || text.len() > MAX_TEXT || pairs > MAX_PAIRS || matched > MAX_TEXT {
            Effort::Unbounded
        } else if pairs > FEW_PAIRS || text.len() + matched > FEW_BYTES {
            Effort::Much
        } else {
            Effort::Little
        }
    }

    pub(super) fn check(&self, text: &str) -> Result<(), String> {
        let instance = serde_json::from_str(text).map_err(|error| error.to_string())?;
        self.validator.validate(&instance).map_err(|error| format!("{}: {error}", error.instance_path()))
    }
}

fn too_large(detail: String) -> Problem {
    Problem::new("/schema", "too_large", detail)
}

impl Outline {
    /// Adds a part and, down to the deepest level that is taken, what it holds.
    fn add(&mut self, part: &Value, depth: usize) {
        self.parts += 1;
        self.depth = self.depth.max(depth);
        if depth > MAX_DEPTH {
            return;
        }
        match part {
            Value::List(items) => items.iter().for_each(|item| self.add(item, depth + 1)),
            Value::Map(fields) => {
                for (name, value) in fields {
                    self.keyword(name, value);
                    self.add(value, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn keyword(&mut self, name: &str, value: &Value) {
        self.repeating |= REPEATING.contains(&name);
        match (name, value) {
            ("pattern", Value::Text(pattern)) => self.pattern(pattern),
            ("patternProperties", Value::Map(patterns)) => {
                for pattern in patterns.keys() {
                    self.pattern(pattern);
                }
            }
            // The text would be a pattern itself.
            ("format", Value::Text(format)) => self.repeating |= format == "regex",
            _ => {}
        }
    }

    fn pattern(&mut self, pattern: &str) {
        self.patterns += 1;
        if self.pattern_units > MAX_PATTERN_UNITS {
            return;
        }
        let units = units(pattern);
        self.pattern_units += units;
        self.repeating |= units > 1;
    }
}
