//! What is said between this process and those that check: one JSON document a line, in both directions.

use application::json;
use domain::scoring::{Format, Judgement, Score, Scorer};
use domain::value::{Map, Value};

/// The line that asks whether a text has a format.
pub(crate) fn request(format: &Format, text: &str) -> String {
    line(&Value::from([("options", Value::Map(format.options())), ("text", Value::from(text))]))
}

/// The options of a format, spelled, and the text; `None` for what is no request.
pub(crate) fn read_request(line: &str) -> Option<(Map, String)> {
    match json::parse(line).ok()? {
        Value::Map(mut fields) => match (fields.remove("options")?, fields.remove("text")?) {
            (Value::Map(options), Value::Text(text)) => Some((options, text)),
            _ => None,
        },
        _ => None,
    }
}

/// The format with these options.
pub(crate) fn format(options: &Map) -> Option<Format> {
    match Scorer::try_new("format", options) {
        Ok(Scorer::Format(format)) => Some(format),
        _ => None,
    }
}

/// The line that answers.
pub(crate) fn answer(judged: Result<Judgement, String>) -> String {
    line(&match judged {
        Ok(Judgement { value, metadata }) => {
            Value::from([("value", Value::number(value.value())), ("metadata", Value::Map(metadata))])
        }
        Err(error) => Value::from([("error", Value::from(error))]),
    })
}

/// What a line answers; `None` for what is no answer.
pub(crate) fn read_answer(line: &str) -> Option<Result<Judgement, String>> {
    let answer = json::parse(line).ok()?;
    let fields = answer.as_map()?;
    if let Some(error) = fields.get("error") {
        return Some(Err(error.as_text()?.to_owned()));
    }
    let value = Score::try_new(fields.get("value")?.as_number()?.as_f64()).ok()?;
    Some(Ok(Judgement { value, metadata: fields.get("metadata")?.as_map()?.clone() }))
}

fn line(value: &Value) -> String {
    let mut line = value.canonical();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let asked = Format::Regex("a\n\"".to_owned());
        let line = request(&asked, "two\nlines");
        assert_eq!(line.matches('\n').count(), 1);
        let (options, text) = read_request(&line).unwrap();
        assert_eq!((format(&options), text.as_str()), (Some(asked), "two\nlines"));
        for judged in [
            Ok(Judgement::new(Score::ZERO).with("error", Value::from("line 1\nline 2"))),
            Err("there is no schema".to_owned()),
        ] {
            assert_eq!(read_answer(&answer(judged.clone())), Some(judged));
        }
        for nonsense in ["", "{}", "[]", r#"{"value":2,"metadata":{}}"#] {
            assert_eq!(read_answer(nonsense), None, "{nonsense}");
        }
    }
}
