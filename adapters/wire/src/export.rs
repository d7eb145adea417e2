//! Exports as JSON and YAML.

use domain::export::{Export, ExportedStage};
use domain::value::{Map, Value};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_saphyr::LitStr;

use crate::value::{Any, AnyMap, from_map};

/// Writes a flat object for one stage; several stages are listed under `stages`.
///
/// # Errors
/// serde cannot write it, which does not happen for exports.
pub fn json(export: &Export) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&Flat(export))?;
    text.push('\n');
    Ok(text)
}

/// Writes parameters as a map, prompts as block texts, and score and origin under `metadata`.
///
/// # Errors
/// serde cannot write it, which does not happen for exports.
pub fn yaml(export: &Export) -> Result<String, serde_saphyr::ser_error::Error> {
    serde_saphyr::to_string(&Structured(export))
}

struct Flat<'a>(&'a Export);

impl Serialize for Flat<'_> {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        let export = self.0;
        let mut map = sink.serialize_map(None)?;
        if let [stage] = export.stages.as_slice() {
            stage_fields(stage, &mut map)?;
        } else {
            map.serialize_entry("stages", &export.stages.iter().map(NamedFlat).collect::<Vec<_>>())?;
        }
        params(&export.params, &mut map)?;
        map.serialize_entry("variables", &export.variables)?;
        score(export, &mut map)?;
        map.serialize_entry("experiment", &export.experiment)?;
        map.serialize_entry("exported_at", &export.exported_at.to_string())?;
        map.end()
    }
}

struct NamedFlat<'a>(&'a ExportedStage);

impl Serialize for NamedFlat<'_> {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        let mut map = sink.serialize_map(None)?;
        map.serialize_entry("name", &self.0.name)?;
        stage_fields(self.0, &mut map)?;
        map.end()
    }
}

fn stage_fields<M: SerializeMap>(stage: &ExportedStage, map: &mut M) -> Result<(), M::Error> {
    called(stage, map)?;
    for (name, value) in &stage.parameters {
        map.serialize_entry(name, &Any(value.clone()))?;
    }
    if let Some(system) = &stage.system_prompt {
        map.serialize_entry("system_prompt", system)?;
    }
    messages(stage, map)?;
    if let Some(prompt) = &stage.prompt {
        map.serialize_entry("prompt", prompt)?;
    }
    rest(stage, map)
}

/// The model and endpoint of the stage; for a stage that does not call a chat model, also its kind.
fn called<M: SerializeMap>(stage: &ExportedStage, map: &mut M) -> Result<(), M::Error> {
    if stage.prompt.is_none() {
        map.serialize_entry("kind", stage.kind)?;
    }
    if let (Some(model), Some(endpoint)) = (&stage.model, &stage.endpoint) {
        map.serialize_entry("model", model)?;
        map.serialize_entry("endpoint", endpoint)?;
    }
    Ok(())
}

fn messages<M: SerializeMap>(stage: &ExportedStage, map: &mut M) -> Result<(), M::Error> {
    if stage.messages.is_empty() {
        return Ok(());
    }
    map.serialize_entry("messages", &Any(Value::List(stage.messages.clone())))
}

fn rest<M: SerializeMap>(stage: &ExportedStage, map: &mut M) -> Result<(), M::Error> {
    if let Some(format) = &stage.response_format {
        map.serialize_entry("response_format", &Any(format.clone()))?;
    }
    if stage.extra.is_empty() { Ok(()) } else { map.serialize_entry("extra", &from_map(&stage.extra)) }
}

fn params<M: SerializeMap>(params: &Map, map: &mut M) -> Result<(), M::Error> {
    if params.is_empty() { Ok(()) } else { map.serialize_entry("params", &from_map(params)) }
}

fn score<M: SerializeMap>(export: &Export, map: &mut M) -> Result<(), M::Error> {
    export.score.map_or(Ok(()), |score| map.serialize_entry("score", &Any(Value::number(score))))
}

struct Structured<'a>(&'a Export);

impl Serialize for Structured<'_> {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        let export = self.0;
        let mut map = sink.serialize_map(None)?;
        if let [stage] = export.stages.as_slice() {
            blocks(stage, &mut map)?;
        } else {
            map.serialize_entry("stages", &export.stages.iter().map(NamedBlocks).collect::<Vec<_>>())?;
        }
        params(&export.params, &mut map)?;
        map.serialize_entry("variables", &export.variables)?;
        map.serialize_entry("metadata", &Metadata(export))?;
        map.end()
    }
}

struct NamedBlocks<'a>(&'a ExportedStage);

impl Serialize for NamedBlocks<'_> {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        let mut map = sink.serialize_map(None)?;
        map.serialize_entry("name", &self.0.name)?;
        blocks(self.0, &mut map)?;
        map.end()
    }
}

fn blocks<M: SerializeMap>(stage: &ExportedStage, map: &mut M) -> Result<(), M::Error> {
    called(stage, map)?;
    let parameters: AnyMap = from_map(&stage.parameters);
    map.serialize_entry("parameters", &parameters)?;
    if let Some(system) = &stage.system_prompt {
        block("system_prompt", system, map)?;
    }
    messages(stage, map)?;
    if let Some(prompt) = &stage.prompt {
        block("prompt", prompt, map)?;
    }
    rest(stage, map)
}

/// A text as a block if a block can hold it; otherwise it is quoted.
fn block<M: SerializeMap>(name: &'static str, text: &str, map: &mut M) -> Result<(), M::Error> {
    let fits = text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control() && c != '\u{feff}')
        && !text.contains(['\u{85}', '\u{2028}', '\u{2029}'])
        && !text.starts_with([' ', '\n', '\t'])
        && !text.trim_end_matches('\n').is_empty();
    if fits { map.serialize_entry(name, &LitStr(text)) } else { map.serialize_entry(name, text) }
}

struct Metadata<'a>(&'a Export);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        let mut map = sink.serialize_map(None)?;
        score(self.0, &mut map)?;
        map.serialize_entry("experiment", &self.0.experiment)?;
        map.serialize_entry("exported_at", &self.0.exported_at.to_string())?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use domain::time::Timestamp;

    use super::*;

    fn export(prompts: &[&str]) -> Export {
        let stage = |prompt: &&str| ExportedStage {
            name: "extract".into(),
            kind: "llm",
            model: Some("qwen2.5-72b".into()),
            endpoint: Some("http://127.0.0.1:8000/v1".into()),
            parameters: Map::from([
                ("max_tokens".to_owned(), Value::from(2048_i64)),
                ("temperature".to_owned(), Value::number(0.3)),
            ]),
            system_prompt: Some("You extract ...".into()),
            messages: vec![],
            prompt: Some((*prompt).to_owned()),
            response_format: None,
            extra: Map::new(),
        };
        Export {
            stages: prompts.iter().map(stage).collect(),
            params: Map::new(),
            variables: vec!["sample.input".into()],
            score: Some(0.87),
            experiment: "extraction-v2".into(),
            exported_at: Timestamp::from_micros(1_775_476_800_000_000),
        }
    }

    #[test]
    fn json_is_flat() {
        assert_eq!(
            json(&export(&["Go."])).unwrap(),
            r#"{
  "model": "qwen2.5-72b",
  "endpoint": "http://127.0.0.1:8000/v1",
  "max_tokens": 2048,
  "temperature": 0.3,
  "system_prompt": "You extract ...",
  "prompt": "Go.",
  "variables": [
    "sample.input"
  ],
  "score": 0.87,
  "experiment": "extraction-v2",
  "exported_at": "2026-04-06T12:00:00Z"
}
"#
        );
        let two: serde_json::Value = serde_json::from_str(&json(&export(&["a", "b"])).unwrap()).unwrap();
        assert_eq!(two["stages"][1]["prompt"], "b");
    }

    #[test]
    fn yaml_has_blocks_and_metadata() {
        assert_eq!(
            yaml(&export(&["Go.\n\n  - now"])).unwrap(),
            "model: qwen2.5-72b\nendpoint: http://127.0.0.1:8000/v1\nparameters:\n  max_tokens: 2048\n  \
             temperature: 0.3\nsystem_prompt: |-\n  You extract ...\nprompt: |-\n  Go.\n\n    - now\nvariables:\n- sample.input\nmetadata:\n  \
             score: 0.87\n  experiment: extraction-v2\n  exported_at: \"2026-04-06T12:00:00Z\"\n"
        );
    }

    #[test]
    fn any_prompt_comes_back_from_yaml() {
        for prompt in [
            "",
            " ",
            "\n",
            "yes",
            "a: b",
            "x\n",
            "x\n\n",
            " lead",
            "\ttab",
            "#",
            "a\u{85}b",
            "a\u{2028}b",
            "- a\n- b",
            "é\r\nx",
            "---\n...",
        ] {
            let text = yaml(&export(&[prompt])).unwrap();
            let read: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
            assert_eq!(read["prompt"], *prompt, "{text}");
        }
    }
}
