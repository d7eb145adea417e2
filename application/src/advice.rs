//! What whoever wrote an experiment should know before it runs, though nothing is wrong with it.

use domain::experiment::Definition;
use domain::sample::Sample;
use domain::space::{Dimension, Field, Levels};
use domain::stage::{Stage, StageKind};
use domain::template::Template;
use domain::value::Value;

/// The warnings about an experiment with these samples, for people.
#[must_use]
pub fn warnings(definition: &Definition, samples: &[Sample]) -> Vec<String> {
    let sees = |stage: &Stage| {
        let mut values =
            varied(definition, stage, &[Field::System, Field::Messages, Field::Prompt, Field::Url]);
        stage.reads_reference() || values.any(|value| texts(value).into_iter().any(reads_reference))
    };
    let peeking = definition.stages().iter().filter(|stage| sees(stage)).map(|stage| {
        let name = stage.name.as_str();
        format!("stage `{name}` sees the reference: what it answers with is no longer its own")
    });
    peeking.chain(blind_prompts(definition)).chain(lacking_references(definition, samples)).collect()
}

/// Scorers that pass over some of the samples, because these have no reference.
fn lacking_references(definition: &Definition, samples: &[Sample]) -> Vec<String> {
    let lacking = samples.iter().filter(|sample| sample.accepted().is_empty()).count();
    if lacking == 0 {
        return Vec::new();
    }
    let entries = definition.scoring().iter().filter(|entry| entry.scorer.needs_reference());
    let told = entries.map(|entry| {
        let (name, all) = (&entry.name, samples.len());
        format!("{lacking} of {all} samples have no reference: `{name}` gives them no score")
    });
    told.collect()
}

/// Prompts of the first llm stage that ask the same for every sample.
fn blind_prompts(definition: &Definition) -> Vec<String> {
    let stages = definition.stages();
    let first = stages.iter().enumerate().find(|(_, stage)| matches!(stage.kind, StageKind::Llm(_)));
    let Some((index, stage)) = first else { return Vec::new() };
    let sees = |source: &str| reads_sample(source, index > 0);
    let around =
        stage.templates().into_iter().filter(|(place, _)| place != PROMPT).any(|(_, source)| sees(source));
    let mut around_varied = varied(definition, stage, &[Field::System, Field::Messages]);
    if around || around_varied.any(|value| texts(value).into_iter().any(sees)) {
        return Vec::new();
    }
    let name = stage.name.as_str();
    let told = |what: &str| {
        format!(
            "{what} never reads the sample, so every sample is asked the same: write {{{{ sample.input }}}} where it belongs"
        )
    };
    let mut prompts = deciding(definition, stage, &[Field::Prompt]).peekable();
    if prompts.peek().is_none() {
        let blind = !sees(prompt(stage));
        return blind.then(|| told(&format!("the prompt of stage `{name}`"))).into_iter().collect();
    }
    let blind = prompts.flat_map(|dimension| {
        let numbered = values(dimension).iter().enumerate();
        let blind = numbered.filter(|(_, value)| !texts(value).into_iter().any(sees));
        blind.map(|(i, _)| told(&format!("value {i} of `{}`, a prompt,", dimension.name.as_str())))
    });
    blind.collect()
}

/// The dimensions that decide one of these fields of a stage.
fn deciding<'a>(
    definition: &'a Definition,
    stage: &'a Stage,
    fields: &'a [Field],
) -> impl Iterator<Item = &'a Dimension> {
    definition.space().dimensions().filter(move |dimension| {
        dimension
            .target
            .as_ref()
            .is_some_and(|target| target.stage == stage.name && fields.contains(&target.field))
    })
}

/// What these fields can be by dimensions.
fn varied<'a>(
    definition: &'a Definition,
    stage: &'a Stage,
    fields: &'a [Field],
) -> impl Iterator<Item = &'a Value> {
    deciding(definition, stage, fields).flat_map(values)
}

/// The place of the prompt among a stage's templates.
const PROMPT: &str = "/prompt";

fn prompt(stage: &Stage) -> &str {
    stage.templates().into_iter().find(|(place, _)| place == PROMPT).map_or("", |(_, source)| source)
}

fn values(dimension: &Dimension) -> &[Value] {
    if let Levels::Choice(values) = &dimension.levels { values } else { &[] }
}

/// The texts in a value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Text(text) => vec![text],
        Value::List(items) => items.iter().flat_map(texts).collect(),
        Value::Map(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Whether a template depends on the sample, by itself or through what an earlier stage made of it.
fn reads_sample(source: &str, has_earlier_stages: bool) -> bool {
    let earlier = |name: &str| has_earlier_stages && (name == "previous" || name == "stages");
    reads(source, |path| path.first().is_some_and(|name| name == "sample" || earlier(name)))
}

fn reads_reference(source: &str) -> bool {
    reads(
        source,
        |path| matches!(path, [sample, reference, ..] if sample == "sample" && reference == "reference"),
    )
}

fn reads(source: &str, is_meant: impl Fn(&[String]) -> bool) -> bool {
    let references = Template::parse(source).map(|template| template.references()).unwrap_or_default();
    references.iter().any(|reference| is_meant(&reference.path))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::experiment::{DimensionDraft, Draft, LlmDraft, StageDraft};
    use domain::scoring::ScoringDraft;

    use super::*;

    fn told(prompt: &str, system: Option<&str>, prompts: &[&str]) -> Vec<String> {
        let stage = LlmDraft {
            model: Some("m".into()),
            prompt: prompt.into(),
            system: system.map(str::to_owned),
            ..LlmDraft::default()
        };
        let dimension = DimensionDraft {
            target: Some("s.prompt".into()),
            default: None,
            levels: Levels::Choice(prompts.iter().map(|prompt| Value::from(*prompt)).collect()),
            when: BTreeMap::new(),
        };
        let space = (!prompts.is_empty()).then(|| ("p".to_owned(), dimension));
        let draft = Draft {
            name: "x".into(),
            samples: vec![Sample { input: "i".into(), reference: Some("r".into()), ..Sample::default() }],
            stages: vec![StageDraft::llm("s", stage)],
            scoring: vec![ScoringDraft {
                scorer: "length".into(),
                options: BTreeMap::from([("max".to_owned(), 5_i64.into())]),
                ..ScoringDraft::default()
            }],
            space: space.into_iter().collect(),
            repeats: 1,
            ..Draft::default()
        };
        warnings(&crate::experiments::check(&draft).unwrap(), &draft.samples)
    }

    #[test]
    fn samples_that_a_scorer_passes_over_are_counted() {
        let reference = Some(Value::from("r"));
        let samples = [Sample { reference, ..Sample::default() }, Sample::default(), Sample::default()];
        let scorer = |scorer: &str| ScoringDraft { scorer: scorer.into(), ..ScoringDraft::default() };
        let draft = Draft {
            name: "x".into(),
            stages: vec![StageDraft::llm(
                "s",
                LlmDraft { prompt: "{{ sample.input }}".into(), ..LlmDraft::default() },
            )],
            scoring: vec![scorer("exact_match")],
            repeats: 1,
            ..Draft::default()
        };
        let found = warnings(&draft.define().unwrap(), &samples);
        assert_eq!(found, ["2 of 3 samples have no reference: `exact_match` gives them no score"]);
    }

    #[test]
    fn prompts_that_never_read_the_sample_are_told() {
        for (prompt, system, prompts, expected) in [
            ("{{ sample.input }}", None, &[][..], &[][..]),
            ("Question: {input}", None, &[], &["the prompt of stage `s` never reads the sample"]),
            ("Go.", Some("{{ sample.meta | json }}"), &[], &[]),
            ("Go.", None, &["{{ sample.input }}"], &[]),
            (
                "Go.",
                None,
                &["{{ sample.input }}", "{input}"],
                &["value 1 of `p`, a prompt, never reads the sample"],
            ),
            ("{{ sample.input }}", None, &["{{ sample.reference }}"], &["stage `s` sees the reference"]),
        ] {
            let found = told(prompt, system, prompts);
            assert_eq!(found.len(), expected.len(), "{prompt}: {found:?}");
            assert!(
                found.iter().zip(expected).all(|(found, expected)| found.starts_with(expected)),
                "{found:?}"
            );
        }
    }
}
