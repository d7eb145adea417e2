use std::time::Duration;

use domain::call::{Embedding, FailureKind, ReplyBody};
use domain::configuration::{Binding, Configuration, ConfiguredStage};
use domain::endpoint::{EndpointIdentity, EndpointKind};
use domain::money::NanoDollars;
use domain::name::Name;
use domain::pipeline::{Pipeline, SampleProgress, Step};
use domain::pricing::Tokens;
use domain::run::Asker;
use domain::stage::{ChunkInput, ChunkStage, RetrieveStage, Stage, StageKind};
use domain::text_unit::TextUnit;
use domain::value::{Map, Value};
use futures::executor::block_on;
use futures::future::join;

use super::*;
use crate::fixtures::completion;

/// An index of four texts that was made of these answers.
fn index(answers: &[Arc<StoredAnswer>]) -> CorpusIndex {
    let name = |text: &str| Name::try_new(text).unwrap();
    let chunk = ChunkStage { input: ChunkInput::Documents, unit: TextUnit::Words, size: 1, overlap: 0 };
    let retrieve = RetrieveStage {
        from: name("cut"),
        query: "q".to_owned(),
        endpoint: None,
        model: Some("m".to_owned()),
        top_k: 1,
    };
    let endpoint = EndpointIdentity::new(EndpointKind::OpenAi, "http://h/v1");
    let binding = Some(Binding { endpoint, model: "m".to_owned() });
    let stage = |name, kind, binding| ConfiguredStage { stage: Stage { name, kind }, binding };
    let stages = vec![
        stage(name("cut"), StageKind::Chunk(chunk), None),
        stage(name("find"), StageKind::Retrieve(retrieve), binding),
    ];
    let pipeline =
        Pipeline::try_new(&Configuration { stages, params: Map::new(), free: Map::new(), repeats: 1 })
            .unwrap();
    let documents = Value::List(vec!["a b c a".into()]);
    let mut progress = SampleProgress::new(Value::Null);
    let Step::Output(chunks) = pipeline.begin(0, &progress, &documents, 1).unwrap() else { panic!() };
    progress.passed("cut", chunks);
    let Step::Search(search) = pipeline.begin(1, &progress, &documents, 1).unwrap() else { panic!() };
    let corpus = search.corpus;
    let replies: Vec<&Reply> = answers.iter().map(|answer| &*answer.reply).collect();
    CorpusIndex::new(corpus.index(&replies).unwrap(), answers)
}

fn payer(sample: u32, call: u32) -> Payer {
    Payer { run: RunId::new(1), sample, repeat: 1, asker: Asker::Stage(1), call }
}

fn answer(id: i64, paid_by: Option<Payer>, from: &str) -> Arc<StoredAnswer> {
    let reply = Reply {
        body: ReplyBody::Embedding(Embedding::try_new(vec![1.0; 4]).unwrap()),
        tokens: Tokens { input: 10, output: 0 },
        latency: Duration::from_millis(3),
        system_fingerprint: Some(from.to_owned()),
        ..completion("")
    };
    let cost = Some(NanoDollars::new(7));
    Arc::new(StoredAnswer { id: AnswerId(id), reply: Arc::new(reply), cost, paid_by })
}

/// Two answers that one place paid for, one of them for two texts, and one of another.
fn four(from: &str) -> CorpusIndex {
    index(&[
        answer(1, Some(payer(0, 1)), "x"),
        answer(2, Some(payer(0, 2)), "x"),
        answer(3, Some(payer(5, 1)), from),
        answer(1, Some(payer(0, 1)), "x"),
    ])
}

#[test]
fn a_place_paid_for_its_own_answers_and_the_others_are_hits() {
    let index = four("x");
    for (sample, calls) in [(0, 2), (5, 1), (7, 0)] {
        let usage = index.usage(payer(sample, 9));
        assert_eq!((usage.calls, usage.hits), (calls, 4 - calls), "sample {sample}");
        assert_eq!((usage.tokens.input, usage.paid.input, usage.latency_ms), (40, 10 * calls, 12));
        assert_eq!(usage.paid_cost.unwrap().nanos(), 7 * i64::try_from(calls).unwrap());
        assert_eq!(index.paid_by(payer(sample, 0)).len() as u64, calls);
    }
    assert_eq!((index.origins().len(), four("y").origins().len()), (1, 2));
}

#[test]
fn one_of_several_that_ask_at_once_makes_an_index_and_a_failure_is_not_kept() {
    let indexes = Indexes::<u32>::default();
    let made = AsyncMutex::new(0);
    let ask = async |ready: bool| {
        let make = async {
            *made.lock().await += 1;
            if !ready {
                let error = StageError::new(FailureKind::Rejected, "no");
                return Ok::<_, ()>(IndexReply::Failed(Vec::new(), error));
            }
            Ok(IndexReply::Ready(Arc::new(four("x"))))
        };
        indexes.get_or_make(&1, make).await.unwrap()
    };
    block_on(async {
        for (ready, times) in [(false, 1), (true, 2), (false, 2)] {
            let reply = ask(ready).await;
            assert_eq!((matches!(reply, IndexReply::Ready(_)), *made.lock().await), (times == 2, times));
        }
        let (one, other) = join(ask(true), ask(true)).await;
        assert!(
            matches!((one, other), (IndexReply::Ready(_), IndexReply::Ready(_))) && *made.lock().await == 2
        );
        let other = indexes.get_or_make(&2, async { Err::<IndexReply, _>("stopping") }).await;
        assert_eq!(other.unwrap_err(), "stopping");
    });
}

/// Whether an index is kept, which it is not made for.
fn keeps(indexes: &Indexes<u32>, key: u32) -> bool {
    block_on(indexes.get_or_make(&key, async { Err::<IndexReply, ()>(()) })).is_ok()
}

fn add(indexes: &Indexes<u32>, key: u32) {
    let ready = async { Ok::<_, ()>(IndexReply::Ready(Arc::new(four("x")))) };
    assert!(block_on(indexes.get_or_make(&key, ready)).is_ok());
}

#[test]
fn the_least_recently_used_is_forgotten_for_want_of_room() {
    let indexes = Indexes::<u32> { max_bytes: 2 * four("x").size(), ..Indexes::default() };
    add(&indexes, 1);
    add(&indexes, 2);
    assert!(keeps(&indexes, 1));
    add(&indexes, 3);
    assert!(keeps(&indexes, 1) && !keeps(&indexes, 2) && keeps(&indexes, 3));
    let narrow = Indexes::<u32> { max_bytes: 1, ..Indexes::default() };
    add(&narrow, 1);
    assert!(keeps(&narrow, 1), "one that is too large is kept alone");
    add(&narrow, 2);
    assert!(!keeps(&narrow, 1) && keeps(&narrow, 2));
}

#[test]
fn what_nobody_uses_is_forgotten_after_a_while() {
    let indexes = Indexes::<u32>::default();
    add(&indexes, 1);
    for _ in 0..3 * IDLE_ROUNDS {
        indexes.forget_unused();
        assert!(keeps(&indexes, 1), "it is in use");
    }
    (0..=IDLE_ROUNDS).for_each(|_| indexes.forget_unused());
    assert!(!keeps(&indexes, 1));
}
