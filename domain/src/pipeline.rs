//! Turns a configuration and a sample into calls, stage by stage.

use crate::call::{Call, Completion, Message, ResponseFormat, Role};
use crate::configuration::ConfiguredStage;
use crate::endpoint::EndpointIdentity;
use crate::template::{Scope, Template, TemplateError};
use crate::value::{Map, Value};

/// A configuration whose templates are parsed.
#[derive(Debug, Clone)]
pub struct Pipeline {
    stages: Vec<CompiledStage>,
    params: Value,
}

/// A stage whose templates are parsed.
#[derive(Debug, Clone)]
pub struct CompiledStage {
    name: String,
    endpoint: EndpointIdentity,
    model: String,
    messages: Vec<(Role, Template)>,
    parameters: Map,
    response_format: ResponseFormat,
    extra: Map,
}

/// What a sample has come to so far: the sample itself and the outputs of the stages it has passed.
#[derive(Debug, Clone)]
pub struct Progress {
    sample: Value,
    stages: Value,
    previous: Option<Value>,
}

impl Pipeline {
    pub(crate) const fn new(stages: Vec<CompiledStage>, params: Value) -> Self {
        Self { stages, params }
    }

    /// Its stages, in order.
    #[must_use]
    pub fn stages(&self) -> &[CompiledStage] {
        &self.stages
    }

    /// The calls that a stage needs answers to before it has an output: see [`CompiledStage::output`].
    ///
    /// # Errors
    /// Where a template asks for what is not there, or costs too much.
    ///
    /// # Panics
    /// Never for a stage index below the number of stages.
    pub fn calls(
        &self,
        stage: usize,
        progress: &Progress,
        documents: &Value,
        repeat: u32,
    ) -> Result<Vec<Call>, TemplateError> {
        let scope = self.scope(progress, documents);
        self.stages[stage].calls(repeat, |template| template.render(&scope))
    }

    /// The same where it is little work; `None` where it is more, or where [`calls`](Self::calls) would fail.
    #[must_use]
    pub fn quick_calls(
        &self,
        stage: usize,
        progress: &Progress,
        documents: &Value,
        repeat: u32,
    ) -> Option<Vec<Call>> {
        let scope = self.scope(progress, documents);
        self.stages.get(stage)?.calls(repeat, |template| template.render_quickly(&scope).ok_or(())).ok()
    }

    fn scope<'a>(&'a self, progress: &'a Progress, documents: &'a Value) -> Scope<'a> {
        let scope = Scope::new()
            .with("sample", &progress.sample)
            .with("params", &self.params)
            .with("stages", &progress.stages)
            .with("documents", documents);
        match &progress.previous {
            Some(previous) => scope.with("previous", previous),
            None => scope,
        }
    }
}

impl CompiledStage {
    pub(crate) fn new(configured: &ConfiguredStage) -> Result<Self, TemplateError> {
        let stage = &configured.stage;
        let system = stage.system.iter().map(|text| (Role::System, text));
        let few_shot = stage.messages.iter().map(|message| (message.role, &message.content));
        let prompt = std::iter::once((Role::User, &stage.prompt));
        let texts = system.chain(few_shot).chain(prompt);
        Ok(Self {
            name: stage.name.as_str().to_owned(),
            endpoint: configured.endpoint.clone(),
            model: configured.model.clone(),
            messages: texts
                .map(|(role, text)| Ok((role, Template::parse(text)?)))
                .collect::<Result<_, _>>()?,
            parameters: stage.parameters.clone(),
            response_format: stage.response_format.clone(),
            extra: stage.extra.clone(),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its output is JSON rather than text.
    #[must_use]
    pub fn answers_json(&self) -> bool {
        self.response_format != ResponseFormat::Text
    }

    /// The limit of output tokens that it sets.
    #[must_use]
    pub fn max_tokens(&self) -> Option<u64> {
        self.parameters.get("max_tokens")?.as_number()?.as_u64()
    }

    fn calls<E>(&self, repeat: u32, render: impl Fn(&Template) -> Result<String, E>) -> Result<Vec<Call>, E> {
        let rendered = self
            .messages
            .iter()
            .map(|(role, template)| Ok(Message { role: *role, content: render(template)? }));
        Ok(vec![Call {
            endpoint: self.endpoint.clone(),
            model: self.model.clone(),
            messages: rendered.collect::<Result<_, _>>()?,
            parameters: self.parameters.clone(),
            response_format: self.response_format.clone(),
            extra: self.extra.clone(),
            repeat,
        }])
    }

    /// What the stage hands on, once its calls are answered: the first answer's text, or the JSON that it holds.
    /// `read_json` gives `None` for a text that is no JSON: it goes on as the text it is, so that scorers judge it
    /// rather than that the sample drops out of the score.
    #[must_use]
    pub fn output(&self, answers: &[&Completion], read_json: impl Fn(&str) -> Option<Value>) -> Value {
        let Some(answer) = answers.first() else { return Value::Null };
        let parsed = self.answers_json().then(|| read_json(&answer.text)).flatten();
        parsed.unwrap_or_else(|| Value::from(answer.text.as_str()))
    }
}

impl Progress {
    /// A sample, as templates see it, before the first stage.
    #[must_use]
    pub const fn new(sample: Value) -> Self {
        Self { sample, stages: Value::Map(Map::new()), previous: None }
    }

    /// The sample, as templates see it.
    #[must_use]
    pub const fn sample(&self) -> &Value {
        &self.sample
    }

    /// The sample has passed a stage with this output.
    pub fn passed(&mut self, stage: &str, output: Value) {
        if let Value::Map(stages) = &mut self.stages {
            stages.insert(stage.to_owned(), Value::from([("output", output.clone())]));
        }
        self.previous = Some(output);
    }

    /// The output of a stage it has passed.
    #[must_use]
    pub fn output(&self, stage: &str) -> Option<&Value> {
        self.stages.as_map()?.get(stage)?.as_map()?.get("output")
    }
}
