use std::sync::Mutex;

use async_trait::async_trait;
use domain::call::{Call, Embedding, Flags, Reply, ReplyBody};
use domain::configuration::Configuration;
use domain::endpoint::{Endpoint, EndpointIdentity, EndpointKind};
use domain::experiment::{Draft, LlmDraft, StageDraft};
use domain::id::EndpointId;
use domain::run::{ErrorKind, StageError};
use domain::scoring::{AskedModel, Extract, Score, ScoringDraft};
use domain::value::{Map, Value};

use super::*;
use crate::fixtures::completion;
use crate::json;
use crate::ports::mocks::MockFormatChecker;
use crate::ports::{AnswerId, StoredAnswer};
use crate::walk::Replies;

/// Runs jobs where it is asked, and counts them.
#[derive(Default)]
struct Here(std::sync::atomic::AtomicUsize);

#[async_trait]
impl Offload for Here {
    async fn run(&self, job: Box<dyn FnOnce() + Send>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        job();
    }
}

/// Answers no calls.
struct Nobody;

impl ScorerAnswers for Nobody {
    type Stop = std::convert::Infallible;

    fn model(&self, _: AskedModel<'_>) -> Result<ScorerModel, String> {
        Err("there is no such endpoint".to_owned())
    }

    async fn answer(&self, _: ScorerQuestion) -> Result<Replies, Self::Stop> {
        Ok(Replies::Unknown)
    }
}

/// Answers each call with what a function makes of it, and counts the calls by the scorer's number.
struct Model<F> {
    says: F,
    asked: Mutex<Vec<(u32, u32)>>,
}

impl<F: Fn(&Call) -> Result<Reply, StageError> + Sync> ScorerAnswers for Model<F> {
    type Stop = std::convert::Infallible;

    fn model(&self, asked: AskedModel<'_>) -> Result<ScorerModel, String> {
        let (AskedModel::Judge(choice) | AskedModel::Embedding(choice)) = asked;
        let identity = EndpointIdentity::new(EndpointKind::OpenAi, "http://h/v1");
        let endpoint = Arc::new(Endpoint::new(EndpointId::new(1), "here", identity));
        Ok(ScorerModel { endpoint, model: choice.model.clone().unwrap_or_else(|| "default".to_owned()) })
    }

    async fn answer(&self, question: ScorerQuestion) -> Result<Replies, Self::Stop> {
        self.asked.lock().unwrap().push((question.scorer, question.first));
        let answers: Result<Vec<_>, StageError> = question
            .calls
            .iter()
            .map(|call| {
                let reply = Arc::new((self.says)(call)?);
                Ok(Arc::new(StoredAnswer { id: AnswerId(1), reply, cost: None, paid_by: None }))
            })
            .collect();
        Ok(answers.map_or_else(|error| Replies::Failed(vec![], error), Replies::Complete))
    }
}

fn judge<A: ScorerAnswers<Stop = std::convert::Infallible>>(
    evaluator: &Evaluator,
    progress: &SampleProgress,
    expected: &Expectations,
    answers: &A,
) -> RepeatScores {
    let pipeline = pipeline();
    let evidence = Evidence {
        pipeline: &pipeline,
        progress,
        expected,
        place: (0, 1),
        measured: Measured::default(),
        ratings: &[],
    };
    futures::executor::block_on(evaluator.judge(evidence, answers)).unwrap()
}

fn reply(text: &str, flags: Flags) -> Reply {
    Reply { flags, ..completion(text) }
}

fn scorer(scorer: &str, options: &str) -> ScoringDraft {
    let Value::Map(options) = json::parse(options).unwrap() else { panic!("{options}") };
    let name = Some(format!("{scorer}{}", Value::Map(options.clone())));
    ScoringDraft { name, scorer: scorer.to_owned(), options, ..ScoringDraft::default() }
}

fn definition(scoring: Vec<ScoringDraft>) -> Definition {
    let stage = StageDraft::llm("s", LlmDraft { prompt: "p".into(), ..LlmDraft::default() });
    Draft { name: "e".into(), stages: vec![stage], scoring, repeats: 1, ..Draft::default() }.define().unwrap()
}

fn judged(scoring: Vec<ScoringDraft>, formats: MockFormatChecker, output: &str) -> (RepeatScores, usize) {
    let here = Arc::new(Here::default());
    let ports = Ports { formats: Arc::new(formats), offload: here.clone() };
    let evaluator = Evaluator::new(Arc::new(definition(scoring)), ports);
    let judged = judge(&evaluator, &passed(output), &expecting("x"), &Nobody);
    (judged, here.0.load(std::sync::atomic::Ordering::Relaxed))
}

fn value(judged: &RepeatScores, scorer: usize) -> Option<f64> {
    judged.entries[scorer].judgement.as_ref().ok().map(|judgement| judgement.value.value())
}

fn pipeline() -> Pipeline {
    let params = Map::from([("tone".to_owned(), Value::from("dry"))]);
    let configuration = Configuration { stages: vec![], params, free: Map::new(), repeats: 1 };
    Pipeline::try_new(&configuration).unwrap()
}

fn expecting(reference: &str) -> Expectations {
    Expectations { references: vec![Value::from(reference)], ..Expectations::default() }
}

/// A sample that has passed the stage with an output.
fn passed(output: &str) -> SampleProgress {
    let mut progress = SampleProgress::new(Value::default());
    progress.passed("s", Value::from(output));
    progress
}

const RECURSIVE: &str = r##"{"type": "json_schema", "schema": {"anyOf": [{"items": {"$ref": "#"}}]}}"##;

#[test]
fn a_check_that_was_ended_fails_its_score_and_no_other() {
    let mut formats = MockFormatChecker::new();
    formats.expect_check().times(1).returning(|_, _| Err("it took too long".to_owned()));
    let (judged, jobs) = judged(vec![scorer("format", RECURSIVE), scorer("contains", "{}")], formats, "[x]");
    assert_eq!(judged.entries[0].judgement, Err("it took too long".to_owned()));
    assert_eq!((value(&judged, 1), judged.score, jobs), (Some(1.0), None, 0));
}

#[test]
fn what_is_bounded_never_goes_to_another_process() {
    let scoring = || vec![scorer("format", r#"{"type": "json"}"#), scorer("format", r#"{"type": "xml"}"#)];
    let mut formats = MockFormatChecker::new();
    formats.expect_check().never();
    let (judged, jobs) = judged(scoring(), formats, "[1]");
    assert_eq!((value(&judged, 0), value(&judged, 1), jobs), (Some(1.0), Some(0.0), 0));
}

#[test]
fn what_takes_long_is_done_elsewhere() {
    let mut formats = MockFormatChecker::new();
    formats.expect_check().times(1).returning(|_, _| Ok(Judgement::new(Score::ONE)));
    let scoring = vec![scorer("format", r#"{"type": "xml"}"#), scorer("similarity", "{}")];
    let (judged, jobs) = judged(scoring, formats, &"x".repeat(50_000));
    assert_eq!((value(&judged, 0), jobs), (Some(1.0), 1));
}

#[test]
fn texts_that_take_too_long_to_compare_have_no_score() {
    let long = "ab".repeat(500_000);
    let ports = Ports { formats: Arc::new(MockFormatChecker::new()), offload: Arc::new(Here::default()) };
    let evaluator = Evaluator::new(Arc::new(definition(vec![scorer("similarity", "{}")])), ports);
    let expected = expecting(&"ba".repeat(500_001));
    let judged = judge(&evaluator, &passed(&long), &expected, &Nobody);
    let told = judged.entries[0].judgement.as_ref().unwrap_err();
    assert!(told.contains("token_f1"), "{told}");
}

/// The scores by name, and the weighted score, of an output of a sample with these checks.
fn scored(scoring: Vec<ScoringDraft>, checks: Vec<ScoringDraft>, output: &str) -> (String, Option<f64>) {
    let names = domain::experiment::check_names(&[domain::sample::Sample {
        checks: checks.clone(),
        ..domain::sample::Sample::default()
    }]);
    let stage = StageDraft::llm("s", LlmDraft { prompt: "p".into(), ..LlmDraft::default() });
    let draft = Draft {
        name: "e".into(),
        stages: vec![stage],
        scoring,
        check_names: names,
        repeats: 1,
        ..Draft::default()
    };
    let ports = Ports { formats: Arc::new(MockFormatChecker::new()), offload: Arc::new(Here::default()) };
    let evaluator = Evaluator::new(Arc::new(draft.define().unwrap()), ports);
    let expected = Expectations { references: vec![Value::from("x")], checks };
    let judged = judge(&evaluator, &passed(output), &expected, &Nobody);
    let told = judged.entries.iter().map(|entry| {
        let value = entry.judgement.as_ref().map(|judgement| judgement.value.value());
        format!("{}={value:?}", evaluator.names()[entry.scorer as usize])
    });
    (told.collect::<Vec<_>>().join(" "), judged.score)
}

fn check(name: Option<&str>, scorer: &str, options: &str, weight: f64) -> ScoringDraft {
    let Value::Map(options) = json::parse(options).unwrap() else { panic!("{options}") };
    let (name, weight) = (name.map(str::to_owned), Some(weight));
    ScoringDraft { name, scorer: scorer.to_owned(), options, weight, ..ScoringDraft::default() }
}

#[test]
fn checks_count_beside_entries_and_stand_in_the_place_of_their_namesakes() {
    let entries =
        || vec![check(Some("same"), "exact_match", "{}", 1.0), check(None, "length", r#"{"max": 5}"#, 1.0)];
    assert_eq!(scored(entries(), vec![], "x"), ("same=Ok(1.0) length=Ok(1.0)".to_owned(), Some(1.0)));
    let checks = vec![
        check(Some("same"), "exact_match", r#"{"value": "y"}"#, 2.0),
        check(None, "contains", r#"{"value": "x"}"#, 1.0),
        check(None, "contains", r#"{"value": "z"}"#, 3.0),
    ];
    let told = "same=Ok(0.0) length=Ok(1.0) contains=Ok(0.25)".to_owned();
    assert_eq!(scored(entries(), checks, "x"), (told, Some((1.0 + 4.0 * 0.25) / 7.0)));
}

#[test]
fn a_part_of_the_output_is_judged_and_a_missing_part_is_worth_nothing() {
    let entry = |extract: Extract| ScoringDraft {
        extract: Some(extract),
        negate: true,
        ..check(None, "exact_match", "{}", 1.0)
    };
    let after = Extract { after: Some("=".into()), ..Extract::default() };
    assert_eq!(scored(vec![entry(after.clone())], vec![], "a = y").1, Some(1.0));
    assert_eq!(scored(vec![entry(after.clone())], vec![], "a = x").1, Some(0.0));
    assert_eq!(scored(vec![entry(after)], vec![], "nothing").1, Some(0.0));
}

#[test]
fn templates_among_options_see_the_parameters() {
    let entry = check(None, "contains", r#"{"value": "{{ params.tone }}"}"#, 1.0);
    assert_eq!(scored(vec![entry.clone()], vec![], "so dry").1, Some(1.0));
    assert_eq!(scored(vec![entry], vec![], "warm").1, Some(0.0));
}

/// What one scorer says with a model at hand: its value and its details, or why it failed.
fn asked<F: Fn(&Call) -> Result<Reply, StageError> + Sync>(
    draft: ScoringDraft,
    says: F,
) -> Result<(f64, Value), String> {
    let ports = Ports { formats: Arc::new(MockFormatChecker::new()), offload: Arc::new(Here::default()) };
    let evaluator = Evaluator::new(Arc::new(definition(vec![draft])), ports);
    let model = Model { says, asked: Mutex::default() };
    let mut judged = judge(&evaluator, &passed("The sky is blue"), &expecting("blue"), &model);
    assert_eq!(*model.asked.lock().unwrap(), [(0, 0)]);
    let judgement = judged.entries.remove(0).judgement?;
    Ok((judgement.value.value(), Value::Map(judgement.metadata)))
}

#[test]
fn a_judge_gives_a_score_with_its_reason_in_whatever_the_answer_is_wrapped() {
    for text in [
        r#"{"reason": "so", "score": 4}"#,
        "```json\n{\"reason\": \"so\", \"score\": 4}\n```",
        "<think>{\"score\": 1}</think>Here you are: {\"reason\": \"so\", \"score\": \"4\"}",
    ] {
        let (value, said) = asked(scorer("llm_judge", "{}"), |_| Ok(reply(text, Flags::default()))).unwrap();
        assert_eq!((value, said.as_map().unwrap().get("reason")), (0.75, Some(&Value::from("so"))), "{text}");
    }
}

#[test]
fn a_judge_that_was_cut_or_failed_gives_no_score_but_the_reason_why() {
    let cut = Flags { truncated: true, ..Flags::default() };
    let refused = Flags { refused: true, ..Flags::default() };
    let judge = || scorer("llm_judge", r#"{"max_tokens": 9}"#);
    let told = asked(judge(), |_| Ok(reply(r#"{"score": 4}"#, cut))).unwrap_err();
    assert_eq!(told, "the judge's answer was cut at its max_tokens of 9: raise it");
    let told = asked(judge(), |_| Ok(reply("", refused))).unwrap_err();
    assert_eq!(told, "the judge refused to answer");
    let told = asked(judge(), |_| Err(StageError::new(ErrorKind::Internal, "gone"))).unwrap_err();
    assert!(told.starts_with("`default` at `here`:") && told.ends_with("gone"), "{told}");
}

#[test]
fn a_prompt_of_ones_own_sees_the_output_and_the_sample() {
    let options = r#"{"prompt": "Is {{ output | upper }} right about {{ params.tone }}?", "model": "m"}"#;
    let seen = Mutex::new(String::new());
    let says = |call: &Call| {
        *seen.lock().unwrap() = call.request_text();
        Ok(reply(r#"{"score": 5}"#, Flags::default()))
    };
    assert_eq!(asked(scorer("llm_judge", options), says).unwrap().0, 1.0);
    assert!(seen.lock().unwrap().contains("Is THE SKY IS BLUE right about dry?"));
}

#[test]
fn embeddings_are_compared_with_the_reference() {
    let vector = |call: &Call| {
        let numbers = if call.request_text().contains("sky") { vec![1.0, 1.0] } else { vec![1.0, 0.0] };
        let body = ReplyBody::Embedding(Embedding::try_new(numbers).unwrap());
        Ok(Reply { body, ..completion("") })
    };
    let (value, _) = asked(scorer("embedding_similarity", "{}"), vector).unwrap();
    assert!((value - 0.5_f64.sqrt()).abs() < 1e-6, "{value}");
}

#[test]
fn a_scorer_without_an_endpoint_fails_alone() {
    let (judged, _) =
        judged(vec![scorer("llm_judge", "{}"), scorer("contains", "{}")], MockFormatChecker::new(), "x");
    assert_eq!(judged.entries[0].judgement, Err("there is no such endpoint".to_owned()));
    assert_eq!((value(&judged, 1), judged.score), (Some(1.0), None));
}
