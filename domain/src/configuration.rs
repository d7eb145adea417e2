//! One point of the space applied to the stages.

use crate::endpoint::EndpointIdentity;
use crate::pipeline::{CompiledStage, Pipeline};
use crate::stage::LlmStage;
use crate::template::TemplateError;
use crate::value::{Map, Value};

/// A pipeline with nothing left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The stages in order.
    pub stages: Vec<ConfiguredStage>,
    /// What templates see as `params`: every active dimension, and the defaults of the rest.
    pub params: Map,
    /// The values of dimensions that have no target, which decide answers through templates only.
    pub free: Map,
    /// How often each sample is asked.
    pub repeats: u32,
}

/// A stage with its endpoint and model decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredStage {
    /// The stage with the point's values in its fields.
    pub stage: LlmStage,
    /// Where its calls go.
    pub endpoint: EndpointIdentity,
    /// The model asked for.
    pub model: String,
}

impl Configuration {
    /// The one spelling of this configuration: equal configurations are spelled alike, different ones differently. Its
    /// SHA-256 is the config hash. Stages are spelled with their names, which templates refer to; endpoints as kind and
    /// URL; names of dimensions only where templates can see no other trace of their values.
    #[must_use]
    pub fn canonical(&self) -> String {
        let stages = self.stages.iter().map(ConfiguredStage::to_value).collect();
        Value::from([
            ("v", Value::from(1_i64)),
            ("stages", Value::List(stages)),
            ("params", Value::Map(self.free.clone())),
            ("repeats", Value::from(self.repeats)),
        ])
        .canonical()
    }

    /// The pipeline with its templates parsed.
    ///
    /// # Errors
    /// The stage, by its index, whose template cannot be parsed.
    pub fn pipeline(&self) -> Result<Pipeline, (usize, TemplateError)> {
        let compiled = self.stages.iter().enumerate();
        let stages = compiled.map(|(i, stage)| CompiledStage::new(stage).map_err(|error| (i, error)));
        Ok(Pipeline::new(stages.collect::<Result<_, _>>()?, Value::Map(self.params.clone())))
    }
}

impl ConfiguredStage {
    fn to_value(&self) -> Value {
        let endpoint = Value::from([
            ("kind", Value::from(self.endpoint.kind.as_str())),
            ("url", Value::from(self.endpoint.url.as_str())),
        ]);
        let mut fields = stage_fields(&self.stage);
        fields.insert("endpoint".to_owned(), endpoint);
        fields.insert("model".to_owned(), Value::from(self.model.as_str()));
        Value::Map(fields)
    }
}

/// A stage as documents spell it; what is absent or empty is left out.
#[must_use]
pub fn stage_fields(stage: &LlmStage) -> Map {
    let text = |text: &String| Value::from(text.as_str());
    let message = |role: &str, content: &str| {
        Value::from([("role", Value::from(role)), ("content", Value::from(content))])
    };
    let messages: Vec<_> = stage.messages.iter().map(|m| message(m.role.as_str(), &m.content)).collect();
    let format = stage.response_format.to_value();
    let fields = [
        ("name", Some(Value::from(stage.name.as_str()))),
        ("kind", Some(Value::from("llm"))),
        ("endpoint", stage.endpoint.as_ref().map(text)),
        ("model", stage.model.as_ref().map(text)),
        ("system", stage.system.as_ref().map(text)),
        ("messages", (!messages.is_empty()).then_some(Value::List(messages))),
        ("prompt", Some(text(&stage.prompt))),
        ("parameters", (!stage.parameters.is_empty()).then(|| Value::Map(stage.parameters.clone()))),
        ("response_format", (format != Value::from("text")).then_some(format)),
        ("extra", (!stage.extra.is_empty()).then(|| Value::Map(stage.extra.clone()))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::ResponseFormat;
    use crate::endpoint::EndpointKind;
    use crate::name::Name;

    fn configuration() -> Configuration {
        let stage = LlmStage {
            name: Name::try_new("classify").unwrap(),
            endpoint: Some("local".into()),
            model: None,
            system: Some("Sort.".into()),
            messages: vec![],
            prompt: "{{ sample.input }}".into(),
            parameters: Map::from([("temperature".to_owned(), Value::number(0.3))]),
            response_format: ResponseFormat::Json,
            extra: Map::new(),
        };
        let endpoint = EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1:8000/v1/");
        let params =
            Map::from([("tone".to_owned(), Value::from("dry")), ("t".to_owned(), Value::number(0.3))]);
        let free = Map::from([("tone".to_owned(), Value::from("dry"))]);
        let stages = vec![ConfiguredStage { stage, endpoint, model: "qwen".into() }];
        Configuration { stages, params, free, repeats: 1 }
    }

    #[test]
    fn the_spelling_is_pinned() {
        assert_eq!(
            configuration().canonical(),
            concat!(
                r#"{"params":{"tone":"dry"},"repeats":1,"stages":[{"endpoint":{"kind":"openai","#,
                r#""url":"http://127.0.0.1:8000/v1"},"kind":"llm","model":"qwen","name":"classify","#,
                r#""parameters":{"temperature":0.3},"prompt":"{{ sample.input }}","#,
                r#""response_format":"json","system":"Sort."}],"v":1}"#
            )
        );
    }

    #[test]
    fn labels_and_names_of_bound_dimensions_do_not_count() {
        let mut renamed = configuration();
        renamed.stages[0].stage.endpoint = Some("other label".into());
        renamed.params.remove("t");
        renamed.params.insert("heat".into(), Value::number(0.3));
        assert_eq!(renamed.canonical(), configuration().canonical());
    }

    #[test]
    fn whatever_decides_an_answer_counts() {
        let changes: [fn(&mut Configuration); 6] = [
            |c| c.repeats = 2,
            |c| drop(c.free.insert("tone".into(), Value::from("warm"))),
            |c| c.stages[0].model.push('2'),
            |c| c.stages[0].endpoint.url.push('2'),
            |c| c.stages[0].stage.prompt.push('!'),
            |c| c.stages[0].stage.parameters.clear(),
        ];
        for (i, change) in changes.into_iter().enumerate() {
            let mut changed = configuration();
            change(&mut changed);
            assert_ne!(changed.canonical(), configuration().canonical(), "change {i}");
        }
    }
}
