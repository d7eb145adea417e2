//! Configurations in the form in which other programs load them. They never contain a key.

mod env;

use std::collections::BTreeSet;

use self::env::EnvFile;
use crate::call::{Message, ResponseFormat};
use crate::configuration::{Configuration, ConfiguredStage};
use crate::stage::{HttpStage, LlmStage, StageKind};
use crate::template::{Scope, Template, TemplateTree};
use crate::time::Timestamp;
use crate::value::{Map, Value};

/// A configuration with its score and origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// The stages, in order.
    pub stages: Vec<ExportedStage>,
    /// The values of dimensions without a target.
    pub params: Map,
    /// The variables that the application has to fill into the prompts, such as `sample.input`; sorted.
    pub variables: Vec<String>,
    /// Its score, rounded to four decimals.
    pub score: Option<f64>,
    /// The experiment's name.
    pub experiment: String,
    /// When it was exported.
    pub exported_at: Timestamp,
}

/// A stage in which every field has a value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExportedStage {
    /// Its name.
    pub name: String,
    /// Its kind, as documents write it.
    pub kind: &'static str,
    /// The model, where it calls one.
    pub model: Option<String>,
    /// The endpoint's URL, where it calls one.
    pub endpoint: Option<String>,
    /// The inference parameters that are set; for other stages than chat models, the fields of the stage.
    pub parameters: Map,
    /// The system prompt's template.
    pub system_prompt: Option<String>,
    /// Few-shot messages, a list of `{role, content}`; empty where there are none.
    pub messages: Vec<Value>,
    /// The prompt's template, where it has one.
    pub prompt: Option<String>,
    /// The requested form of the answer, unless it is plain text.
    pub response_format: Option<Value>,
    /// Further fields of the request.
    pub extra: Map,
}

impl Export {
    /// Creates the export of a configuration.
    #[must_use]
    pub fn new(configuration: &Configuration, score: Option<f64>, experiment: &str, at: Timestamp) -> Self {
        let params = Value::Map(configuration.params.clone());
        let mut filling = Filling { params: &params, variables: BTreeSet::new() };
        let stages =
            configuration.stages.iter().map(|stage| ExportedStage::of(stage, &mut filling)).collect();
        Self {
            stages,
            params: configuration.free.clone(),
            variables: filling.variables.into_iter().collect(),
            score: score.map(|score| (score * 1e4).round() / 1e4),
            experiment: experiment.to_owned(),
            exported_at: at,
        }
    }

    /// Writes variables for a shell or a `.env` file: `LLM_MODEL=…`, with the stage's name in between if there are
    /// several stages. No value can add a variable.
    ///
    /// ```
    /// # use promptlooper_domain::export::Export;
    /// # use promptlooper_domain::time::Timestamp;
    /// # use promptlooper_domain::value::{Map, Value};
    /// let params = Map::from([("tone".to_owned(), Value::text("dry\n$wit"))]);
    /// let export = Export {
    ///     stages: vec![],
    ///     params,
    ///     variables: vec![],
    ///     score: Some(0.5),
    ///     experiment: "e".into(),
    ///     exported_at: Timestamp::from_micros(0),
    /// };
    /// assert_eq!(export.env(), "PARAM_TONE='dry\n$wit'\n# Score: 0.5 | Experiment: e\n");
    /// ```
    #[must_use]
    pub fn env(&self) -> String {
        let mut file = EnvFile::default();
        for stage in &self.stages {
            let mut prefix = vec![stage.kind];
            if self.stages.len() > 1 {
                prefix.push(&stage.name);
            }
            stage.env(&prefix, &mut file);
        }
        for (name, value) in &self.params {
            file.put(&["param", name], value);
        }
        let score = self.score.map_or_else(|| "none".to_owned(), |score| score.to_string());
        file.comment(&format!("Score: {score} | Experiment: {}", self.experiment));
        file.into_text()
    }
}

/// Puts the values of `params` into templates, and collects the variables that remain.
struct Filling<'a> {
    params: &'a Value,
    variables: BTreeSet<String>,
}

impl Filling<'_> {
    fn fill(&mut self, source: &str) -> String {
        let Ok(template) = Template::parse(source) else { return source.to_owned() };
        let rest = template.render_partially(&Scope::new().with("params", self.params));
        self.variables.extend(rest.references().into_iter().map(|read| read.path.join(".")));
        rest.source().to_owned()
    }

    /// Fills the templates in a value. One whose only expression the `params` decide gives its value.
    fn fill_all(&mut self, value: &Value) -> Value {
        match value {
            Value::Text(source) if TemplateTree::is_template(source) => {
                let scope = Scope::new().with("params", self.params);
                let decided = Template::parse(source).and_then(|template| template.evaluate(&scope)).ok();
                decided.unwrap_or_else(|| Value::from(self.fill(source)))
            }
            Value::List(items) => Value::List(items.iter().map(|item| self.fill_all(item)).collect()),
            Value::Map(fields) => {
                Value::Map(fields.iter().map(|(name, value)| (name.clone(), self.fill_all(value))).collect())
            }
            value => value.clone(),
        }
    }
}

/// Fields of a stage that have fields of their own in an export.
const GIVEN: [&str; 4] = ["name", "kind", "endpoint", "model"];

impl ExportedStage {
    fn of(configured: &ConfiguredStage, filling: &mut Filling<'_>) -> Self {
        let (stage, binding) = (&configured.stage, configured.binding.as_ref());
        let exported = match &stage.kind {
            StageKind::Llm(llm) => Self::of_llm(llm, filling),
            StageKind::Http(http) => Self::of_http(http, filling),
            StageKind::Chunk(_) | StageKind::Retrieve(_) => {
                let mut parameters = stage.fields();
                parameters.retain(|name, _| !GIVEN.contains(&name.as_str()));
                for (place, source) in stage.templates() {
                    let field = place.trim_start_matches('/').to_owned();
                    parameters.insert(field, Value::from(filling.fill(source)));
                }
                Self { parameters, ..Self::default() }
            }
        };
        Self {
            name: stage.name.as_str().to_owned(),
            kind: stage.kind.as_str(),
            model: binding.map(|binding| binding.model.clone()),
            endpoint: binding.map(|binding| binding.endpoint.url.clone()),
            ..exported
        }
    }

    /// Of the headers only the names: a value may be a key.
    fn of_http(stage: &HttpStage, filling: &mut Filling<'_>) -> Self {
        let names = stage.headers.keys().map(|name| Value::from(name.as_str()));
        let fields = [
            ("url", Some(Value::from(filling.fill(&stage.url)))),
            ("headers", (!stage.headers.is_empty()).then(|| Value::List(names.collect()))),
            ("body", stage.body.to_value().map(|body| filling.fill_all(&body))),
            ("output", stage.output.as_deref().map(Value::from)),
            ("timeout_s", Some(Value::from(stage.timeout_s))),
        ];
        let parameters = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Self { parameters: parameters.collect(), ..Self::default() }
    }

    fn of_llm(stage: &LlmStage, filling: &mut Filling<'_>) -> Self {
        let mut message = |message: &Message| {
            Message { role: message.role, content: filling.fill(&message.content) }.to_value()
        };
        let messages = stage.messages.iter().map(&mut message).collect();
        let format =
            (stage.response_format != ResponseFormat::Text).then(|| stage.response_format.to_value());
        Self {
            parameters: stage.parameters.clone(),
            system_prompt: stage.system.as_deref().map(|system| filling.fill(system)),
            messages,
            prompt: Some(filling.fill(&stage.prompt)),
            response_format: format,
            extra: stage.extra.clone(),
            ..Self::default()
        }
    }

    fn env(&self, prefix: &[&str], file: &mut EnvFile) {
        let mut put = |field: &[&str], value: &Value| file.put(&[prefix, field].concat(), value);
        if let (Some(model), Some(endpoint)) = (&self.model, &self.endpoint) {
            put(&["model"], &Value::from(model.as_str()));
            put(&["api_url"], &Value::from(endpoint.as_str()));
        }
        self.parameters.iter().for_each(|(name, value)| put(&[name], value));
        self.extra.iter().for_each(|(name, value)| put(&["extra", name], value));
        if let Some(system) = &self.system_prompt {
            put(&["system_prompt"], &Value::from(system.as_str()));
        }
        if !self.messages.is_empty() {
            put(&["messages"], &Value::List(self.messages.clone()));
        }
        if let Some(prompt) = &self.prompt {
            put(&["prompt"], &Value::from(prompt.as_str()));
        }
        if let Some(format) = &self.response_format {
            put(&["response_format"], format);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;
    use crate::stage::{RetrieveStage, Stage};

    fn stage(name: &str, prompt: &str) -> ExportedStage {
        ExportedStage {
            name: name.into(),
            kind: "llm",
            model: Some("qwen2.5-72b".into()),
            endpoint: Some("http://127.0.0.1:8000/v1".into()),
            parameters: Map::from([
                ("temperature".to_owned(), Value::number(0.3)),
                ("stop".to_owned(), Value::List(vec![Value::from("\n")])),
            ]),
            system_prompt: Some("You extract ...".into()),
            messages: vec![],
            prompt: Some(prompt.into()),
            response_format: None,
            extra: Map::new(),
        }
    }

    fn export(stages: Vec<ExportedStage>) -> Export {
        let at = Timestamp::from_micros(0);
        Export {
            stages,
            params: Map::new(),
            variables: vec![],
            score: Some(0.87),
            experiment: "extraction-v2".into(),
            exported_at: at,
        }
    }

    #[test]
    fn variables_are_named_after_what_they_hold() {
        assert_eq!(
            export(vec![stage("extract", "Go: {{ sample.input }}")]).env(),
            "LLM_MODEL=qwen2.5-72b\nLLM_API_URL=http://127.0.0.1:8000/v1\nLLM_STOP='[\"\\n\"]'\n\
             LLM_TEMPERATURE=0.3\nLLM_SYSTEM_PROMPT='You extract ...'\nLLM_PROMPT='Go: {{ sample.input }}'\n\
             # Score: 0.87 | Experiment: extraction-v2\n"
        );
        let two = export(vec![stage("first", "x"), stage("second", "y")]).env();
        assert!(two.contains("LLM_FIRST_PROMPT=x\n") && two.contains("LLM_SECOND_PROMPT=y\n"), "{two}");
    }

    fn configuration(prompt: &str) -> Configuration {
        let message = Message { role: crate::call::Role::User, content: "A {{ params.tone }} shot".into() };
        let llm = LlmStage {
            system: Some("Be {{ params.tone }}.".into()),
            messages: vec![message],
            prompt: prompt.into(),
            ..LlmStage::default()
        };
        let retrieve = RetrieveStage {
            from: Name::try_new("cut").unwrap(),
            query: "{{ params.tone }} {{ stages.first.output }}".into(),
            endpoint: None,
            model: None,
            top_k: 3,
        };
        let named = |name: &str, kind| ConfiguredStage {
            stage: Stage { name: Name::try_new(name).unwrap(), kind },
            binding: None,
        };
        Configuration {
            stages: vec![named("first", StageKind::Llm(llm)), named("find", StageKind::Retrieve(retrieve))],
            params: Map::from([
                ("tone".to_owned(), Value::from("dry")),
                ("t".to_owned(), Value::number(0.3)),
            ]),
            free: Map::from([("tone".to_owned(), Value::from("dry"))]),
            repeats: 1,
        }
    }

    #[test]
    fn templates_have_the_values_in_their_places_and_name_what_is_left() {
        let prompt = "{% if params.t < 1 %}{{ params.tone | upper }}{% endif %}: {{ sample.input }} {{ sample.meta.lang }}";
        let export = Export::new(&configuration(prompt), None, "e", Timestamp::from_micros(0));
        let [first, find] = export.stages.as_slice() else { panic!("two stages") };
        assert_eq!(first.system_prompt.as_deref(), Some("Be dry."));
        assert_eq!(first.messages[0].as_map().unwrap()["content"], Value::from("A dry shot"));
        assert_eq!(first.prompt.as_deref(), Some("DRY: {{ sample.input }} {{ sample.meta.lang }}"));
        assert_eq!(find.parameters["query"], Value::from("dry {{ stages.first.output }}"));
        assert_eq!(export.variables, ["sample.input", "sample.meta.lang", "stages.first.output"]);
    }
}
