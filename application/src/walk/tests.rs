use std::sync::Mutex;

use async_trait::async_trait;
use domain::configuration::{Binding, Configuration, ConfiguredStage};
use domain::endpoint::{EndpointIdentity, EndpointKind};
use domain::experiment::{Draft, LlmDraft, StageDraft};
use domain::sample::Sample;
use domain::scoring::ScoringDraft;
use domain::value::Map;
use futures::executor::block_on;

use super::*;
use crate::fixtures::completion;
use crate::ports::AnswerId;

/// Runs jobs where it is asked.
struct Inline;

#[async_trait]
impl Offload for Inline {
    async fn run(&self, job: Box<dyn FnOnce() + Send>) {
        job();
    }
}

/// Answers each stage with its text, as far as there are texts, and notes what was asked.
struct Texts {
    texts: Vec<Option<&'static str>>,
    asked: Mutex<Vec<String>>,
}

impl Answers for Texts {
    type Stop = ();

    fn owner(&self) -> String {
        "a walk".to_owned()
    }

    async fn answer(&self, stage: usize, calls: Vec<HashedCall>) -> Result<Replies, ()> {
        let Call::Chat(call) = &*calls[0].call else { panic!("not a chat call") };
        let prompt = call.messages[0].content.clone();
        self.asked.lock().unwrap().push(prompt);
        Ok(match self.texts[stage] {
            Some("fail") => Replies::Failed(vec![], StageError::new(FailureKind::Timeout, "too slow")),
            Some(text) => Replies::Complete(vec![answer(text)]),
            None => Replies::Unknown,
        })
    }
}

fn answer(text: &str) -> Arc<StoredAnswer> {
    let reply = Arc::new(completion(text));
    Arc::new(StoredAnswer { id: AnswerId(1), reply, cost: None, paid_by: None })
}

fn limit() -> Map {
    Map::from([("max".to_owned(), Value::from(9_u32))])
}

/// How each stage ended, and what was asked, for stages `a`, `b` and `c` with these prompts.
fn walked(prompts: &[&str], texts: Vec<Option<&'static str>>) -> (Vec<&'static str>, Vec<String>) {
    let stages = ["a", "b", "c"].iter().zip(prompts).map(|(name, prompt)| {
        StageDraft::llm(name, LlmDraft { prompt: (*prompt).into(), ..LlmDraft::default() })
    });
    let sample = Sample { input: "x".into(), ..Sample::default() };
    let scoring = vec![ScoringDraft { scorer: "length".into(), options: limit(), ..ScoringDraft::default() }];
    let (stages, samples) = (stages.collect(), vec![sample.clone()]);
    let draft = Draft { name: "e".into(), stages, samples, scoring, repeats: 1, ..Draft::default() };
    let definition = Arc::new(draft.define().unwrap());
    let configured = definition.stages().iter().map(|stage| ConfiguredStage {
        stage: stage.clone(),
        binding: Some(Binding {
            endpoint: EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1/v1"),
            model: "m".into(),
        }),
    });
    let configuration =
        Configuration { stages: configured.collect(), params: Map::new(), free: Map::new(), repeats: 1 };
    let pipeline = Arc::new(Pipeline::try_new(&configuration).unwrap());
    let answers = Texts { texts, asked: Mutex::default() };
    let walk = Walk { pipeline: &pipeline, definition: &definition, offload: &Inline };
    let record = block_on(walk.through(SampleProgress::new(sample.into_parts(0).0), 1, &answers)).unwrap();
    let ends = record.stages.iter().map(|stage| match &stage.end {
        StageEnd::Passed => "passed",
        StageEnd::Failed(error) if error.kind.as_str() == "timeout" => "failed",
        StageEnd::Failed(_) => "not rendered",
        StageEnd::Unanswered => "unanswered",
        StageEnd::Undetermined(_) => "undetermined",
    });
    (ends.collect(), answers.asked.into_inner().unwrap())
}

const CHAIN: [&str; 3] = ["{{ sample.input }}", "b {{ previous }}", "c {{ stages.a.output }}"];

#[test]
fn a_stage_sees_the_outputs_before_it() {
    let (ends, asked) = walked(&CHAIN, vec![Some("one"), Some("two"), Some("three")]);
    assert_eq!((ends, asked), (vec!["passed"; 3], vec!["x".into(), "b one".into(), "c one".into()]));
}

#[test]
fn nothing_follows_a_stage_that_failed() {
    let (ends, asked) = walked(&CHAIN, vec![Some("one"), Some("fail"), Some("three")]);
    assert_eq!((ends, asked.len()), (vec!["passed", "failed"], 2));
}

#[test]
fn past_a_stage_without_answers_goes_on_what_does_not_rest_on_it() {
    let prompts = ["{{ sample.input }}", "b {{ previous }}", "c {{ sample.input }}"];
    let (ends, asked) = walked(&prompts, vec![None, Some("two"), Some("three")]);
    assert_eq!(ends, ["unanswered", "undetermined", "passed"]);
    assert_eq!(asked, ["x", "c x"]);
}

#[test]
fn a_template_that_cannot_be_rendered_fails_the_sample() {
    let (ends, asked) = walked(&["{{ sample.input.lang }}"], vec![Some("one")]);
    assert_eq!((ends, asked.len()), (vec!["not rendered"], 0));
}
