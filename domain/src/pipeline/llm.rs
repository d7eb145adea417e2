//! Asks a chat model.

use super::{Render, Step, parsed};
use crate::call::{ChatCall, Message, Reply, ResponseFormat, Role};
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

    /// The answer's text, or the JSON in it. A text that is not JSON is passed on as text, so that scorers can judge
    /// it; otherwise the sample would be missing from the score.
    pub(super) fn finish(&self, replies: &[&Reply], read_json: impl Fn(&str) -> Option<Value>) -> Value {
        let completion = replies.first().and_then(|reply| reply.completion());
        let text = completion.map(|completion| completion.answer(self.strip_think));
        let Some(text) = text else { return Value::Null };
        let parsed = self.answers_json().then(|| read_json(text)).flatten();
        parsed.unwrap_or_else(|| Value::from(text))
    }
}
