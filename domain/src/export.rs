//! A configuration as other programs load it. It never holds a key.

use crate::call::ResponseFormat;
use crate::configuration::{Configuration, ConfiguredStage};
use crate::stage::{LlmStage, StageKind};
use crate::time::Timestamp;
use crate::value::{Map, Value};

/// A configuration with what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// The stages, in order.
    pub stages: Vec<ExportedStage>,
    /// The values of dimensions without a target.
    pub params: Map,
    /// Its score, rounded to four decimals.
    pub score: Option<f64>,
    /// The experiment's name.
    pub experiment: String,
    /// When it was exported.
    pub exported_at: Timestamp,
}

/// A stage with nothing left open.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExportedStage {
    /// Its name.
    pub name: String,
    /// What it does, in the word of documents.
    pub kind: &'static str,
    /// The model, where it calls one.
    pub model: Option<String>,
    /// The endpoint's URL, where it calls one.
    pub endpoint: Option<String>,
    /// Inference parameters that are set; the fields of a stage that asks no chat model.
    pub parameters: Map,
    /// The system prompt's template.
    pub system_prompt: Option<String>,
    /// Few-shot messages, a list of `{role, content}`; empty where there are none.
    pub messages: Vec<Value>,
    /// The prompt's template, where it has one.
    pub prompt: Option<String>,
    /// The form of answer asked for, where it is not plain text.
    pub response_format: Option<Value>,
    /// Further fields of the request.
    pub extra: Map,
}

impl Export {
    /// What a configuration looks like from outside.
    #[must_use]
    pub fn new(configuration: &Configuration, score: Option<f64>, experiment: &str, at: Timestamp) -> Self {
        Self {
            stages: configuration.stages.iter().map(ExportedStage::of).collect(),
            params: configuration.free.clone(),
            score: score.map(|score| (score * 1e4).round() / 1e4),
            experiment: experiment.to_owned(),
            exported_at: at,
        }
    }

    /// As variables for a shell or a `.env` file: `LLM_MODEL=…`, with the stage's name in between where there are
    /// several. No value can add a line or a variable.
    ///
    /// ```
    /// # use promptlooper_domain::export::Export;
    /// # use promptlooper_domain::time::Timestamp;
    /// # use promptlooper_domain::value::{Map, Value};
    /// let params = Map::from([("tone".to_owned(), Value::text("dry\n$wit"))]);
    /// let at = Timestamp::from_micros(0);
    /// let export = Export { stages: vec![], params, score: Some(0.5), experiment: "e".into(), exported_at: at };
    /// assert_eq!(export.env(), "PARAM_TONE=\"dry\\n\\$wit\"\n# Score: 0.5 | Experiment: e\n");
    /// ```
    #[must_use]
    pub fn env(&self) -> String {
        let mut out = String::new();
        for stage in &self.stages {
            let kind = variable(stage.kind);
            let prefix = if self.stages.len() > 1 {
                format!("{kind}_{}_", variable(&stage.name))
            } else {
                format!("{kind}_")
            };
            stage.env(&prefix, &mut out);
        }
        for (name, value) in &self.params {
            line(&format!("PARAM_{}", variable(name)), value, &mut out);
        }
        let score = self.score.map_or_else(|| "none".to_owned(), |score| score.to_string());
        let experiment: String =
            self.experiment.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        out.extend(["# Score: ", &score, " | Experiment: ", &experiment, "\n"]);
        out
    }
}

/// Fields of a stage that an export has places of their own for.
const GIVEN: [&str; 4] = ["name", "kind", "endpoint", "model"];

impl ExportedStage {
    fn of(configured: &ConfiguredStage) -> Self {
        let (stage, binding) = (&configured.stage, configured.binding.as_ref());
        let exported = match &stage.kind {
            StageKind::Llm(llm) => Self::of_llm(llm),
            StageKind::Chunk(_) | StageKind::Retrieve(_) => Self {
                parameters: stage
                    .fields()
                    .into_iter()
                    .filter(|(name, _)| !GIVEN.contains(&name.as_str()))
                    .collect(),
                ..Self::default()
            },
        };
        Self {
            name: stage.name.as_str().to_owned(),
            kind: stage.kind.as_str(),
            model: binding.map(|binding| binding.model.clone()),
            endpoint: binding.map(|binding| binding.endpoint.url.clone()),
            ..exported
        }
    }

    fn of_llm(stage: &LlmStage) -> Self {
        let message = |message: &crate::call::Message| {
            let role = Value::from(message.role.as_str());
            Value::from([("role", role), ("content", Value::from(message.content.as_str()))])
        };
        let format =
            (stage.response_format != ResponseFormat::Text).then(|| stage.response_format.to_value());
        Self {
            parameters: stage.parameters.clone(),
            system_prompt: stage.system.clone(),
            messages: stage.messages.iter().map(message).collect(),
            prompt: Some(stage.prompt.clone()),
            response_format: format,
            extra: stage.extra.clone(),
            ..Self::default()
        }
    }

    fn env(&self, prefix: &str, out: &mut String) {
        let mut put = |name: &str, value: &Value| line(&format!("{prefix}{}", variable(name)), value, out);
        if let (Some(model), Some(endpoint)) = (&self.model, &self.endpoint) {
            put("MODEL", &Value::from(model.as_str()));
            put("API_URL", &Value::from(endpoint.as_str()));
        }
        self.parameters.iter().for_each(|(name, value)| put(name, value));
        self.extra.iter().for_each(|(name, value)| put(&format!("extra_{name}"), value));
        if let Some(system) = &self.system_prompt {
            put("SYSTEM_PROMPT", &Value::from(system.as_str()));
        }
        if !self.messages.is_empty() {
            put("MESSAGES", &Value::List(self.messages.clone()));
        }
        if let Some(prompt) = &self.prompt {
            put("PROMPT", &Value::from(prompt.as_str()));
        }
        if let Some(format) = &self.response_format {
            put("RESPONSE_FORMAT", format);
        }
    }
}

/// A name as variables can have it.
fn variable(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

fn line(name: &str, value: &Value, out: &mut String) {
    let text = value.to_text();
    out.push_str(name);
    out.push('=');
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        out.push_str(&text);
    } else {
        quote(&text, out);
    }
    out.push('\n');
}

/// Double quotes, with everything escaped that shells or `.env` readers would act on.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '"' | '\\' | '$' | '`' => out.extend(['\\', c]),
            // No reader agrees with another on other control characters.
            c if c.is_control() && c != '\t' => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            score: Some(0.87),
            experiment: "extraction-v2".into(),
            exported_at: at,
        }
    }

    #[test]
    fn variables_are_named_after_what_they_hold() {
        assert_eq!(
            export(vec![stage("extract", "Go: {{ sample.input }}")]).env(),
            "LLM_MODEL=qwen2.5-72b\nLLM_API_URL=http://127.0.0.1:8000/v1\nLLM_STOP=\"[\\\"\\\\n\\\"]\"\n\
             LLM_TEMPERATURE=0.3\nLLM_SYSTEM_PROMPT=\"You extract ...\"\nLLM_PROMPT=\"Go: {{ sample.input }}\"\n\
             # Score: 0.87 | Experiment: extraction-v2\n"
        );
        let two = export(vec![stage("first", "x"), stage("second", "y")]).env();
        assert!(two.contains("LLM_FIRST_PROMPT=x\n") && two.contains("LLM_SECOND_PROMPT=y\n"), "{two}");
    }

    proptest! {
        #[test]
        fn no_value_adds_a_line(prompt in "(?s).{0,40}", name in "(?s).{0,20}") {
            let mut export = export(vec![stage("s", &prompt)]);
            export.experiment = name;
            let text = export.env();
            prop_assert_eq!(text.lines().count(), 7);
            prop_assert!(text.split('\n').all(|line| line.is_empty() || line.starts_with("LLM_") || line.starts_with('#')));
        }
    }
}
