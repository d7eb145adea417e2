//! Bodies of requests that are put together field by field.

use domain::call::{ChatCall, Message};
use domain::extra;
use domain::value::{Map, Value};

/// The extra fields of a call, without those that have a place of their own. They come first, so that what the call says takes
/// their place.
pub(crate) fn extra_fields(call: &ChatCall) -> Map {
    let own = call.extra.iter().filter(|(name, _)| !extra::is_reserved(name));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Sets a field within an object, which may have others from the extra fields.
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

/// Several system messages as one text.
pub(crate) fn joined<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Option<Value> {
    let texts: Vec<&str> = messages.into_iter().map(|message| message.content.as_str()).collect();
    (!texts.is_empty()).then(|| Value::from(texts.join("\n\n")))
}
