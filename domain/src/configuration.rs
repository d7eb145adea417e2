//! Configurations: a point of the space applied to the stages.

use crate::endpoint::EndpointIdentity;
use crate::stage::Stage;
use crate::value::{Map, Value};

/// A pipeline in which every field has a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The stages in order.
    pub stages: Vec<ConfiguredStage>,
    /// The `params` of templates: every active dimension, and the defaults of the others.
    pub params: Map,
    /// The values of dimensions without a target, which affect answers only through templates.
    pub free: Map,
    /// Repetitions of each sample.
    pub repeats: u32,
}

/// A stage in which every field has a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredStage {
    /// The stage with the point's values in its fields.
    pub stage: Stage,
    /// The destination of its calls; `None` if it makes none.
    pub binding: Option<Binding>,
}

/// The destination of a stage's calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The endpoint as part of cache keys.
    pub endpoint: EndpointIdentity,
    /// The model asked for.
    pub model: String,
}

impl Configuration {
    /// The canonical text of this configuration: equal for equal configurations, different for different ones. Its
    /// SHA-256 is the config hash. It contains the names of stages, because templates refer to them, and endpoints as
    /// kind and URL. Names of dimensions are included only where templates refer to their values by name.
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
}

impl ConfiguredStage {
    fn to_value(&self) -> Value {
        let mut fields = self.stage.fields();
        if let Some(Binding { endpoint, model }) = &self.binding {
            let endpoint = Value::from([
                ("kind", Value::from(endpoint.kind.as_str())),
                ("url", Value::from(endpoint.url.as_str())),
            ]);
            fields.insert("endpoint".to_owned(), endpoint);
            fields.insert("model".to_owned(), Value::from(model.as_str()));
        }
        Value::Map(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::ResponseFormat;
    use crate::endpoint::EndpointKind;
    use crate::name::Name;
    use crate::stage::{ChunkInput, ChunkStage, LlmStage, StageKind};
    use crate::text_unit::TextUnit;

    fn configuration() -> Configuration {
        let stage = LlmStage {
            endpoint: Some("local".into()),
            model: None,
            system: Some("Sort.".into()),
            messages: vec![],
            prompt: "{{ sample.input }}".into(),
            parameters: Map::from([("temperature".to_owned(), Value::number(0.3))]),
            response_format: ResponseFormat::Json,
            keep_think: false,
            extra: Map::new(),
        };
        let endpoint = EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1:8000/v1/");
        let params =
            Map::from([("tone".to_owned(), Value::from("dry")), ("t".to_owned(), Value::number(0.3))]);
        let free = Map::from([("tone".to_owned(), Value::from("dry"))]);
        let stage = Stage { name: Name::try_new("classify").unwrap(), kind: StageKind::Llm(stage) };
        let stages =
            vec![ConfiguredStage { stage, binding: Some(Binding { endpoint, model: "qwen".into() }) }];
        Configuration { stages, params, free, repeats: 1 }
    }

    fn llm(configuration: &mut Configuration) -> &mut LlmStage {
        let StageKind::Llm(stage) = &mut configuration.stages[0].stage.kind else { panic!("an llm stage") };
        stage
    }

    #[test]
    fn a_stage_that_makes_no_calls_is_spelled_without_an_endpoint() {
        let stage =
            ChunkStage { input: ChunkInput::Documents, unit: TextUnit::Words, size: 200, overlap: 20 };
        let stage = Stage { name: Name::try_new("cut").unwrap(), kind: StageKind::Chunk(stage) };
        let configuration =
            Configuration { stages: vec![ConfiguredStage { stage, binding: None }], ..configuration() };
        assert_eq!(
            configuration.canonical(),
            r#"{"params":{"tone":"dry"},"repeats":1,"stages":[{"chunk_overlap":20,"chunk_size":200,"input":"documents","kind":"chunk","name":"cut","unit":"words"}],"v":1}"#
        );
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
        llm(&mut renamed).endpoint = Some("other label".into());
        renamed.params.remove("t");
        renamed.params.insert("heat".into(), Value::number(0.3));
        assert_eq!(renamed.canonical(), configuration().canonical());
    }

    #[test]
    fn everything_that_affects_an_answer_counts() {
        let changes: [fn(&mut Configuration); 6] = [
            |c| c.repeats = 2,
            |c| drop(c.free.insert("tone".into(), Value::from("warm"))),
            |c| c.stages[0].binding.as_mut().unwrap().model.push('2'),
            |c| c.stages[0].binding.as_mut().unwrap().endpoint.url.push('2'),
            |c| llm(c).prompt.push('!'),
            |c| llm(c).parameters.clear(),
        ];
        for (i, change) in changes.into_iter().enumerate() {
            let mut changed = configuration();
            change(&mut changed);
            assert_ne!(changed.canonical(), configuration().canonical(), "change {i}");
        }
    }
}
