//! Stages that ask a chat model.

use super::{no_field, text};
use crate::call::{Message, ResponseFormat, Role};
use crate::space::{Field, Parameter};
use crate::value::{Map, Value};

const FIELDS: &str =
    "endpoint, model, system, prompt, messages, response_format, inference parameters and extra.KEY";

/// A stage that asks a chat model. Its texts are templates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LlmStage {
    /// The label of its endpoint; the default one where absent.
    pub endpoint: Option<String>,
    /// The requested model; the default one where absent.
    pub model: Option<String>,
    /// The system prompt.
    pub system: Option<String>,
    /// Few-shot messages between the system prompt and the prompt.
    pub messages: Vec<Message>,
    /// The prompt.
    pub prompt: String,
    /// Inference parameters by name. Only those that are set are sent.
    pub parameters: Map,
    /// The requested form of the answer.
    pub response_format: ResponseFormat,
    /// Whether reasoning at the beginning of the answer stays in the output.
    pub keep_think: bool,
    /// Further fields of the request.
    pub extra: Map,
}

impl LlmStage {
    pub(super) fn set(&mut self, field: &Field, value: &Value) -> Result<(), String> {
        match field {
            Field::Endpoint => self.endpoint = Some(text(value)?),
            Field::Model => self.model = Some(text(value)?),
            Field::System => self.system = Some(text(value)?),
            Field::Prompt => self.prompt = text(value)?,
            Field::Messages => self.messages = messages(value)?,
            Field::ResponseFormat => self.response_format = response_format(value)?,
            Field::Parameter(parameter) => {
                check_parameter(*parameter, value)?;
                self.parameters.insert(parameter.as_str().to_owned(), value.clone());
            }
            Field::Extra(key) => drop(self.extra.insert(key.clone(), value.clone())),
            Field::ChunkSize | Field::ChunkOverlap | Field::TopK | Field::Url => {
                return Err(no_field("an llm", field, FIELDS));
            }
        }
        Ok(())
    }

    /// Its templates with their places.
    pub(super) fn templates(&self) -> impl Iterator<Item = (String, &str)> {
        let few_shot = self.messages.iter().enumerate();
        let system = self.system.as_deref().map(|system| ("/system".to_owned(), system));
        system
            .into_iter()
            .chain(few_shot.map(|(i, message)| (format!("/messages/{i}/content"), message.content.as_str())))
            .chain(std::iter::once(("/prompt".to_owned(), self.prompt.as_str())))
    }

    /// Its fields as documents write them, without absent and empty ones.
    pub(super) fn fields(&self) -> Vec<(&'static str, Value)> {
        let text = |text: &String| Value::from(text.as_str());
        let messages: Vec<_> = self.messages.iter().map(Message::to_value).collect();
        let format = self.response_format.to_value();
        let fields = [
            ("endpoint", self.endpoint.as_ref().map(text)),
            ("model", self.model.as_ref().map(text)),
            ("system", self.system.as_ref().map(text)),
            ("messages", (!messages.is_empty()).then_some(Value::List(messages))),
            ("prompt", Some(text(&self.prompt))),
            ("parameters", (!self.parameters.is_empty()).then(|| Value::Map(self.parameters.clone()))),
            ("response_format", (format != Value::from("text")).then_some(format)),
            ("strip_think", self.keep_think.then_some(Value::Bool(false))),
            ("extra", (!self.extra.is_empty()).then(|| Value::Map(self.extra.clone()))),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Checks the value of an inference parameter.
///
/// # Errors
/// What the parameter takes.
pub fn check_parameter(parameter: Parameter, value: &Value) -> Result<(), String> {
    let number = value.as_number();
    let fits = match parameter {
        Parameter::Temperature => number.is_some_and(|n| n.as_f64() >= 0.0),
        Parameter::TopP => number.is_some_and(|n| (0.0..=1.0).contains(&n.as_f64())),
        Parameter::MaxTokens => number.and_then(crate::value::Number::as_u64).is_some_and(|n| n >= 1),
        Parameter::Seed => number.is_some_and(|n| n.as_i64().is_some() || n.as_u64().is_some()),
        Parameter::FrequencyPenalty | Parameter::PresencePenalty => number.is_some(),
        Parameter::ReasoningEffort | Parameter::Verbosity => {
            value.as_text().is_some_and(|word| !word.is_empty())
        }
        Parameter::Stop => {
            value.as_list().is_some_and(|list| list.iter().all(|item| item.as_text().is_some()))
        }
    };
    if fits { Ok(()) } else { Err(format!("{} {}, not {value}", parameter.as_str(), takes(parameter))) }
}

const fn takes(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::Temperature => "takes a number from 0 up",
        Parameter::TopP => "takes a number from 0 to 1",
        Parameter::MaxTokens => "takes a whole number from 1 up",
        Parameter::Seed => "takes a whole number",
        Parameter::FrequencyPenalty | Parameter::PresencePenalty => "takes a number",
        Parameter::ReasoningEffort | Parameter::Verbosity => "takes a word such as low, medium or high",
        Parameter::Stop => "takes a list of texts",
    }
}

fn messages(value: &Value) -> Result<Vec<Message>, String> {
    let wrong = || "messages take a list of {role, content} with role system, user or assistant".to_owned();
    value.as_list().ok_or_else(wrong)?.iter().map(|item| message(item).ok_or_else(wrong)).collect()
}

pub(crate) fn message(value: &Value) -> Option<Message> {
    let fields = value.as_map().filter(|fields| fields.len() == 2)?;
    let role = Role::parse(fields.get("role")?.as_text()?)?;
    Some(Message { role, content: fields.get("content")?.as_text()?.to_owned() })
}

/// Reads a response format as documents write it.
///
/// # Errors
/// What the field takes.
pub fn response_format(value: &Value) -> Result<ResponseFormat, String> {
    match value {
        Value::Text(word) if word == "text" => Ok(ResponseFormat::Text),
        Value::Text(word) if word == "json" => Ok(ResponseFormat::Json),
        Value::Map(fields) => json_schema(fields).ok_or_else(|| unknown_format(value)),
        _ => Err(unknown_format(value)),
    }
}

fn json_schema(fields: &Map) -> Option<ResponseFormat> {
    let schema = fields.get("json_schema")?.clone();
    let strict = match fields.get("strict") {
        None => None,
        Some(Value::Bool(strict)) => Some(*strict),
        Some(_) => return None,
    };
    let is_known = fields.len() == 1 + usize::from(strict.is_some());
    is_known.then_some(ResponseFormat::JsonSchema { schema, strict })
}

fn unknown_format(value: &Value) -> String {
    format!(
        "response_format takes \"text\", \"json\" or {{\"json_schema\": …}}, the last with \"strict\" true or false \
         where wanted, not {value}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_take_what_requests_take() {
        let list = |texts: &[&str]| Value::List(texts.iter().map(|text| Value::from(*text)).collect());
        for (parameter, value, fits) in [
            (Parameter::Temperature, Value::number(0.7), true),
            (Parameter::Temperature, Value::number(-0.1), false),
            (Parameter::Temperature, Value::from("hot"), false),
            (Parameter::TopP, Value::number(1.0), true),
            (Parameter::TopP, Value::number(1.1), false),
            (Parameter::MaxTokens, Value::from(16_i64), true),
            (Parameter::MaxTokens, Value::from(0_i64), false),
            (Parameter::MaxTokens, Value::number(1.5), false),
            (Parameter::Stop, list(&["\n"]), true),
            (Parameter::Stop, Value::from("\n"), false),
            (Parameter::Seed, Value::from(u64::MAX), true),
            (Parameter::PresencePenalty, Value::Null, false),
            (Parameter::ReasoningEffort, Value::from("low"), true),
            (Parameter::Verbosity, Value::from(2_i64), false),
        ] {
            assert_eq!(check_parameter(parameter, &value).is_ok(), fits, "{parameter:?} = {value}");
        }
    }

    #[test]
    fn a_stage_takes_values_of_the_right_form_only() {
        let mut stage = LlmStage { prompt: "p".into(), ..LlmStage::default() };
        let shot = Value::from([("role", Value::from("user")), ("content", Value::from("hi"))]);
        stage.set(&Field::Messages, &Value::List(vec![shot.clone()])).unwrap();
        assert_eq!(stage.messages, vec![Message { role: Role::User, content: "hi".into() }]);
        assert!(stage.set(&Field::Messages, &shot).is_err());
        stage.set(&Field::ResponseFormat, &Value::from("json")).unwrap();
        assert!(stage.set(&Field::ResponseFormat, &Value::from("xml")).is_err());
        let schema = || ("json_schema", Value::from([("type", Value::from("object"))]));
        for strict in [None, Some(true), Some(false)] {
            let fields: Map = [schema()]
                .into_iter()
                .chain(strict.map(|strict| ("strict", Value::Bool(strict))))
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            stage.set(&Field::ResponseFormat, &Value::Map(fields.clone())).unwrap();
            assert_eq!(stage.response_format.to_value(), Value::Map(fields));
        }
        for wrong in [("strict", Value::from("yes")), ("strict", Value::Null), ("name", Value::from("n"))] {
            assert!(stage.set(&Field::ResponseFormat, &Value::from([schema(), wrong])).is_err());
        }
        assert!(stage.set(&Field::ResponseFormat, &Value::from([("strict", Value::Bool(true))])).is_err());
        assert!(stage.set(&Field::Prompt, &Value::from(3_i64)).is_err());
        assert_eq!(stage.prompt, "p");
    }
}
