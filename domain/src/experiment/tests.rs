use super::*;
use crate::sample::Sample;
use crate::scoring::ScoringDraft;
use crate::space::Levels;
use crate::space::Size;

pub(super) fn llm(stage: &mut StageDraft) -> &mut LlmDraft {
    let StageKindDraft::Llm(draft) = &mut stage.kind else { panic!("not an llm stage") };
    draft
}

fn stage(name: &str, prompt: &str) -> StageDraft {
    StageDraft::llm(name, LlmDraft { model: Some("m".into()), prompt: prompt.into(), ..LlmDraft::default() })
}

pub(super) fn choice(target: Option<&str>, values: &[Value]) -> DimensionDraft {
    let target = target.map(str::to_owned);
    DimensionDraft { target, default: None, levels: Levels::Choice(values.to_vec()), when: BTreeMap::new() }
}

/// A valid experiment.
pub(super) fn draft() -> Draft {
    let scorer = |name: &str| ScoringDraft { scorer: name.into(), ..ScoringDraft::default() };
    Draft {
        name: "triage".into(),
        samples: vec![Sample {
            input: Value::from("hi"),
            reference: Some(Value::from("x")),
            ..Sample::default()
        }],
        stages: vec![
            stage("sort", "Tone: {{ params.tone }}. {{ sample.input }}"),
            stage("check", "{{ previous }} {{ stages.sort.output }} {{ sample.index }}"),
        ],
        scoring: vec![scorer("exact_match")],
        space: BTreeMap::from([
            ("tone".to_owned(), choice(None, &[Value::from("dry"), Value::from("warm")])),
            ("model".to_owned(), choice(Some("sort.model"), &[Value::from("a"), Value::from("b")])),
        ]),
        repeats: 1,
        ..Draft::default()
    }
}

#[track_caller]
fn check(change: impl FnOnce(&mut Draft), pointer: &str, code: &str) {
    let mut changed = draft();
    change(&mut changed);
    let problems = changed.check().expect_err(pointer);
    let found = problems.iter().any(|problem| problem.pointer == pointer && problem.code == code);
    assert!(found, "no {code} at {pointer}: {problems:#?}");
}

#[test]
fn an_experiment_that_makes_sense_is_defined() {
    draft().check().unwrap();
    let definition = draft().define().unwrap();
    assert_eq!(definition.space().size(), Size::Points(4));
    assert_eq!(definition.judged_stage(&definition.scoring()[0]), 1);
}

#[test]
fn a_point_sets_the_targets_of_its_dimensions() {
    let definition = draft().define().unwrap();
    let values = Map::from([("tone".to_owned(), Value::from("dry")), ("model".to_owned(), Value::from("b"))]);
    let applied = definition.apply(&values, &definition.places(&values)).unwrap();
    assert_eq!(applied.stages[0].call_target().unwrap().model, Some("b"));
    assert_eq!(applied.stages[1].call_target().unwrap().model, Some("m"));
    assert_eq!(applied.params, values);
    assert_eq!(applied.free, Map::from([("tone".to_owned(), Value::from("dry"))]));
    let wrong = Map::from([("model".to_owned(), Value::from(3_i64))]);
    assert_eq!(definition.apply(&wrong, &definition.places(&wrong)).unwrap_err().pointer, "/values/model");
}

#[test]
fn what_is_missing_or_out_of_range_is_found() {
    check(|d| d.name = " ".into(), "/name", "invalid_name");
    check(|d| d.samples.clear(), "/sample_data", "empty");
    check(|d| d.stages.clear(), "/pipeline_stages", "empty");
    check(|d| d.scoring.clear(), "/scoring_config", "empty");
    check(|d| d.repeats = 0, "/repeats", "out_of_range");
    check(|d| d.holdout = 0.2, "/holdout", "too_few");
    check(|d| d.samples[0].input = Value::from("a\0b"), "/sample_data/0/input", "nul");
}

#[test]
fn stages_are_checked_in_their_place() {
    check(|d| d.stages[1].name = "sort".into(), "/pipeline_stages/1/name", "duplicate");
    check(|d| d.stages[0].name = "2nd".into(), "/pipeline_stages/0/name", "invalid_name");
    let set = |d: &mut Draft, name: &str, value| {
        drop(llm(&mut d.stages[0]).parameters.insert(name.to_owned(), value));
    };
    check(
        |d| set(d, "top_k", Value::from(3_i64)),
        "/pipeline_stages/0/parameters/top_k",
        "unknown_parameter",
    );
    check(
        |d| set(d, "temperature", Value::from("hot")),
        "/pipeline_stages/0/parameters/temperature",
        "wrong_value",
    );
    check(
        |d| llm(&mut d.stages[0]).response_format = Some(Value::from("xml")),
        "/pipeline_stages/0/response_format",
        "wrong_value",
    );
    check(
        |d| llm(&mut d.stages[0]).messages = vec![Value::from("hi")],
        "/pipeline_stages/0/messages/0",
        "wrong_value",
    );
}

#[test]
fn scorers_are_checked_in_their_place() {
    check(|d| d.scoring[0].scorer = "vibes".into(), "/scoring_config/0/scorer", "unknown_scorer");
    check(|d| d.scoring[0].weight = Some(-1.0), "/scoring_config/0/weight", "out_of_range");
    check(|d| d.scoring[0].weight = Some(0.0), "/scoring_config", "no_weight");
    check(|d| d.scoring[0].stage = Some("other".into()), "/scoring_config/0/stage", "unknown_stage");
    check(|d| d.scoring.push(d.scoring[0].clone()), "/scoring_config/1/name", "duplicate");
    let option = Map::from([("ignorecase".to_owned(), Value::from(true))]);
    check(|d| d.scoring[0].options = option, "/scoring_config/0/options/ignorecase", "unknown_option");
}

#[test]
fn dimensions_are_checked_in_their_place() {
    let put = |d: &mut Draft, dimension| drop(d.space.insert("x".to_owned(), dimension));
    let float = |low, high, step| DimensionDraft {
        target: Some("sort.temperature".into()),
        default: None,
        levels: Levels::Float { low, high, step, log: false },
        when: BTreeMap::new(),
    };
    check(|d| put(d, choice(None, &[])), "/parameter_space/x/values", "empty");
    check(|d| put(d, float(0.9, 0.1, None)), "/parameter_space/x/low", "low_above_high");
    check(|d| put(d, float(0.1, 0.9, Some(0.0))), "/parameter_space/x/step", "not_positive");
    check(|d| put(d, float(f64::NAN, 0.9, None)), "/parameter_space/x/low", "not_finite");
    check(|d| put(d, float(-1.0, 0.9, None)), "/parameter_space/x/low", "wrong_value");
    check(
        |d| put(d, choice(Some("other.model"), &[Value::from("a")])),
        "/parameter_space/x/target",
        "unknown_stage",
    );
    check(
        |d| put(d, choice(Some("sort.colour"), &[Value::from("a")])),
        "/parameter_space/x/target",
        "invalid_target",
    );
    check(
        |d| put(d, choice(Some("sort.model"), &[Value::from(1_i64)])),
        "/parameter_space/x/values/0",
        "wrong_value",
    );
}

#[test]
fn templates_are_checked_for_names_that_cannot_be_there() {
    let prompt = |text: &'static str| move |d: &mut Draft| llm(&mut d.stages[0]).prompt = text.into();
    let at = "/pipeline_stages/0/prompt";
    check(prompt("{{ sample.input"), at, "invalid_template");
    check(prompt("{{ sample.text }}"), at, "unknown_name");
    check(prompt("{{ params.style }}"), at, "unknown_name");
    check(prompt("{{ previous }}"), at, "unknown_name");
    check(prompt("{{ stages.check.output }}"), at, "unknown_name");
    check(prompt("{{ input }}"), at, "unknown_name");
    check(prompt("{{ sample.meta.lang }}"), at, "unknown_name");
    check(
        |d| llm(&mut d.stages[1]).prompt = "{{ stages.sort.score }}".into(),
        "/pipeline_stages/1/prompt",
        "unknown_name",
    );
    let prompts =
        choice(Some("sort.prompt"), &[Value::from("{{ sample.input }}"), Value::from("{{ oops }}")]);
    check(|d| drop(d.space.insert("p".into(), prompts)), "/parameter_space/p/values/1", "unknown_name");
    for fine in [
        "{{ sample.meta.lang | default('en') }}",
        "{% if sample.meta.lang is defined %}{{ sample.meta.lang }}{% endif %}",
    ] {
        let mut guarded = draft();
        llm(&mut guarded.stages[0]).prompt = fine.into();
        guarded.check().unwrap();
    }
}

#[test]
fn extra_fields_with_a_place_of_their_own_are_refused() {
    let keys = [
        "model",
        "messages",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "max_new_tokens",
        "stop",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "reasoning_effort",
        "verbosity",
        "response_format",
        "n",
        "best_of",
        "num_completions",
        "stream",
        "stream_options",
        "Max_Tokens",
    ];
    for key in keys {
        let extra = Map::from([(key.to_owned(), Value::from(8_000_i64))]);
        check(
            |d| llm(&mut d.stages[1]).extra = extra,
            &format!("/pipeline_stages/1/extra/{key}"),
            "reserved_field",
        );
        let dimension =
            choice(Some(&format!("sort.extra.{key}")), &[Value::from(1_i64), Value::from(8_000_i64)]);
        check(|d| drop(d.space.insert("x".into(), dimension)), "/parameter_space/x/target", "reserved_field");
    }
    let mut passed = draft();
    llm(&mut passed.stages[0]).extra = Map::from([("top_k".to_owned(), Value::from(40_i64))]);
    passed.space.insert("x".into(), choice(Some("sort.extra.min_p"), &[Value::number(0.1)]));
    passed.check().unwrap();
}

#[test]
fn a_stored_experiment_with_reserved_extra_fields_can_still_be_read() {
    let mut stored = draft();
    llm(&mut stored.stages[0]).extra = Map::from([("max_tokens".to_owned(), Value::from(8_000_i64))]);
    assert!(stored.check().is_err());
    stored.define().unwrap();
}

#[test]
fn too_much_of_anything_is_refused_with_the_limit() {
    let shot = Value::from([("role", Value::from("user")), ("content", Value::from("hi"))]);
    let numbers = |count: u64| (0..count).map(Value::from).collect::<Vec<_>>();
    check(|d| d.samples = vec![d.samples[0].clone(); 1_000_001], "/sample_data", "too_many");
    check(|d| d.documents = numbers(100_001), "/documents", "too_many");
    check(|d| d.stages = vec![d.stages[0].clone(); 101], "/pipeline_stages", "too_many");
    check(|d| llm(&mut d.stages[0]).messages = vec![shot; 1_001], "/pipeline_stages/0/messages", "too_many");
    check(|d| d.scoring = vec![d.scoring[0].clone(); 101], "/scoring_config", "too_many");
    let terms = Map::from([("required".to_owned(), Value::List(numbers(1_001)))]);
    check(|d| d.scoring[0].options = terms, "/scoring_config/0/options/required", "too_many");
    check(
        |d| drop(d.space.insert("x".into(), choice(None, &numbers(100_001)))),
        "/parameter_space/x/values",
        "too_many",
    );
    let mut many = draft();
    many.space.extend((0..1_000).map(|i| (format!("d{i}"), choice(None, &numbers(1)))));
    let problems = many.check().unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "/parameter_space: there are 1002 dimensions here, and there can be at most 1000"
    );
}
