//! The body of a request, written directly into one string.

use domain::call::{ChatCall, Message, ResponseFormat};
use domain::endpoint::MaxTokensField;
use domain::extra;
use domain::value::{Value, write_text};

use super::strict_schema;

/// The body of the request for `call`, with only what is set. Reserved extra fields are left out: new experiments
/// with them are refused, but older ones may be stored, and their answers would exceed their reservation.
pub(super) fn body(call: &ChatCall, max_tokens: MaxTokensField) -> String {
    let mut body = Body::begin(call);
    for (name, value) in &call.parameters {
        let name = if name == "max_tokens" { max_tokens_name(max_tokens) } else { name };
        body.field(name, value);
    }
    body.response_format(&call.response_format);
    for (name, value) in call.extra.iter().filter(|(name, _)| !extra::is_reserved(name)) {
        body.field(name, value);
    }
    body.finish()
}

const fn max_tokens_name(field: MaxTokensField) -> &'static str {
    match field {
        MaxTokensField::MaxTokens => "max_tokens",
        MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
    }
}

/// A JSON object under construction.
struct Body(String);

impl Body {
    fn begin(call: &ChatCall) -> Self {
        let texts: usize = call.messages.iter().map(|message| message.content.len() + 64).sum();
        let mut body = Self(String::with_capacity(texts + texts / 8 + 256));
        body.0.push_str(r#"{"model":"#);
        write_text(&call.model, &mut body.0);
        body.messages(&call.messages);
        body
    }

    fn messages(&mut self, messages: &[Message]) {
        self.0.push_str(r#","messages":["#);
        for (i, message) in messages.iter().enumerate() {
            self.0.push_str(if i == 0 { r#"{"role":""# } else { r#",{"role":""# });
            self.0.push_str(message.role.as_str());
            self.0.push_str(r#"","content":"#);
            write_text(&message.content, &mut self.0);
            self.0.push('}');
        }
        self.0.push(']');
    }

    fn field(&mut self, name: &str, value: &Value) {
        self.0.push(',');
        write_text(name, &mut self.0);
        self.0.push(':');
        value.write_canonical(&mut self.0);
    }

    fn response_format(&mut self, format: &ResponseFormat) {
        match format {
            ResponseFormat::Text => {}
            ResponseFormat::Json => self.0.push_str(r#","response_format":{"type":"json_object"}"#),
            ResponseFormat::JsonSchema { schema, strict } => {
                self.0.push_str(
                    r#","response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":"#,
                );
                schema.write_canonical(&mut self.0);
                if let Some(strict) = strict_schema::strictness(schema, *strict) {
                    self.field("strict", &Value::Bool(strict));
                }
                self.0.push_str("}}");
            }
        }
    }

    fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use domain::call::Role;
    use domain::endpoint::{EndpointIdentity, EndpointKind};
    use domain::value::Map;

    use super::*;

    fn call(parameters: Map, response_format: ResponseFormat, extra: Map) -> ChatCall {
        ChatCall {
            endpoint: EndpointIdentity::new(EndpointKind::OpenAi, "http://h"),
            model: "m\"".to_owned(),
            messages: vec![
                Message { role: Role::System, content: "be\nbrief".to_owned() },
                Message { role: Role::User, content: "é".to_owned() },
            ],
            parameters,
            response_format,
            extra,
            repeat: 2,
        }
    }

    fn map<const N: usize>(fields: [(&str, Value); N]) -> Map {
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    const MESSAGES: &str =
        r#""model":"m\"","messages":[{"role":"system","content":"be\nbrief"},{"role":"user","content":"é"}]"#;

    #[test]
    fn only_what_was_set_is_sent() {
        let one = Value::from(1_i64);
        let object = Value::from([("type", Value::from("object"))]);
        let strict = |strict| ResponseFormat::JsonSchema { schema: object.clone(), strict };
        for (parameters, format, extra, rest) in [
            (map([]), ResponseFormat::Text, map([]), ""),
            (
                map([("temperature", Value::number(0.5)), ("stop", Value::from(vec![Value::from("x")]))]),
                ResponseFormat::Text,
                map([]),
                r#","stop":["x"],"temperature":0.5"#,
            ),
            (map([]), ResponseFormat::Json, map([]), r#","response_format":{"type":"json_object"}"#),
            (
                map([]),
                strict(None),
                map([]),
                r#","response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"}}}"#,
            ),
            (
                map([]),
                strict(Some(false)),
                map([]),
                r#","response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":false}}"#,
            ),
            (
                map([("top_p", one.clone()), ("reasoning_effort", Value::from("low"))]),
                ResponseFormat::Json,
                map([("top_k", Value::from(2_i64))]),
                r#","reasoning_effort":"low","top_p":1,"response_format":{"type":"json_object"},"top_k":2"#,
            ),
        ] {
            let body = body(&call(parameters, format, extra), MaxTokensField::MaxTokens);
            assert_eq!(body, format!("{{{MESSAGES}{rest}}}"));
            serde_json::from_str::<serde_json::Value>(&body).unwrap();
        }
    }

    #[test]
    fn stored_extra_fields_cannot_undo_what_the_call_says() {
        let many = Value::from(8_000_i64);
        let fields = [
            "max_tokens",
            "MAX_TOKENS",
            "max_completion_tokens",
            "max_output_tokens",
            "n_predict",
            "n",
            "best_of",
            "model",
            "messages",
            "stream",
            "stream_options",
            "response_format",
            "temperature",
            "extra_body",
        ];
        for field in fields {
            let limit = map([("max_tokens", Value::from(9_i64))]);
            let call = call(limit, ResponseFormat::Text, map([(field, many.clone())]));
            for (named, name) in [
                (MaxTokensField::MaxTokens, "max_tokens"),
                (MaxTokensField::MaxCompletionTokens, "max_completion_tokens"),
            ] {
                assert_eq!(body(&call, named), format!(r#"{{{MESSAGES},"{name}":9}}"#), "{field}");
            }
        }
    }

    #[test]
    fn the_limit_of_output_goes_under_the_field_that_the_server_knows() {
        for (field, name) in [
            (MaxTokensField::MaxTokens, "max_tokens"),
            (MaxTokensField::MaxCompletionTokens, "max_completion_tokens"),
        ] {
            let call = call(map([("max_tokens", Value::from(9_i64))]), ResponseFormat::Text, map([]));
            assert_eq!(body(&call, field), format!(r#"{{{MESSAGES},"{name}":9}}"#));
        }
    }
}
