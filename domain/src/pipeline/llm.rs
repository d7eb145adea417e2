//! Asks a chat model.

use super::{Render, Step, parsed};
use crate::call::{ChatCall, Flags, Message, Reply, ResponseFormat, Role};
use crate::configuration::Binding;
use crate::run::StageError;
use crate::stage::LlmStage;
use crate::template::Template;
use crate::value::{Map, Value};

/// An `llm` stage whose templates are parsed.
#[derive(Debug, Clone)]
pub(super) struct CompiledLlm {
    binding: Binding,
    messages: Vec<(Role, Template)>,
    parameters: Map,
    response_format: ResponseFormat,
    strip_think: bool,
    extra: Map,
}

const MAX_TOKENS: &str = "max_tokens";

impl CompiledLlm {
    pub(super) fn new(stage: &LlmStage, binding: Binding) -> Result<Self, StageError> {
        let system = stage.system.iter().map(|text| (Role::System, text));
        let few_shot = stage.messages.iter().map(|message| (message.role, &message.content));
        let prompt = std::iter::once((Role::User, &stage.prompt));
        let texts = system.chain(few_shot).chain(prompt);
        let mut parameters = stage.parameters.clone();
        if let Some(limit) = binding.endpoint.kind.default_max_tokens() {
            // Set in the call itself, so that its hash, its token bound and its stored parameters agree.
            parameters.entry(MAX_TOKENS.to_owned()).or_insert_with(|| Value::from(limit));
        }
        Ok(Self {
            binding,
            messages: texts.map(|(role, text)| Ok((role, parsed(text)?))).collect::<Result<_, _>>()?,
            parameters,
            response_format: stage.response_format.clone(),
            strip_think: !stage.keep_think,
            extra: stage.extra.clone(),
        })
    }

    /// Whether its output is JSON rather than text.
    pub(super) const fn answers_json(&self) -> bool {
        !matches!(self.response_format, ResponseFormat::Text)
    }

    pub(super) fn max_tokens(&self) -> Option<u64> {
        self.parameters.get(MAX_TOKENS)?.as_number()?.as_u64()
    }

    pub(super) fn begin(&self, repeat: u32, render: &impl Render) -> Option<Result<Step, StageError>> {
        let mut messages = Vec::with_capacity(self.messages.len());
        for (role, template) in &self.messages {
            match render.render(template)? {
                Ok(content) => messages.push(Message { role: *role, content }),
                Err(error) => return Some(Err(error)),
            }
        }
        let call = ChatCall {
            endpoint: self.binding.endpoint.clone(),
            model: self.binding.model.clone(),
            messages,
            parameters: self.parameters.clone(),
            response_format: self.response_format.clone(),
            extra: self.extra.clone(),
            repeat,
        };
        Some(Ok(Step::Calls(vec![call.into()])))
    }

    /// The answer's text, or the JSON in it.
    pub(super) fn finish(
        &self,
        stage: &str,
        replies: &[&Reply],
        read_json: impl Fn(&str) -> Option<Value>,
    ) -> Result<Value, StageError> {
        let reply = replies.first();
        let completion = reply.and_then(|reply| reply.completion());
        let text = completion.map(|completion| completion.answer(self.strip_think));
        let Some(text) = text else { return Ok(Value::Null) };
        if !self.answers_json() {
            return Ok(Value::from(text));
        }
        read_json(text).ok_or_else(|| {
            let flags = reply.map(|reply| reply.flags).unwrap_or_default();
            StageError::not_json(stage, text, why_not_json(flags))
        })
    }
}

/// What else is odd about an answer that is no JSON.
const fn why_not_json(flags: Flags) -> Option<&'static str> {
    if flags.refused {
        Some("the model or its server refused to answer")
    } else if flags.truncated {
        Some("cut at the limit of output tokens: raise max_tokens")
    } else {
        None
    }
}
