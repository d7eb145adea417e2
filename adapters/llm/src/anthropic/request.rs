//! The body of a request for a message.

use domain::call::{CallFailure, ChatCall, FailureKind, Message, ResponseFormat, Role};
use domain::endpoint::EndpointKind;
use domain::value::Value;

use crate::body::{extra_fields, joined, messages, set_within};

/// The body of the request for `call`: everything that is set, and the limit of output tokens, which the protocol
/// requires. Parameters that the protocol does not define are sent too, and the server refuses what it does not
/// accept.
///
/// # Errors
/// JSON without a schema is requested, which the protocol does not support.
pub(super) fn body(call: &ChatCall) -> Result<String, CallFailure> {
    let mut body = extra_fields(call);
    for (name, value) in &call.parameters {
        match name.as_str() {
            "reasoning_effort" => set_within(&mut body, OUTPUT, "effort", value.clone()),
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
        ResponseFormat::JsonSchema { schema, .. } => {
            let format = [("type", Value::from("json_schema")), ("schema", schema.clone())];
            set_within(&mut body, OUTPUT, "format", Value::from(format));
        }
    }
    let (system, conversation): (Vec<&Message>, Vec<&Message>) =
        call.messages.iter().partition(|message| message.role == Role::System);
    body.extend(joined(system).map(|text| ("system".to_owned(), text)));
    body.insert("messages".to_owned(), messages(conversation));
    body.insert("model".to_owned(), Value::from(call.model.as_str()));
    Ok(Value::Map(body).canonical())
}

/// The field of the protocol for the format of the output.
const OUTPUT: &str = "output_config";

const NO_SCHEMA: &str = "Anthropic's protocol has no JSON without a schema: set the stage's `response_format` to \
                         `{json_schema: …}`, or to `text` and ask for JSON in the prompt";

/// A single text as a list.
fn list(value: &Value) -> Value {
    match value {
        Value::Text(_) => Value::List(vec![value.clone()]),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use domain::endpoint::EndpointIdentity;
    use domain::value::Map;
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
        let schema = Value::from([("type", Value::from("object"))]);
        // The protocol is always strict.
        let schema = ResponseFormat::JsonSchema { schema, strict: Some(true) };
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
