//! Checks the form of outputs, with the parsers that the domain does not have.
//!
//! Parsers and validators can take any amount of time and memory, whatever their input's size. A [`Form`] tells before
//! it begins whether its work is bounded; the rest is done by a [`FormatChecker`](crate::ports::FormatChecker), which
//! can end it.

mod pattern;
mod schema;

use std::collections::HashSet;

use domain::problem::Problem;
use domain::scoring::{Format, Judgement, Score};
use domain::value::Value;

use self::pattern::Pattern;
pub(crate) use self::pattern::pattern_error;
use self::schema::Schema;

/// A form, ready to be checked.
#[derive(Debug)]
pub struct Form(Kind);

#[derive(Debug)]
enum Kind {
    Json,
    Schema(Box<Schema>),
    Markdown(Vec<String>),
    Pattern(Pattern),
    Xml,
    Yaml,
    Csv(Vec<String>),
}

/// What checking a text takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Less than anything else would notice.
    Little,
    /// Some milliseconds.
    Much,
    /// Any amount of time and memory.
    Unbounded,
}

/// The longest text that is checked between other work, in bytes.
const SHORT: usize = 16 << 10;
/// The memory that the patterns of all scorers of an experiment take at most, in small programs: 64 MiB.
pub(crate) const MAX_PATTERN_UNITS: usize = 256;
/// The longest JSON, in bytes, that is read here: each byte of it can take sixteen.
const MAX_JSON: usize = 1 << 20;
/// Attributes and declarations of namespaces that an XML parser compares with each other.
const MAX_XML_ATTRIBUTES: usize = 1_000;
const MAX_XML_NAMESPACES: usize = 32;
/// The longest reason that is told, in bytes; those of schemas quote what they do not like.
const MAX_REASON: usize = 1_000;

impl Form {
    /// Makes a form ready.
    ///
    /// # Errors
    /// What is wrong with its schema or pattern, with its place below the options.
    pub fn compile(format: &Format) -> Result<Self, Problem> {
        Ok(Self(match format {
            Format::Json => Kind::Json,
            Format::JsonSchema(schema) => Kind::Schema(Box::new(Schema::compile(schema)?)),
            Format::Markdown { headings } => Kind::Markdown(headings.clone()),
            Format::Regex(pattern) => Kind::Pattern(Pattern::compile(pattern)?),
            Format::Xml => Kind::Xml,
            Format::Yaml => Kind::Yaml,
            Format::Csv { columns } => Kind::Csv(columns.clone()),
        }))
    }

    /// What checking a text takes, at most.
    #[must_use]
    pub fn effort(&self, text: &str) -> Effort {
        let linear = if text.len() <= SHORT { Effort::Little } else { Effort::Much };
        match &self.0 {
            Kind::Json if text.len() <= MAX_JSON => linear,
            Kind::Markdown(_) | Kind::Csv(_) => linear,
            Kind::Schema(schema) => schema.effort(text),
            Kind::Pattern(pattern) => pattern.effort(text),
            Kind::Xml if text.len() <= SHORT && is_plain_xml(text) => linear,
            // Without anchors a document says each thing once.
            Kind::Yaml if text.len() <= SHORT && !text.contains('&') => linear,
            Kind::Json | Kind::Xml | Kind::Yaml => Effort::Unbounded,
        }
    }

    /// The memory that its patterns take at most, in small programs.
    pub(crate) fn pattern_units(&self) -> usize {
        match &self.0 {
            Kind::Pattern(pattern) => pattern.units(),
            Kind::Schema(schema) => schema.pattern_units(),
            _ => 0,
        }
    }

    /// How well a text has this form.
    #[must_use]
    pub fn judge(&self, output: &str) -> Judgement {
        let found = match &self.0 {
            Kind::Markdown(headings) => return markdown(output, headings),
            Kind::Json => json(output),
            Kind::Schema(schema) => schema.check(output),
            Kind::Pattern(pattern) => pattern.check(output),
            Kind::Xml => roxmltree::Document::parse(output).map(drop).map_err(|error| error.to_string()),
            Kind::Yaml => yaml(output),
            Kind::Csv(columns) => csv(output, columns),
        };
        match found {
            Ok(()) => Judgement::new(Score::ONE),
            Err(why) if why.is_empty() => Judgement::new(Score::ZERO),
            Err(why) => Judgement::new(Score::ZERO).with("error", Value::from(shortened(why))),
        }
    }
}

fn shortened(mut why: String) -> String {
    if why.len() > MAX_REASON {
        why.truncate(why.floor_char_boundary(MAX_REASON));
        why.push('…');
    }
    why
}

fn is_plain_xml(text: &str) -> bool {
    text.matches('=').count() <= MAX_XML_ATTRIBUTES && text.matches("xmlns").count() <= MAX_XML_NAMESPACES
}

/// The share of headings that are there.
fn markdown(output: &str, headings: &[String]) -> Judgement {
    let present: HashSet<String> = output.lines().filter_map(heading).map(str::to_ascii_lowercase).collect();
    let missing: Vec<Value> = headings
        .iter()
        .filter(|wanted| !present.contains(&wanted.trim().to_ascii_lowercase()))
        .map(|wanted| Value::from(wanted.as_str()))
        .collect();
    let judgement = Judgement::new(Score::share(headings.len() - missing.len(), headings.len()));
    if missing.is_empty() { judgement } else { judgement.with("missing", Value::List(missing)) }
}

/// The text of an ATX heading (`CommonMark` 0.31, section 4.2).
fn heading(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(' ');
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    let set_off = text.is_empty() || text.starts_with([' ', '\t']);
    ((1..=6).contains(&level) && set_off).then(|| text.trim().trim_end_matches('#').trim_end())
}

fn json(output: &str) -> Result<(), String> {
    serde_json::from_str::<serde_json::Value>(output).map(drop).map_err(|error| error.to_string())
}

fn yaml(output: &str) -> Result<(), String> {
    serde_saphyr::from_str::<serde_json::Value>(output).map(drop).map_err(|error| error.to_string())
}

fn csv(output: &str, columns: &[String]) -> Result<(), String> {
    let mut reader = csv::Reader::from_reader(output.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    if header.is_empty() {
        return Err("there is no header".to_owned());
    }
    let names: HashSet<&str> = header.iter().collect();
    let missing: Vec<&str> =
        columns.iter().map(String::as_str).filter(|column| !names.contains(column)).collect();
    if !missing.is_empty() {
        return Err(format!("the header lacks {}", missing.join(", ")));
    }
    reader.records().try_for_each(|record| record.map(drop)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn forms_are_told_from_what_is_not_of_them() {
        let schema = Value::from([("required", Value::List(vec![Value::from("a")]))]);
        for (format, good, bad) in [
            (Format::Json, r#" {"a": [1]} "#, "{a: 1}"),
            (Format::JsonSchema(schema), r#"{"a": 1}"#, r#"{"b": 1}"#),
            (Format::Regex("^[a-z]+$".into()), "abc", "abc1"),
            (Format::Xml, "<a><b/></a>", "<a><b></a>"),
            (Format::Yaml, "a: [1, 2]\nb: x\n", "a: [1\nb: }"),
            (Format::Csv { columns: texts(&["id"]) }, "id,name\n1,x\n", "name\nx\n"),
            (Format::Csv { columns: vec![] }, "a,b\n1,2\n", "a,b\n1,2,3\n"),
            (Format::Markdown { headings: texts(&["Summary"]) }, "## summary ##\ntext", "Summary\ntext"),
        ] {
            let form = Form::compile(&format).unwrap();
            assert_eq!(form.judge(good).value, Score::ONE, "{format:?} of {good:?}");
            assert_eq!(form.judge(bad).value, Score::ZERO, "{format:?} of {bad:?}");
        }
    }

    #[test]
    fn headings_count_by_their_share() {
        let form = Form::compile(&Format::Markdown { headings: texts(&["A", "B"]) }).unwrap();
        let judged = form.judge("# A\n#B\n");
        assert_eq!(judged.value.value(), 0.5);
        assert_eq!(Value::Map(judged.metadata).canonical(), r#"{"missing":["B"]}"#);
    }

    #[test]
    fn patterns_and_schemas_that_make_no_sense_are_refused() {
        assert_eq!(Form::compile(&Format::Regex("(".into())).unwrap_err().pointer, "/pattern");
        let schema = Value::from([("type", Value::from(7_i64))]);
        assert_eq!(Form::compile(&Format::JsonSchema(schema)).unwrap_err().pointer, "/schema/type");
        let remote = Value::from([("$ref", Value::from("http://127.0.0.1:9/schema.json"))]);
        assert_eq!(Form::compile(&Format::JsonSchema(remote)).unwrap_err().pointer, "/schema");
    }

    fn effort(format: &Format, text: &str) -> Effort {
        Form::compile(format).unwrap().effort(text)
    }

    #[test]
    fn only_work_that_is_bounded_is_done_here() {
        let schema = |text: &str| Format::JsonSchema(json::parse(text).unwrap());
        let regex = |pattern: &str| Format::Regex(pattern.to_owned());
        let plain =
            schema(r#"{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}"#);
        let recursive = schema(r##"{"anyOf": [{"properties": {"a": {"$ref": "#"}}}, {"type": "null"}]}"##);
        let (some, long) = ("x".repeat(20_000), "x".repeat(200_000));
        let attributes = format!("<a {}/>", "b='' ".repeat(2_000));
        for (format, text, expected) in [
            (&plain, r#"{"a": 1}"#, Effort::Little),
            (&plain, &some, Effort::Much),
            (&plain, &long, Effort::Unbounded),
            (&plain, &"[".repeat(10_000), Effort::Much),
            (&recursive, "1", Effort::Unbounded),
            (&schema(r#"{"uniqueItems": true}"#), "[]", Effort::Unbounded),
            (&schema(r#"{"pattern": "^a+$"}"#), "\"a\"", Effort::Little),
            (&schema(r#"{"pattern": "\\w{30}"}"#), "\"a\"", Effort::Unbounded),
            (&schema(r#"{"format": "regex"}"#), "\"a\"", Effort::Unbounded),
            (&Format::Json, &some, Effort::Much),
            (&Format::Json, &"[".repeat(2 << 20), Effort::Unbounded),
            (&Format::Xml, "<a b='c'/>", Effort::Little),
            (&Format::Xml, &some, Effort::Unbounded),
            (&Format::Xml, &attributes, Effort::Unbounded),
            (&Format::Xml, &"<a xmlns:b='c'>".repeat(50), Effort::Unbounded),
            (&Format::Yaml, "a: b", Effort::Little),
            (&Format::Yaml, "a: &a b", Effort::Unbounded),
            (&Format::Yaml, &some, Effort::Unbounded),
            (&regex("^a+$"), &some, Effort::Much),
            (&regex("^a+$"), &long, Effort::Unbounded),
            (&regex("\\w{30}"), "a", Effort::Unbounded),
            (&Format::Csv { columns: vec![] }, &long, Effort::Much),
            (&Format::Markdown { headings: texts(&["A"]) }, &long, Effort::Much),
        ] {
            let shown: String = text.chars().take(30).collect();
            assert_eq!(effort(format, text), expected, "{format:?} of {shown}");
        }
    }

    #[test]
    fn schemas_are_bounded_and_their_patterns_linear() {
        let refused = |schema: Value| Form::compile(&Format::JsonSchema(schema)).unwrap_err();
        let pattern = |pattern: &str| {
            let inner = Value::from([("a", Value::from([("pattern", Value::from(pattern))]))]);
            Value::from([("properties", inner)])
        };
        assert_eq!(refused(pattern("(?=a)b")).pointer, "/schema/properties/a/pattern");
        assert_eq!(refused(pattern("(\\w{1000}){100}")).pointer, "/schema/properties/a/pattern");
        let mut deep = Value::Bool(true);
        for _ in 0..100 {
            deep = Value::from([("not", deep)]);
        }
        assert_eq!(refused(deep).code, "too_large");
        let many = (0..300).map(|i| (format!("p{i}"), Value::from([("pattern", Value::from("a"))])));
        let many = Value::from([("properties", Value::Map(many.collect()))]);
        assert_eq!(refused(many).code, "too_large");
        let long = Value::List(vec![Value::from("x".repeat(100)); 4_000]);
        assert_eq!(refused(Value::from([("enum", long)])).code, "too_large");
        let endless = Value::from([("$ref", Value::from("#"))]);
        assert!(
            Form::compile(&Format::JsonSchema(endless)).is_ok_and(|form| form.effort("1") > Effort::Much)
        );
    }

    #[test]
    fn texts_of_any_shape_that_are_checked_here_are_checked_at_once() {
        let begun = std::time::Instant::now();
        let broken = [
            "[".repeat(16_000),
            "{\"a\":".repeat(2_500),
            "<a>".repeat(5_000),
            "<a>".repeat(2_300) + &"</a>".repeat(2_300),
            format!("<a {}/>", (0..900).map(|i| format!("a{i}=''")).collect::<Vec<_>>().join(" ")),
            "- ".repeat(8_000),
            "? ".repeat(8_000),
            "{a: ".repeat(4_000),
            "- [*a, *a]\n".repeat(1_000),
            "# ".repeat(8_000),
            "\"".repeat(16_000),
        ];
        let plain = Value::from([("items", Value::from([("type", Value::from("integer"))]))]);
        for format in [
            Format::Json,
            Format::JsonSchema(plain),
            Format::Xml,
            Format::Yaml,
            Format::Csv { columns: texts(&["a"]) },
            Format::Markdown { headings: texts(&["A"]) },
            Format::Regex("(a|b)*c$".to_owned()),
        ] {
            let form = Form::compile(&format).unwrap();
            for text in broken.iter().filter(|text| form.effort(text) < Effort::Unbounded) {
                let judged = form.judge(text);
                let told = judged.metadata.get("error").and_then(Value::as_text).unwrap_or_default();
                assert!(told.len() < 1_100, "{format:?}: {told}");
            }
        }
        assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    }
}
