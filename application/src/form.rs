//! Checks the form of outputs, with the parsers that the domain does not have.

use domain::scoring::{Format, Judgement, Score};
use domain::value::Value;
use jsonschema::Validator;
use regex::Regex;

use crate::json;

/// A form, ready to be checked.
#[derive(Debug)]
pub(crate) enum Form {
    Json,
    Schema(Box<Validator>),
    Markdown(Vec<String>),
    Pattern(Regex),
    Xml,
    Yaml,
    Csv(Vec<String>),
}

impl Form {
    /// Makes a form ready, or says what is wrong with its schema or pattern, and in which option.
    pub(crate) fn compile(format: &Format) -> Result<Self, (&'static str, String)> {
        Ok(match format {
            Format::Json => Self::Json,
            Format::JsonSchema(schema) => Self::Schema(Box::new(
                jsonschema::validator_for(&json::to_json(schema))
                    .map_err(|error| ("schema", format!("this is no JSON Schema: {error}")))?,
            )),
            Format::Markdown { headings } => Self::Markdown(headings.clone()),
            Format::Regex(pattern) => {
                Self::Pattern(Regex::new(pattern).map_err(|error| ("pattern", error.to_string()))?)
            }
            Format::Xml => Self::Xml,
            Format::Yaml => Self::Yaml,
            Format::Csv { columns } => Self::Csv(columns.clone()),
        })
    }

    /// How well a text has this form.
    pub(crate) fn judge(&self, output: &str) -> Judgement {
        let found = match self {
            Self::Markdown(headings) => return markdown(output, headings),
            Self::Json => json::parse(output).map(drop).map_err(|error| error.to_string()),
            Self::Schema(validator) => schema(output, validator),
            Self::Pattern(pattern) => pattern.is_match(output).then_some(()).ok_or_else(String::new),
            Self::Xml => roxmltree::Document::parse(output).map(drop).map_err(|error| error.to_string()),
            Self::Yaml => yaml(output),
            Self::Csv(columns) => csv(output, columns),
        };
        match found {
            Ok(()) => Judgement::new(Score::ONE),
            Err(why) if why.is_empty() => Judgement::new(Score::ZERO),
            Err(why) => Judgement::new(Score::ZERO).with("error", Value::from(why)),
        }
    }
}

fn schema(output: &str, validator: &Validator) -> Result<(), String> {
    let instance = serde_json::from_str(output).map_err(|error| error.to_string())?;
    validator.validate(&instance).map_err(|error| format!("{}: {error}", error.instance_path()))
}

/// The share of headings that are there.
fn markdown(output: &str, headings: &[String]) -> Judgement {
    let present: Vec<&str> = output.lines().filter_map(heading).collect();
    let missing: Vec<Value> = headings
        .iter()
        .filter(|wanted| !present.iter().any(|heading| heading.eq_ignore_ascii_case(wanted.trim())))
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

fn yaml(output: &str) -> Result<(), String> {
    serde_saphyr::from_str::<serde_json::Value>(output).map(drop).map_err(|error| error.to_string())
}

fn csv(output: &str, columns: &[String]) -> Result<(), String> {
    let mut reader = csv::Reader::from_reader(output.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    if header.is_empty() {
        return Err("there is no header".to_owned());
    }
    let missing: Vec<&str> = columns
        .iter()
        .map(String::as_str)
        .filter(|column| !header.iter().any(|name| name == *column))
        .collect();
    if !missing.is_empty() {
        return Err(format!("the header lacks {}", missing.join(", ")));
    }
    reader.records().try_for_each(|record| record.map(drop)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(Form::compile(&Format::Regex("(".into())).unwrap_err().0, "pattern");
        let schema = Value::from([("type", Value::from(7_i64))]);
        assert_eq!(Form::compile(&Format::JsonSchema(schema)).unwrap_err().0, "schema");
        let remote = Value::from([("$ref", Value::from("http://127.0.0.1:9/schema.json"))]);
        assert_eq!(Form::compile(&Format::JsonSchema(remote)).unwrap_err().0, "schema");
    }
}
