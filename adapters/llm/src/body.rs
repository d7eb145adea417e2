//! Bodies of requests, built field by field.

use domain::call::{ChatCall, Message};
use domain::extra;
use domain::value::{Map, Value};

/// The extra fields of a call, without reserved ones. They are set first, so that the call's own fields replace them.
pub(crate) fn extra_fields(call: &ChatCall) -> Map {
    let own = call.extra.iter().filter(|(name, _)| !extra::is_reserved(name));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Sets a field of an object, which may have other fields from the extra fields.
pub(crate) fn set_within(body: &mut Map, object: &str, name: &str, value: Value) {
    let mut fields = match body.remove(object) {
        Some(Value::Map(fields)) => fields,
        _ => Map::new(),
    };
    fields.insert(name.to_owned(), value);
    body.insert(object.to_owned(), Value::Map(fields));
}

/// A list of messages, each with its role and its text.
pub(crate) fn messages<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Value {
    Value::List(messages.into_iter().map(Message::to_value).collect())
}

/// Joins several system messages into one text.
pub(crate) fn joined<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Option<Value> {
    let texts: Vec<&str> = messages.into_iter().map(|message| message.content.as_str()).collect();
    (!texts.is_empty()).then(|| Value::from(texts.join("\n\n")))
}
