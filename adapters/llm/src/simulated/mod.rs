//! A simulated model server without a network, a key, costs or a language model.
//!
//! It selects labels, extracts fields, picks sentences, judges outputs and writes prompts by simple rules, with deliberate errors. Their frequency
//! depends on the model (`sim-small`, `sim-medium`, `sim-large`), the temperature and the prompt, so that a sweep
//! over them finds differences. An answer is a pure function of the call. A few first exchanges fail, as with real
//! servers.

mod classify;
mod dice;
mod embedding;
mod extract;
mod judge;
mod lexicon;
mod meaning;
mod patterns;
mod prompt;
mod sections;
mod skill;
mod summarise;
mod task;
mod trouble;
mod words;
mod writer;

use std::time::{Duration, Instant};

use application::ports::{ListedModel, ModelServer};
use async_trait::async_trait;
use domain::call::{CallFailure, ChatCall, Completion, EmbedCall, FailureKind, Flags, Reply, ReplyBody};
use domain::endpoint::Endpoint;
use domain::pricing::{Tokens, estimated_tokens};
use domain::value::Value;

use self::dice::Dice;
use self::embedding::EmbeddingModel;
use self::judge::JudgeTask;
use self::skill::{Model, Skill};
use self::trouble::Trouble;
use self::writer::WriterTask;

/// The simulation. Its only memory is which calls have failed once.
#[derive(Debug)]
pub struct SimulatedServer {
    trouble: Trouble,
    pace: f64,
}

impl SimulatedServer {
    /// A new simulation. At a `pace` of 1 answers take 5 to 40 ms, at 10 ten times as long.
    #[must_use]
    pub fn new(pace: f64) -> Self {
        Self { trouble: Trouble::default(), pace }
    }
}

#[async_trait]
impl ModelServer for SimulatedServer {
    async fn complete(&self, _: &Endpoint, call: &ChatCall) -> Result<Reply, CallFailure> {
        let model = Model::parse(&call.model).ok_or_else(|| unknown(&call.model))?;
        let begun = Instant::now();
        self.trouble.of(call)?;
        let (text, truncated) = cut(answer(model, call), call);
        let tokens = Tokens {
            input: call.messages.iter().map(|message| estimated_tokens(&message.content)).sum(),
            output: estimated_tokens(&text),
        };
        tokio::time::sleep(thinking_time(model, call, tokens).mul_f64(self.pace)).await;
        let finish_reason = Some(if truncated { "length" } else { "stop" }.to_owned());
        Ok(Reply {
            tokens,
            latency: begun.elapsed(),
            flags: Flags { truncated, ..Flags::default() },
            ..Reply::of(ReplyBody::Completion(Completion { text, finish_reason, ..Completion::default() }))
        })
    }

    async fn embed(&self, _: &Endpoint, calls: &[EmbedCall]) -> Result<Vec<Reply>, CallFailure> {
        let model = |call: &EmbedCall| EmbeddingModel::parse(&call.model).ok_or_else(|| unknown(&call.model));
        let models = calls.iter().map(model).collect::<Result<Vec<_>, _>>()?;
        let begun = Instant::now();
        tokio::time::sleep(embedding::THINKING_TIME.mul_f64(self.pace)).await;
        let count = u32::try_from(calls.len()).unwrap_or(u32::MAX).max(1);
        let latency = begun.elapsed() / count;
        let reply = |(call, model): (&EmbedCall, EmbeddingModel)| {
            Some(Reply {
                tokens: Tokens { input: estimated_tokens(&call.text), output: 0 },
                latency,
                ..Reply::of(ReplyBody::Embedding(model.embed(&call.text)?))
            })
        };
        let broken = || CallFailure::new(FailureKind::Malformed, "the vector is not finite (simulated)");
        calls.iter().zip(models).map(reply).collect::<Option<_>>().ok_or_else(broken)
    }

    async fn models(&self, _: &Endpoint) -> Result<Vec<ListedModel>, CallFailure> {
        let chat = Model::ALL.map(Model::as_str);
        let names = chat.into_iter().chain(EmbeddingModel::ALL.map(EmbeddingModel::as_str));
        Ok(names.map(|name| ListedModel { name: name.to_owned(), parameters: None }).collect())
    }
}

fn unknown(model: &str) -> CallFailure {
    let chat = Model::ALL.map(Model::as_str).join(", ");
    let embeddings = EmbeddingModel::ALL.map(EmbeddingModel::as_str).join(", ");
    let message =
        format!("the simulation has no model {model:?}, only {chat}, and for embeddings {embeddings}");
    CallFailure::new(FailureKind::Rejected, message)
}

/// The complete answer of a model.
fn answer(model: Model, call: &ChatCall) -> String {
    if let Some(judge) = JudgeTask::of(call) {
        return judge.answer(model, call);
    }
    if let Some(writer) = WriterTask::of(call) {
        return writer.answer(model, call);
    }
    let task = task::of(call);
    let skill = Skill::of(model, call, task.item());
    let mut dice = Dice::of_answer(call);
    task.answer(&skill, &mut dice)
}

/// The answer up to the limit of output tokens, and whether it was cut.
fn cut(mut text: String, call: &ChatCall) -> (String, bool) {
    let limit = ["max_tokens", "max_completion_tokens"].into_iter().find_map(|name| {
        match call.parameters.get(name) {
            Some(Value::Number(limit)) => limit.as_u64(),
            _ => None,
        }
    });
    let bytes = limit.and_then(|tokens| usize::try_from(tokens.saturating_mul(4)).ok()).unwrap_or(usize::MAX);
    if text.len() <= bytes {
        return (text, false);
    }
    text.truncate(text.floor_char_boundary(bytes));
    (text, true)
}

/// 5 to 40 ms: larger models and longer texts take longer.
fn thinking_time(model: Model, call: &ChatCall, tokens: Tokens) -> Duration {
    let jitter = Dice::of_call(call, "latency").unit();
    let work = tokens.input as f64 * 0.002 + tokens.output as f64 * 0.1;
    Duration::from_secs_f64((model.pace() + work + 4.0 * jitter).min(40.0) / 1000.0)
}

#[cfg(test)]
mod tests;
