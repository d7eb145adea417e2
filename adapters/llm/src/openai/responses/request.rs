//! The body of a request for a response.

use domain::call::{ChatCall, Message, ResponseFormat, Role};
use domain::value::Value;

use crate::body::{extra_fields, joined, messages, set_within};
use crate::openai::strict_schema;

/// The body of the request for `call`, with only what is set, and with the server's storage off. Parameters that the
/// protocol does not define are sent too, and the server refuses what it does not accept.
pub(in crate::openai) fn body(call: &ChatCall) -> String {
    let mut body = extra_fields(call);
    body.entry("store".to_owned()).or_insert(Value::Bool(false));
    for (name, value) in &call.parameters {
        match name.as_str() {
            "max_tokens" => drop(body.insert("max_output_tokens".to_owned(), value.clone())),
            "reasoning_effort" => set_within(&mut body, "reasoning", "effort", value.clone()),
            "verbosity" => set_within(&mut body, "text", "verbosity", value.clone()),
            _ => drop(body.insert(name.clone(), value.clone())),
        }
    }
    let format = match &call.response_format {
        ResponseFormat::Text => None,
        ResponseFormat::Json => Some(Value::from([("type", Value::from("json_object"))])),
        ResponseFormat::JsonSchema { schema, strict } => Some(json_schema(schema, *strict)),
    };
    if let Some(format) = format {
        set_within(&mut body, "text", "format", format);
    }
    let is_system = |message: &&Message| message.role == Role::System;
    let leading = call.messages.iter().take_while(is_system);
    body.extend(joined(leading).map(|text| ("instructions".to_owned(), text)));
    body.insert("input".to_owned(), messages(call.messages.iter().skip_while(is_system)));
    body.insert("model".to_owned(), Value::from(call.model.as_str()));
    Value::Map(body).canonical()
}

fn json_schema(schema: &Value, strict: Option<bool>) -> Value {
    let strict = strict_schema::strictness(schema, strict).map(|strict| ("strict", Value::Bool(strict)));
    let fields =
        [("type", Value::from("json_schema")), ("name", Value::from("answer")), ("schema", schema.clone())];
    Value::Map(fields.into_iter().chain(strict).map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use domain::endpoint::{EndpointIdentity, EndpointKind};
    use domain::value::Map;
    use serde_json::json;

    use super::*;

    fn map(json: serde_json::Value) -> Map {
        match crate::exchange::json::to_value(json, &mut false) {
            Value::Map(map) => map,
            _ => Map::new(),
        }
    }

    #[test]
    fn a_call_is_spelled_as_the_protocol_has_it() {
        let schema = |strict| ResponseFormat::JsonSchema {
            schema: Value::from([("type", Value::from("object"))]),
            strict,
        };
        let format = json!({"type": "json_schema", "name": "answer", "schema": {"type": "object"}});
        let strict =
            json!({"type": "json_schema", "name": "answer", "schema": {"type": "object"}, "strict": true});
        for (parameters, response_format, extra, rest) in [
            (json!({}), ResponseFormat::Text, json!({}), json!({"store": false})),
            (
                json!({"max_tokens": 9, "temperature": 0.5, "seed": 1}),
                ResponseFormat::Json,
                json!({"store": true, "max_tokens": 7, "text": {}}),
                json!({"max_output_tokens": 9, "temperature": 0.5, "seed": 1, "store": true,
                       "text": {"format": {"type": "json_object"}}}),
            ),
            (
                json!({"reasoning_effort": "low", "verbosity": "high"}),
                schema(None),
                json!({"reasoning": {"summary": "auto"}}),
                json!({"store": false, "reasoning": {"effort": "low", "summary": "auto"},
                       "text": {"verbosity": "high", "format": format}}),
            ),
            (json!({}), schema(Some(true)), json!({}), json!({"store": false, "text": {"format": strict}})),
        ] {
            let message = |role, content: &str| Message { role, content: content.to_owned() };
            let call = ChatCall {
                endpoint: EndpointIdentity::new(EndpointKind::OpenAi, "http://h"),
                model: "m".to_owned(),
                messages: vec![
                    message(Role::System, "be brief"),
                    message(Role::User, "1"),
                    message(Role::System, "more"),
                    message(Role::User, "é"),
                ],
                parameters: map(parameters),
                response_format,
                extra: map(extra),
                repeat: 1,
            };
            let mut expected = json!({
                "model": "m",
                "instructions": "be brief",
                "input": [
                    {"role": "user", "content": "1"},
                    {"role": "system", "content": "more"},
                    {"role": "user", "content": "é"},
                ],
            });
            expected.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            let sent: serde_json::Value = serde_json::from_str(&body(&call)).unwrap();
            assert_eq!(sent, expected);
        }
    }
}
