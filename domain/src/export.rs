//! A configuration as other programs load it. It never holds a key.

use crate::call::ResponseFormat;
use crate::configuration::{Configuration, ConfiguredStage};
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
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedStage {
    /// Its name.
    pub name: String,
    /// The model.
    pub model: String,
    /// The endpoint's URL.
    pub endpoint: String,
    /// Inference parameters that are set.
    pub parameters: Map,
    /// The system prompt's template.
    pub system_prompt: Option<String>,
    /// Few-shot messages, a list of `{role, content}`; empty where there are none.
    pub messages: Vec<Value>,
    /// The prompt's template.
    pub prompt: String,
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
            let prefix = if self.stages.len() > 1 {
                format!("LLM_{}_", variable(&stage.name))
            } else {
                "LLM_".to_owned()
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

impl ExportedStage {
    fn of(configured: &ConfiguredStage) -> Self {
        let stage = &configured.stage;
        let message = |message: &crate::call::Message| {
            let role = Value::from(message.role.as_str());
            Value::from([("role", role), ("content", Value::from(message.content.as_str()))])
        };
        let format =
            (stage.response_format != ResponseFormat::Text).then(|| stage.response_format.to_value());
        Self {
            name: stage.name.as_str().to_owned(),
            model: configured.model.clone(),
            endpoint: configured.endpoint.url.clone(),
            parameters: stage.parameters.clone(),
            system_prompt: stage.system.clone(),
            messages: stage.messages.iter().map(message).collect(),
            prompt: stage.prompt.clone(),
            response_format: format,
            extra: stage.extra.clone(),
        }
    }

    fn env(&self, prefix: &str, out: &mut String) {
        let mut put = |name: &str, value: &Value| line(&format!("{prefix}{}", variable(name)), value, out);
        put("MODEL", &Value::from(self.model.as_str()));
        put("API_URL", &Value::from(self.endpoint.as_str()));
        self.parameters.iter().for_each(|(name, value)| put(name, value));
        self.extra.iter().for_each(|(name, value)| put(&format!("extra_{name}"), value));
        if let Some(system) = &self.system_prompt {
            put("SYSTEM_PROMPT", &Value::from(system.as_str()));
        }
        if !self.messages.is_empty() {
            put("MESSAGES", &Value::List(self.messages.clone()));
        }
        put("PROMPT", &Value::from(self.prompt.as_str()));
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
            model: "qwen2.5-72b".into(),
            endpoint: "http://127.0.0.1:8000/v1".into(),
            parameters: Map::from([
                ("temperature".to_owned(), Value::number(0.3)),
                ("stop".to_owned(), Value::List(vec![Value::from("\n")])),
            ]),
            system_prompt: Some("You extract ...".into()),
            messages: vec![],
            prompt: prompt.into(),
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
