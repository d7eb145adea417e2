//! Events of a message in Anthropic's protocol.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::kind;

/// Whether an event is one of this protocol.
pub(super) fn is_event(event: &Value) -> bool {
    ["message_", "content_block_"].iter().any(|beginning| kind(event).starts_with(beginning))
}

/// The message that the events add up to. Inputs of tools come as pieces of JSON, which `read` reads.
pub(super) fn assembled(events: &[Value], read: impl Fn(&str) -> Option<Value>) -> Value {
    let mut message = Map::new();
    let mut blocks: BTreeMap<u64, Block> = BTreeMap::new();
    for event in events {
        let index = event.get("index").and_then(Value::as_u64).unwrap_or(0);
        match kind(event) {
            "message_start" => merge(&mut message, event.get("message")),
            "content_block_start" => {
                merge(&mut blocks.entry(index).or_default().fields, event.get("content_block"));
            }
            "content_block_delta" => {
                blocks.entry(index).or_default().add(event.get("delta").unwrap_or(&Value::Null));
            }
            "message_delta" => {
                merge(&mut message, event.get("delta"));
                let mut usage = Map::new();
                merge(&mut usage, message.get("usage"));
                merge(&mut usage, event.get("usage"));
                message.insert("usage".to_owned(), Value::Object(usage));
            }
            _ => {}
        }
    }
    if !blocks.is_empty() {
        let content = blocks.into_values().map(|block| block.finish(&read)).collect();
        message.insert("content".to_owned(), Value::Array(content));
    }
    Value::Object(message)
}

/// Sets what `new` says. Counts of tokens only grow, so that 0 after another count says nothing.
fn merge(fields: &mut Map<String, Value>, new: Option<&Value>) {
    let new = new.and_then(Value::as_object).into_iter().flatten();
    let says = new.filter(|(_, value)| !value.is_null() && **value != 0);
    fields.extend(says.map(|(name, value)| (name.clone(), value.clone())));
}

/// A block of content while its pieces come.
#[derive(Default)]
struct Block {
    fields: Map<String, Value>,
    /// The pieces of a tool's input.
    input: String,
}

impl Block {
    fn add(&mut self, delta: &Value) {
        let piece = |name: &str| delta.get(name).and_then(Value::as_str).unwrap_or_default();
        match kind(delta) {
            "text_delta" => self.append("text", piece("text")),
            "thinking_delta" => self.append("thinking", piece("thinking")),
            "input_json_delta" => self.input += piece("partial_json"),
            _ => {}
        }
    }

    /// Adds to the text of a block, which has it under the name of its type.
    fn append(&mut self, name: &str, piece: &str) {
        self.fields.entry("type").or_insert_with(|| json!(name));
        match self.fields.get_mut(name) {
            Some(Value::String(text)) => text.push_str(piece),
            _ => drop(self.fields.insert(name.to_owned(), json!(piece))),
        }
    }

    /// The block; an input that is no JSON stays a text.
    fn finish(mut self, read: impl Fn(&str) -> Option<Value>) -> Value {
        if !self.input.is_empty() {
            let input = read(&self.input).unwrap_or(Value::String(self.input));
            self.fields.insert("input".to_owned(), input);
        }
        Value::Object(self.fields)
    }
}
