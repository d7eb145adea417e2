//! A search over a corpus of 2,000 documents: each distinct text is paid for once, whoever asks first, and it is quick.

use std::time::{Duration, Instant};

use promptlooper_tests::support::effort::{is_full, report};
use promptlooper_tests::support::fake_llm::FakeLlm;
use promptlooper_tests::support::home::Kind;
use promptlooper_tests::support::program;
use promptlooper_tests::support::server::Server;
use serde_json::{Value, json};

use super::{TOPICS, started};

/// Documents in the corpus, and how many of them have the text of another one.
const DOCUMENTS: usize = 2_000;
const REPEATED: usize = 40;
const SAMPLES: usize = 8;
/// Configurations of the whole grid, and those of them that are tried by default.
const GRID: usize = 32;
const TRIED: usize = 16;

/// A document whose last word answers a question about it.
fn document(number: usize) -> String {
    let number = number % (DOCUMENTS - REPEATED);
    let topic = TOPICS[number % TOPICS.len()];
    // The first request for it fails, and so does the first for its equal.
    let mark = if number == 3 { " [[stumble]]" } else { "" };
    format!("Record {number} speaks of the {topic} and of nothing else at all, says{mark} code{number}")
}

fn experiment(url: &str) -> Value {
    let samples: Vec<Value> = (0..SAMPLES)
        .map(|number| {
            let (number, topic) = (7 * number, TOPICS[7 * number % TOPICS.len()]);
            json!({"input": format!("Record {number} of the {topic}"), "reference": format!("code{number}")})
        })
        .collect();
    let prompts = ["{{ sample.input }}?", "Answer the question {{ sample.input }} by these texts:"];
    let texts = " {% for hit in stages.find.output %}{{ hit.text }} {% endfor %}";
    let choice = |target: &str, values: Value| json!({"target": target, "type": "choice", "values": values});
    json!({
        "name": "corpus",
        "endpoints": [{"label": "fake", "kind": "openai", "url": url, "limits": {"concurrency": 16}}],
        "documents": (0..DOCUMENTS).map(document).collect::<Vec<_>>(),
        "sample_data": samples,
        "pipeline_stages": [
            {"name": "cut", "kind": "chunk", "input": "documents", "unit": "words", "chunk_size": 20},
            {"name": "find", "kind": "retrieve", "from": "cut", "endpoint": "fake", "model": "embed-a", "top_k": 1},
            {"name": "say", "kind": "llm", "endpoint": "fake", "model": "echo-1", "prompt": "x",
             "parameters": {"max_tokens": 16}},
        ],
        "scoring_config": [{"scorer": "exact_match"}],
        "parameter_space": {
            "chunk_size": choice("cut.chunk_size", json!([8, 20])),
            "chunk_overlap": choice("cut.chunk_overlap", json!([0, 2])),
            "top_k": choice("find.top_k", json!([1, 3])),
            "embedder": choice("find.model", json!(["embed-a", "embed-b"])),
            "prompt": choice("say.prompt", json!(prompts.map(|prompt| format!("{prompt}{texts}")))),
        },
    })
}

fn sweep() -> Value {
    if is_full() { json!({"kind": "grid"}) } else { json!({"kind": "random", "seed": 5, "max_runs": TRIED}) }
}

fn configurations() -> usize {
    if is_full() { GRID } else { TRIED }
}

/// The endpoint received each distinct call once, and the sweep tells what was billed.
fn check_bill(fake: &FakeLlm, done: &Value, who: &str) {
    let counts = fake.counts();
    assert_eq!(counts.embedded_texts, counts.distinct_texts, "{who}: a text was paid for twice");
    assert_eq!(counts.calls, counts.distinct, "{who}: a prompt was paid for twice");
    assert_eq!(done["calls"], json!(counts.embedded_texts + counts.calls), "{who}: {done}");
    assert_eq!(done["tokens_in"], json!(counts.input_tokens), "{who}: {done}");
    assert_eq!(done["tokens_out"], json!(counts.output_tokens), "{who}: {done}");
}

/// Runs a sweep to its end, and prints how long it took.
async fn swept(server: &Server, id: &str, request: Value, who: &str) -> (Value, Duration) {
    let begun = Instant::now();
    server.post(&format!("experiments/{id}/sweep"), request).await;
    let done = server.settled(id).await;
    let took = begun.elapsed();
    report(&format!(
        "retrieval over {DOCUMENTS} documents, {who}: {:.1} s, {} calls, {} hits",
        took.as_secs_f64(),
        done["calls"],
        done["cache_hits"]
    ));
    (done, took)
}

#[tokio::test]
async fn a_space_over_2_000_documents_pays_for_each_distinct_text_once() {
    for kind in Kind::ALL {
        let (home, fake, server) = started(kind).await;
        // Two processes can share a database only on PostgreSQL.
        let _worker = (kind == Kind::Postgres).then(|| program::start(&home, &["worker"]));
        let id = server.import(&experiment(&fake.url())).await;
        let begun = Instant::now();
        let estimate =
            server.post(&format!("experiments/{id}/sweep"), json!({"dry_run": true, "kind": "grid"})).await;
        report(&format!(
            "its dry run, {kind:?}: {:.1} s, {} calls",
            begun.elapsed().as_secs_f64(),
            estimate["calls"]
        ));

        let (done, _) = swept(&server, &id, sweep(), &format!("{kind:?}")).await;
        let ended = ["completed", "cached"].map(|status| done["progress"][status].as_u64().unwrap());
        assert_eq!(ended.iter().sum::<u64>(), configurations() as u64, "{kind:?}: {done}");
        check_bill(&fake, &done, &format!("{kind:?}"));
        let counts = fake.counts();
        // Chunks of 20 words are whole documents, whatever their overlap; of 8 words the second ones differ by it.
        let distinct = DOCUMENTS - REPEATED;
        let texts = 3 * distinct as u64..8 * distinct as u64 + 100;
        assert!(texts.contains(&counts.distinct_texts), "{counts:?}");
        assert!(
            counts.embedding_requests < counts.embedded_texts / 30,
            "{counts:?}: texts went out one by one"
        );

        let runs = server.get(&format!("experiments/{id}/runs?limit=100")).await;
        let paid =
            runs["items"].as_array().unwrap().iter().map(|run| run["paid"]["tokens_in"].as_u64().unwrap());
        assert_eq!(paid.sum::<u64>(), counts.input_tokens, "{kind:?}: what each run says it paid for");
        let board = server.get(&format!("experiments/{id}/leaderboard?limit=50")).await;
        let best = &board["items"][0];
        assert_eq!(
            (&best["score"], &best["values"]["chunk_size"]),
            (&json!(1.0), &json!(20)),
            "{kind:?}: {best}"
        );

        fake.reset();
        let (cached, _) = swept(&server, &id, sweep(), &format!("{kind:?}, cached")).await;
        assert_eq!(cached["progress"]["cached"], json!(configurations()), "{kind:?}: {cached}");
        assert_eq!((fake.counts().embedding_requests, fake.counts().calls), (0, 0), "{kind:?}");
        assert_eq!(
            cached["cache_hits"],
            json!(done["calls"].as_u64().unwrap() + done["cache_hits"].as_u64().unwrap())
        );
    }
}

#[tokio::test]
async fn a_document_that_is_refused_fails_every_run_and_nothing_is_paid_for_twice() {
    for kind in Kind::ALL {
        let (_home, fake, server) = started(kind).await;
        let mut document = experiment(&fake.url());
        for number in [11, DOCUMENTS - REPEATED + 11] {
            document["documents"][number] = json!("Record 11 is too long [[refuse]]");
        }
        document["sample_data"].as_array_mut().unwrap().truncate(3);
        let space = document["parameter_space"].as_object_mut().unwrap();
        space.retain(|name, _| name == "top_k" || name == "prompt");
        let id = server.import(&document).await;
        let (done, _) = swept(&server, &id, json!({"kind": "grid"}), &format!("{kind:?}, one refused")).await;
        assert_eq!(
            (&done["finish_reason"], &done["progress"]["failed"]),
            (&json!("all_failed"), &json!(4)),
            "{done}"
        );
        check_bill(&fake, &done, &format!("{kind:?}"));
        let run = server.get(&format!("experiments/{id}/runs")).await["items"][0].clone();
        assert_eq!(
            (&run["error"]["kind"], &run["error"]["stage"]),
            (&json!("rejected"), &json!("find")),
            "{run}"
        );
        assert_eq!(fake.counts().distinct_texts, (DOCUMENTS - REPEATED - 1 + 3) as u64, "{kind:?}");
    }
}
