//! Calls of chat models.

use crate::endpoint::EndpointIdentity;
use crate::pricing::estimated_tokens;
use crate::value::{Map, Value, write_map, write_text};

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The instructions.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// Every role there is.
    pub const ALL: [Self; 3] = [Self::System, Self::User, Self::Assistant];

    /// The word for it in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }

    /// The role with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// One message of a conversation. Its content is a template in a stage, and a text in a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    /// The author.
    pub role: Role,
    /// The content.
    pub content: String,
}

impl Message {
    /// The message as JSON, as in documents and requests.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::from([
            ("role", Value::from(self.role.as_str())),
            ("content", Value::from(self.content.as_str())),
        ])
    }
}

/// The requested form of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ResponseFormat {
    /// Any text.
    #[default]
    Text,
    /// Some JSON.
    Json,
    /// JSON that is valid against a schema.
    JsonSchema {
        /// The schema.
        schema: Value,
        /// Whether the server has to hold the model to it. Where nothing is said, that is up to what the protocol allows.
        strict: Option<bool>,
    },
}

impl ResponseFormat {
    /// The form as documents write it: `"text"`, `"json"` or `{"json_schema": …}` with an optional `"strict"`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text => Value::from("text"),
            Self::Json => Value::from("json"),
            Self::JsonSchema { schema, strict } => {
                let strict = strict.map(|strict| ("strict", Value::Bool(strict)));
                let fields = [("json_schema", schema.clone())].into_iter().chain(strict);
                Value::Map(fields.map(|(name, value)| (name.to_owned(), value)).collect())
            }
        }
    }
}

/// A chat completion request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatCall {
    /// The endpoint.
    pub endpoint: EndpointIdentity,
    /// The model asked for.
    pub model: String,
    /// The rendered conversation.
    pub messages: Vec<Message>,
    /// Inference parameters that were set, by their names in requests.
    pub parameters: Map,
    /// The requested form of the answer.
    pub response_format: ResponseFormat,
    /// Further fields of the request, passed through.
    pub extra: Map,
    /// The number of this repetition of the same request, from 1.
    pub repeat: u32,
}

impl ChatCall {
    /// See [`Call::canonical`](super::Call::canonical).
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut out = String::with_capacity(self.usual_length());
        // The fields in the order of their names, as in the canonical text of any map.
        out.push('{');
        if !self.extra.is_empty() {
            out.push_str(r#""extra":"#);
            write_map(&self.extra, &mut out);
            out.push(',');
        }
        out.push_str(r#""kind":"#);
        write_text(self.endpoint.kind.as_str(), &mut out);
        out.push_str(r#","messages":"#);
        self.write_messages(&mut out);
        out.push_str(r#","model":"#);
        write_text(&self.model, &mut out);
        if !self.parameters.is_empty() {
            out.push_str(r#","parameters":"#);
            write_map(&self.parameters, &mut out);
        }
        if self.repeat > 1 {
            out.push_str(r#","repeat":"#);
            out.push_str(&self.repeat.to_string());
        }
        if self.response_format != ResponseFormat::Text {
            out.push_str(r#","response_format":"#);
            self.response_format.to_value().write_canonical(&mut out);
        }
        out.push_str(r#","url":"#);
        write_text(&self.endpoint.url, &mut out);
        out.push_str(r#","v":1}"#);
        out
    }

    /// The canonical text of the conversation in a request.
    #[must_use]
    pub fn messages_text(&self) -> String {
        let mut out = String::with_capacity(self.usual_length());
        self.write_messages(&mut out);
        out
    }

    fn write_messages(&self, out: &mut String) {
        out.push('[');
        for (i, message) in self.messages.iter().enumerate() {
            out.push_str(if i == 0 { r#"{"content":"# } else { r#",{"content":"# });
            write_text(&message.content, out);
            out.push_str(r#","role":"#);
            write_text(message.role.as_str(), out);
            out.push('}');
        }
        out.push(']');
    }

    /// The length of the conversation's text in bytes, if little has to be escaped.
    fn usual_length(&self) -> usize {
        256 + self.messages.iter().map(|message| message.content.len() + 64).sum::<usize>()
    }

    /// The conversation as JSON, as in requests.
    #[must_use]
    pub fn messages_value(&self) -> Value {
        Value::List(self.messages.iter().map(Message::to_value).collect())
    }

    /// The limit of output tokens that the call sets.
    #[must_use]
    pub fn max_tokens(&self) -> Option<u64> {
        self.parameters.get("max_tokens")?.as_number()?.as_u64()
    }

    /// An estimate of the prompt's tokens: a quarter of the bytes that the token bound counts.
    #[must_use]
    pub fn estimated_input(&self) -> u64 {
        let messages: u64 = self.messages.iter().map(|message| estimated_tokens(&message.content)).sum();
        messages + self.attached_bytes().div_ceil(4)
    }

    /// The most tokens that this call can use: the bytes of its messages and attachments, 16 for each message, and
    /// the limit of the answer.
    #[must_use]
    pub fn token_bound(&self, max_output: u64) -> u64 {
        let prompt: u64 = self.messages.iter().map(|message| message.content.len() as u64 + 16).sum();
        let tools = if self.extra.contains_key("tools") || self.extra.contains_key("functions") {
            TOOL_INSTRUCTIONS
        } else {
            0
        };
        prompt.saturating_add(self.attached_bytes()).saturating_add(tools).saturating_add(max_output)
    }

    /// Bytes of the response format and the extra fields, which servers may put into the prompt.
    fn attached_bytes(&self) -> u64 {
        let format = match &self.response_format {
            ResponseFormat::Text => 0,
            format => format.to_value().canonical().len(),
        };
        let extra = self.extra.iter().map(|(name, value)| name.len() + value.canonical().len() + 4);
        (format + extra.sum::<usize>()) as u64
    }
}

/// Tokens of the instructions that chat templates add for tools. The longest published by a provider has 530.
const TOOL_INSTRUCTIONS: u64 = 600;
