//! The body of a request for a message.

use domain::call::{CallFailure, ChatCall, FailureKind, Message, ResponseFormat, Role};
use domain::endpoint::EndpointKind;
use domain::extra;
use domain::value::{Map, Value};

/// The body of the request for `call`. Only what was set is in it, and the limit of output tokens, which the protocol demands.
/// What the protocol does not know goes along all the same: the server says what it refuses.
///
/// # Errors
/// Where JSON without a schema is asked for, for which the protocol has no word.
pub(super) fn body(call: &ChatCall) -> Result<String, CallFailure> {
    // First, so that what the call says takes its place.
    let mut body: Map = call.extra.iter().filter(|(name, _)| !extra::is_reserved(name)).map(owned).collect();
    for (name, value) in &call.parameters {
        match name.as_str() {
            "reasoning_effort" => of_output(&mut body, "effort", value.clone()),
            "stop" => drop(body.insert("stop_sequences".to_owned(), list(value))),
            _ => drop(body.insert(name.clone(), value.clone())),
        }
    }
    if let Some(limit) = EndpointKind::Anthropic.default_max_tokens() {
        body.entry("max_tokens".to_owned()).or_insert_with(|| Value::from(limit));
    }
    match &call.response_format {
        ResponseFormat::Text => {}
        ResponseFormat::Json => return Err(CallFailure::new(FailureKind::Rejected, NO_SCHEMA)),
        ResponseFormat::JsonSchema(schema) => {
            let format = [("type", Value::from("json_schema")), ("schema", schema.clone())];
            of_output(&mut body, "format", Value::from(format));
        }
    }
    let (system, messages): (Vec<&Message>, Vec<&Message>) =
        call.messages.iter().partition(|message| message.role == Role::System);
    if !system.is_empty() {
        let texts: Vec<&str> = system.iter().map(|message| message.content.as_str()).collect();
        body.insert("system".to_owned(), Value::from(texts.join("\n\n")));
    }
    body.insert("messages".to_owned(), Value::List(messages.into_iter().map(said).collect()));
    body.insert("model".to_owned(), Value::from(call.model.as_str()));
    Ok(Value::Map(body).canonical())
}

const NO_SCHEMA: &str = "Anthropic's protocol has no JSON without a schema: set the stage's `response_format` to \
                         `{json_schema: …}`, or to `text` and ask for JSON in the prompt";

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

/// Sets a field of `output_config`, which may have others from the extra fields.
fn of_output(body: &mut Map, name: &str, value: Value) {
    let mut output = match body.remove("output_config") {
        Some(Value::Map(fields)) => fields,
        _ => Map::new(),
    };
    output.insert(name.to_owned(), value);
    body.insert("output_config".to_owned(), Value::Map(output));
}

/// One text stands for a list of it.
fn list(value: &Value) -> Value {
    match value {
        Value::Text(_) => Value::List(vec![value.clone()]),
        other => other.clone(),
    }
}

fn said(message: &Message) -> Value {
    Value::from([
        ("role", Value::from(message.role.as_str())),
        ("content", Value::from(message.content.as_str())),
    ])
}

#[cfg(test)]
mod tests {
    use domain::endpoint::EndpointIdentity;
    use serde_json::json;

    use super::*;

    fn call(parameters: serde_json::Value, format: ResponseFormat, extra: serde_json::Value) -> ChatCall {
        let map = |json| match crate::exchange::json::to_value(json, &mut false) {
            Value::Map(map) => map,
            _ => Map::new(),
        };
        let message = |role, content: &str| Message { role, content: content.to_owned() };
        ChatCall {
            endpoint: EndpointIdentity::new(EndpointKind::Anthropic, "http://h"),
            model: "m".to_owned(),
            messages: vec![
                message(Role::System, "be brief"),
                message(Role::User, "1"),
                message(Role::System, "be kind"),
                message(Role::User, "é"),
            ],
            parameters: map(parameters),
            response_format: format,
            extra: map(extra),
            repeat: 2,
        }
    }

    fn sent(call: &ChatCall) -> serde_json::Value {
        serde_json::from_str(&body(call).unwrap()).unwrap()
    }

    #[test]
    fn a_call_is_spelled_as_the_protocol_has_it() {
        let schema = ResponseFormat::JsonSchema(Value::from([("type", Value::from("object"))]));
        for (parameters, format, extra, rest) in [
            (json!({}), ResponseFormat::Text, json!({}), json!({"max_tokens": 4096})),
            (
                json!({"temperature": 0.5, "top_p": 1, "max_tokens": 9, "stop": ["x"]}),
                ResponseFormat::Text,
                json!({"top_k": 2, "thinking": {"type": "adaptive"}}),
                json!({"temperature": 0.5, "top_p": 1, "max_tokens": 9, "stop_sequences": ["x"], "top_k": 2,
                       "thinking": {"type": "adaptive"}}),
            ),
            (
                json!({"reasoning_effort": "low", "seed": 1, "stop": "x"}),
                schema,
                json!({"output_config": {"effort": "high", "other": 1}, "max_tokens": 1, "system": "no"}),
                json!({"max_tokens": 4096, "seed": 1, "stop_sequences": ["x"], "output_config": {
                    "effort": "low", "other": 1, "format": {"type": "json_schema", "schema": {"type": "object"}}}}),
            ),
        ] {
            let mut expected = json!({
                "model": "m",
                "system": "be brief\n\nbe kind",
                "messages": [{"role": "user", "content": "1"}, {"role": "user", "content": "é"}],
            });
            expected.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            assert_eq!(sent(&call(parameters, format, extra)), expected);
        }
    }

    #[test]
    fn without_a_system_prompt_none_is_sent() {
        let mut call = call(json!({}), ResponseFormat::Text, json!({}));
        call.messages.retain(|message| message.role == Role::User);
        assert_eq!(sent(&call).get("system"), None);
    }

    #[test]
    fn json_without_a_schema_is_refused_with_advice() {
        let failure = body(&call(json!({}), ResponseFormat::Json, json!({}))).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Rejected);
        assert!(failure.message.contains("json_schema"), "{failure}");
    }
}
