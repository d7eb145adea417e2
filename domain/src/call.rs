//! One question to a model and its answer.

use std::fmt;
use std::time::Duration;

use crate::endpoint::EndpointIdentity;
use crate::pricing::Tokens;
use crate::value::{Map, Value, write_map, write_text};

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The instructions.
    System,
    /// The person.
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

/// One message of a conversation; in a stage its content is a template, in a call a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// The form of answer that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ResponseFormat {
    /// Any text.
    #[default]
    Text,
    /// Some JSON.
    Json,
    /// JSON that is valid against this schema.
    JsonSchema(Value),
}

impl ResponseFormat {
    /// As documents spell it: `"text"`, `"json"` or `{"json_schema": …}`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text => Value::from("text"),
            Self::Json => Value::from("json"),
            Self::JsonSchema(schema) => Value::from([("json_schema", schema.clone())]),
        }
    }
}

/// A chat completion to be made: all that decides the answer, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Where it goes.
    pub endpoint: EndpointIdentity,
    /// The model asked for.
    pub model: String,
    /// The conversation, rendered.
    pub messages: Vec<Message>,
    /// Inference parameters that were set, by their names in requests.
    pub parameters: Map,
    /// The form of answer asked for.
    pub response_format: ResponseFormat,
    /// Further fields of the request, passed through.
    pub extra: Map,
    /// Which repetition of the same question this is, from 1.
    pub repeat: u32,
}

impl Call {
    /// The one spelling of this call: equal calls are spelled alike, different ones differently. Its SHA-256 is the
    /// call hash that caches go by. What is not set is not spelled, so that new fields leave old hashes as they are.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut out = String::with_capacity(self.usual_length());
        // Its fields in the order of their names, as the canonical text of any map has them.
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

    /// The canonical text of the conversation, as requests carry it.
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

    /// Bytes of its text where little is escaped.
    fn usual_length(&self) -> usize {
        256 + self.messages.iter().map(|message| message.content.len() + 64).sum::<usize>()
    }

    /// The conversation as requests carry it.
    #[must_use]
    pub fn messages_value(&self) -> Value {
        let message = |message: &Message| {
            Value::from([
                ("role", Value::from(message.role.as_str())),
                ("content", Value::from(message.content.as_str())),
            ])
        };
        Value::List(self.messages.iter().map(message).collect())
    }

    /// The most tokens this call can use: bytes of its messages, 16 for each of them, what goes along with them, and the
    /// limit of the answer.
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
    #[must_use]
    pub fn attached_bytes(&self) -> u64 {
        let format = match &self.response_format {
            ResponseFormat::Text => 0,
            format => format.to_value().canonical().len(),
        };
        let extra = self.extra.iter().map(|(name, value)| name.len() + value.canonical().len() + 4);
        (format + extra.sum::<usize>()) as u64
    }
}

/// Tokens of the instructions that chat templates put around tools; the longest that a provider publishes is 530.
const TOOL_INSTRUCTIONS: u64 = 600;

/// The SHA-256 of a canonical text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// A digest from its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if hex.len() != 64 || !hex.is_ascii() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The first eight bytes as a number, to seed orders with.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.0[..8].iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte))
    }
}

/// 64 lower-case hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0_u8; 64];
        for (pair, byte) in text.chunks_mut(2).zip(self.0) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is odd about an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Flags {
    /// It was cut at the limit of output tokens.
    pub truncated: bool,
    /// The model or the server declined.
    pub refused: bool,
    /// The server gave no usable token counts.
    pub tokens_estimated: bool,
    /// Some of its bytes were no text and were replaced.
    pub lossy_text: bool,
}

impl Flags {
    /// The flags with their names in documents.
    #[must_use]
    pub const fn named(self) -> [(&'static str, bool); 4] {
        [
            ("truncated", self.truncated),
            ("refused", self.refused),
            ("tokens_estimated", self.tokens_estimated),
            ("lossy_text", self.lossy_text),
        ]
    }

    /// One bit a flag, in the order of [`named`](Self::named).
    #[must_use]
    pub fn bits(self) -> u8 {
        self.named().into_iter().enumerate().map(|(i, (_, on))| u8::from(on) << i).sum()
    }

    /// The flags with these bits.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self {
            truncated: bits & 1 != 0,
            refused: bits & 2 != 0,
            tokens_estimated: bits & 4 != 0,
            lossy_text: bits & 8 != 0,
        }
    }
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The text; empty where the model called tools or declined.
    pub text: String,
    /// The model that says it answered, where it differs from the one asked for.
    pub model_returned: Option<String>,
    /// Tokens read and written.
    pub tokens: Tokens,
    /// How long the exchange took.
    pub latency: Duration,
    /// Why the model stopped, in the server's word.
    pub finish_reason: Option<String>,
    /// What is odd about it.
    pub flags: Flags,
    /// Tool calls, as the server sent them.
    pub tool_calls: Option<Value>,
}

/// Why an exchange gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFailure {
    /// Which kind of failure.
    pub kind: FailureKind,
    /// What happened, for people; never a secret.
    pub message: String,
    /// The server may have done the work, and billed it, all the same.
    pub outcome_unknown: bool,
}

impl CallFailure {
    /// A failure after which nothing can have been billed.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), outcome_unknown: false }
    }
}

/// The kinds of failed exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// 429, with the wait that the server asked for, if it was a sensible one.
    RateLimited {
        /// How long to wait.
        retry_after: Option<Duration>,
    },
    /// The account has nothing left: 402, or 429 `insufficient_quota`.
    QuotaExhausted,
    /// The key is missing, wrong or not allowed: 401, 403.
    Unauthorized,
    /// The request is wrong: any other 4xx.
    Rejected,
    /// The server's fault: 5xx.
    Upstream5xx,
    /// No connection, or one that broke before the first byte of an answer.
    Connect,
    /// The answer broke off.
    Truncated,
    /// The server went silent or took too long.
    Timeout,
    /// The answer was larger than is read.
    ResponseTooLarge,
    /// The answer was not of the protocol.
    Malformed,
    /// The answer had no choices.
    NoChoices,
    /// The server pointed elsewhere, which is not followed.
    Redirect,
    /// What came back was no HTTP.
    BadHttp,
    /// The address may not be called.
    AddressRefused,
    /// The answer came, and the database cannot hold it.
    Unstorable,
}

impl FailureKind {
    /// The stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Unauthorized => "unauthorized",
            Self::Rejected => "rejected",
            Self::Upstream5xx => "upstream_5xx",
            Self::Connect => "connect",
            Self::Truncated => "truncated",
            Self::Timeout => "timeout",
            Self::ResponseTooLarge => "response_too_large",
            Self::Malformed => "malformed",
            Self::NoChoices => "no_choices",
            Self::Redirect => "redirect",
            Self::BadHttp => "bad_http",
            Self::AddressRefused => "address_refused",
            Self::Unstorable => "unstorable",
        }
    }

    /// The kind with this word; a rate limit without its wait.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        const ALL: [FailureKind; 15] = [
            FailureKind::RateLimited { retry_after: None },
            FailureKind::QuotaExhausted,
            FailureKind::Unauthorized,
            FailureKind::Rejected,
            FailureKind::Upstream5xx,
            FailureKind::Connect,
            FailureKind::Truncated,
            FailureKind::Timeout,
            FailureKind::ResponseTooLarge,
            FailureKind::Malformed,
            FailureKind::NoChoices,
            FailureKind::Redirect,
            FailureKind::BadHttp,
            FailureKind::AddressRefused,
            FailureKind::Unstorable,
        ];
        ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether the endpoint will refuse every call until a person mends something.
    #[must_use]
    pub const fn breaks_endpoint(self) -> bool {
        matches!(self, Self::QuotaExhausted | Self::Unauthorized)
    }
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.message)
    }
}

impl std::error::Error for CallFailure {}

#[cfg(test)]
mod tests;
