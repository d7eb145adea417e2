//! Answers of models and services.

use std::time::Duration;

use super::embedding::Embedding;
use crate::money::NanoDollars;
use crate::pricing::{CacheUse, TokenUse, Tokens};
use crate::value::Value;

/// Peculiarities of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Flags {
    /// It was cut off at the limit of output tokens.
    pub truncated: bool,
    /// The model or the server refused to answer.
    pub refused: bool,
    /// It has neither text nor tool calls: a reasoning model may have used up its tokens for reasoning.
    pub no_output: bool,
    /// The server counted far fewer prompt tokens than were sent: it cut the prompt to its context length.
    pub context_cut: bool,
    /// The server gave no usable token counts.
    pub tokens_estimated: bool,
    /// Some bytes were not valid UTF-8 and were replaced.
    pub lossy_text: bool,
}

impl Flags {
    /// The number of flags.
    pub const COUNT: usize = 6;

    /// The flags with their names in documents.
    #[must_use]
    pub const fn named(self) -> [(&'static str, bool); Self::COUNT] {
        [
            ("truncated", self.truncated),
            ("refused", self.refused),
            ("tokens_estimated", self.tokens_estimated),
            ("lossy_text", self.lossy_text),
            ("no_output", self.no_output),
            ("context_cut", self.context_cut),
        ]
    }

    /// The flags as bits, in the order of [`named`](Self::named), to which new flags are only appended.
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
            no_output: bits & 16 != 0,
            context_cut: bits & 32 != 0,
        }
    }
}

/// How many answers have each of the [`Flags`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlagCounts([u64; Flags::COUNT]);

impl FlagCounts {
    /// The counts in the order of [`Flags::named`].
    #[must_use]
    pub const fn new(counts: [u64; Flags::COUNT]) -> Self {
        Self(counts)
    }

    /// The counts in the order of [`Flags::named`].
    #[must_use]
    pub const fn counts(self) -> [u64; Flags::COUNT] {
        self.0
    }

    /// The counts for one answer.
    #[must_use]
    pub fn of(flags: Flags) -> Self {
        Self(flags.named().map(|(_, set)| u64::from(set)))
    }

    /// The flags that some answers have, with their number.
    pub fn named(self) -> impl Iterator<Item = (&'static str, u64)> {
        let named = Flags::default().named().into_iter().zip(self.0);
        named.map(|((name, _), count)| (name, count)).filter(|(_, count)| *count > 0)
    }
}

impl std::ops::Add for FlagCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].saturating_add(other.0[i])))
    }
}

/// What is odd about answers with a flag, by its name, and what to do about it: it follows their number. `None` for an unknown
/// flag.
#[must_use]
pub fn flag_advice(name: &str) -> Option<&'static str> {
    Some(match name {
        "truncated" => "cut at the limit of output tokens: raise max_tokens",
        "refused" => "refused by the model or its server",
        "no_output" => {
            "without any text: a reasoning model may have spent its tokens thinking, so raise max_tokens"
        }
        "context_cut" => {
            "to prompts that the server cut to its context: shorten them, or raise its context length"
        }
        "tokens_estimated" => "without token counts, which are estimated",
        "lossy_text" => "with bytes that are not UTF-8, which were replaced",
        _ => return None,
    })
}

/// The answer to a call, with its costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The content.
    pub body: ReplyBody,
    /// The model that answered according to the server, if it is not the requested one.
    pub model_returned: Option<String>,
    /// The provider that answered, if a gateway names it.
    pub provider: Option<String>,
    /// The version of the server's set-up, where it says so.
    pub system_fingerprint: Option<String>,
    /// The tier of service that it was answered in, where the server says so.
    pub service_tier: Option<String>,
    /// Tokens of the prompt and of the answer.
    pub tokens: Tokens,
    /// Prompt tokens among them that the server read from its cache, and wrote to it; known until the answer is stored.
    pub cache: CacheUse,
    /// The cost that the server states.
    pub stated_cost: Option<NanoDollars>,
    /// The duration of the exchange; for one of several calls in an exchange, the call's share.
    pub latency: Duration,
    /// Its peculiarities.
    pub flags: Flags,
}

/// The content of an answer, by kind of call.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplyBody {
    /// Of a chat call.
    Completion(Completion),
    /// Of an embedding call.
    Embedding(Embedding),
    /// Of a call to a service.
    Service(ServiceAnswer),
}

/// The answer of a chat model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// The text as received; empty if the model called tools or refused.
    pub text: String,
    /// The model's reasoning, where the server separates it from the text.
    pub reasoning: Option<String>,
    /// Why the model stopped, in the server's words.
    pub finish_reason: Option<String>,
    /// Tool calls, as the server sent them.
    pub tool_calls: Option<Value>,
}

/// The answer of a service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceAnswer {
    /// The body as received.
    pub text: String,
    /// Whether the service says that it is JSON.
    pub is_json: bool,
}

/// Splits a text into the reasoning at its beginning, in `<think>…</think>`, and the answer after it. The opening tag
/// may be missing, because some chat templates put it into the prompt. The closing tag may be missing if the text was
/// cut off.
#[must_use]
pub fn thinking_apart(text: &str) -> (Option<&str>, &str) {
    const OPEN: &str = "<think>";
    const CLOSE: &str = "</think>";
    let begun = text.trim_start().strip_prefix(OPEN);
    match (begun.unwrap_or(text).split_once(CLOSE), begun) {
        (Some((thought, answer)), Some(_)) => (Some(thought.trim()), answer.trim_start()),
        (Some((thought, answer)), None) if !thought.contains(OPEN) => {
            (Some(thought.trim()), answer.trim_start())
        }
        (None, Some(cut)) => (Some(cut.trim()), ""),
        _ => (None, text),
    }
}

impl Completion {
    /// The answer: the text, without the reasoning at its beginning if `strip_think` is set.
    #[must_use]
    pub fn answer(&self, strip_think: bool) -> &str {
        if strip_think { thinking_apart(&self.text).1 } else { &self.text }
    }
}

impl Reply {
    /// A reply of which nothing is known but its body.
    #[must_use]
    pub fn of(body: ReplyBody) -> Self {
        Self {
            body,
            model_returned: None,
            provider: None,
            system_fingerprint: None,
            service_tier: None,
            cache: CacheUse::default(),
            stated_cost: None,
            tokens: Tokens::default(),
            latency: Duration::ZERO,
            flags: Flags::default(),
        }
    }

    /// Its tokens as they are charged.
    #[must_use]
    pub const fn token_use(&self) -> TokenUse {
        TokenUse { tokens: self.tokens, cache: self.cache }
    }

    /// The completion, if it is one.
    #[must_use]
    pub const fn completion(&self) -> Option<&Completion> {
        match &self.body {
            ReplyBody::Completion(completion) => Some(completion),
            ReplyBody::Embedding(_) | ReplyBody::Service(_) => None,
        }
    }

    /// The embedding, if it is one.
    #[must_use]
    pub const fn embedding(&self) -> Option<&Embedding> {
        match &self.body {
            ReplyBody::Embedding(embedding) => Some(embedding),
            ReplyBody::Completion(_) | ReplyBody::Service(_) => None,
        }
    }

    /// The answer of a service, if it is one.
    #[must_use]
    pub const fn service_answer(&self) -> Option<&ServiceAnswer> {
        match &self.body {
            ReplyBody::Service(answer) => Some(answer),
            ReplyBody::Completion(_) | ReplyBody::Embedding(_) => None,
        }
    }

    /// About how many bytes have to be processed to read it.
    #[must_use]
    pub fn size(&self) -> usize {
        match &self.body {
            ReplyBody::Completion(completion) => completion.text.len(),
            ReplyBody::Embedding(embedding) => size_of_val(embedding.numbers()),
            ReplyBody::Service(answer) => answer.text.len(),
        }
    }
}
