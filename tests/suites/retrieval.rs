//! Pipelines that split documents into chunks, embed them, and answer from the most similar ones.

mod corpus;

use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use reqwest::Method;
use serde_json::{Value, json};

const TOPICS: [&str; 6] = ["harbour", "orchard", "glacier", "workshop", "library", "meadow"];

/// Each question is answered by one document, whose last word is the answer.
fn experiment(url: &str) -> Value {
    let documents: Vec<Value> = (0..60)
        .map(|number| {
            let topic = TOPICS[number % TOPICS.len()];
            json!(format!("Record {number} speaks of the {topic} and of nothing else at all: code{number}"))
        })
        .collect();
    let samples: Vec<Value> = (0..12)
        .map(|number| {
            let topic = TOPICS[number % TOPICS.len()];
            json!({"input": format!("Record {number} of the {topic}"), "reference": format!("code{number}")})
        })
        .collect();
    json!({
        "name": "retrieval",
        "endpoints": [{"label": "fake", "kind": "openai", "url": url, "limits": {"concurrency": 8}}],
        "documents": documents,
        "sample_data": samples,
        "pipeline_stages": [
            {"name": "cut", "kind": "chunk", "input": "documents", "unit": "words", "chunk_size": 40},
            {"name": "find", "kind": "retrieve", "from": "cut", "endpoint": "fake", "model": "embed-a", "top_k": 1},
            {"name": "say", "kind": "llm", "endpoint": "fake", "model": "echo-1", "parameters": {"max_tokens": 16},
             "prompt": "{{ sample.input }}? {% for hit in stages.find.output %}{{ hit.text }} {% endfor %}"},
        ],
        "scoring_config": [{"scorer": "exact_match"}],
        "parameter_space": {
            "chunk_size": {"target": "cut.chunk_size", "type": "choice", "values": [20, 40, 5]},
            "top_k": {"target": "find.top_k", "type": "choice", "values": [1, 3]},
            "embedder": {"target": "find.model", "type": "choice", "values": ["embed-a", "embed-b"]},
        },
    })
}

async fn started(kind: Kind) -> (Home, FakeLlm, Server) {
    let home = Home::new(kind).await;
    let server = Server::start(&home).await;
    (home, FakeLlm::start(Options::default()).await.unwrap(), server)
}

#[tokio::test]
async fn a_space_over_chunks_embeddings_and_prompts_is_searched_and_pays_for_each_text_once() {
    for kind in Kind::ALL {
        let (_home, fake, server) = started(kind).await;
        let id = server.import(&experiment(&fake.url())).await;
        server.post(&format!("experiments/{id}/sweep"), json!({"kind": "grid"})).await;
        let done = server.settled(&id).await;
        let runs = ["completed", "cached"].map(|status| done["progress"][status].as_u64().unwrap());
        assert_eq!((&done["status"], runs.iter().sum::<u64>()), (&json!("completed"), 12), "{done}");

        let counts = fake.counts();
        assert_eq!(counts.embedded_texts, counts.distinct_texts, "{kind:?}: a text was paid for twice");
        assert_eq!(counts.calls, counts.distinct, "{kind:?}: a prompt was paid for twice");
        assert_eq!(done["calls"], json!(counts.embedded_texts + counts.calls), "{kind:?}");
        assert_eq!(done["tokens_in"], json!(counts.input_tokens), "{kind:?}: tokens of shared exchanges");
        // Sizes 20 and 40 give the same chunks, and many records share chunks of five words.
        assert!((300..500).contains(&counts.distinct_texts), "{counts:?}");
        assert!(
            counts.embedding_requests < counts.embedded_texts / 4,
            "{counts:?}: texts went out one by one"
        );

        let board = server.get(&format!("experiments/{id}/leaderboard?limit=20")).await;
        let best = &board["items"][0];
        assert_eq!(best["score"], json!(1.0), "{best}");
        assert_eq!(best["values"]["top_k"], json!(1), "{best}");
        let best = server.get(&format!("runs/{}", best["run_id"].as_str().unwrap())).await;
        let stages = best["config"]["stages"].as_array().unwrap();
        assert_eq!((&stages[0]["kind"], &stages[0]["url"]), (&json!("chunk"), &Value::Null));
        assert_eq!((&stages[1]["top_k"], &stages[1]["url"]), (&json!(1), &json!(fake.url())));
        let results = best["stage_results"]["items"].as_array().unwrap();
        assert_eq!(results[0]["cached"], json!(false), "a stage without calls is answered by no cache");
        assert!(results[1]["prompt_sent"].as_str().unwrap().starts_with("Record"), "{results:?}");

        let again = server.post(&format!("experiments/{id}/sweep"), json!({"dry_run": true})).await;
        assert_eq!(again["calls"], again["cached_calls"], "{again}");
        fake.reset();
        server.post(&format!("experiments/{id}/sweep"), json!({"kind": "grid"})).await;
        let cached = server.settled(&id).await;
        assert_eq!(
            (&cached["progress"]["cached"], fake.counts().embedding_requests),
            (&json!(12), 0),
            "{cached}"
        );
    }
}

#[tokio::test]
async fn a_text_that_the_server_refuses_fails_alone_and_is_named() {
    let (_home, fake, server) = started(Kind::Sqlite).await;
    let mut document = experiment(&fake.url());
    document["documents"][7] = json!("Record 7 is far too long [[refuse]]");
    document["parameter_space"] = json!({});
    let id = server.import(&document).await;
    server.post(&format!("experiments/{id}/sweep"), json!({})).await;
    let done = server.settled(&id).await;
    assert_eq!(
        (&done["status"], &done["finish_reason"]),
        (&json!("completed"), &json!("all_failed")),
        "{done}"
    );
    let run = server.get(&format!("experiments/{id}/runs")).await["items"][0].clone();
    assert_eq!(
        (&run["error"]["kind"], &run["error"]["stage"]),
        (&json!("rejected"), &json!("find")),
        "{run}"
    );
    let counts = fake.counts();
    assert_eq!(
        (counts.embedded_texts, counts.distinct_texts),
        (59 + 12, 59 + 12),
        "the others are embedded once"
    );
}

#[tokio::test]
async fn a_budget_holds_for_embeddings() {
    let (_home, fake, server) = started(Kind::Sqlite).await;
    let id = server.import(&experiment(&fake.url())).await;
    let budget = json!({"kind": "grid", "max_tokens": 4_000});
    server.post(&format!("experiments/{id}/sweep"), budget).await;
    let paused = server.settled(&id).await;
    assert_eq!(
        (&paused["status"], &paused["pause_reason"]),
        (&json!("paused"), &json!("budget")),
        "{paused}"
    );
    let counts = fake.counts();
    let (billed, told) = (
        counts.input_tokens + counts.output_tokens,
        paused["tokens_in"].as_u64().unwrap() + paused["tokens_out"].as_u64().unwrap(),
    );
    assert!(billed > 0 && told == billed && billed <= 4_000, "billed {billed}, told {told}");
}

#[tokio::test]
async fn a_preview_shows_what_each_stage_does() {
    let (_home, fake, server) = started(Kind::Sqlite).await;
    let document = experiment(&fake.url());
    server.import(&document).await;
    let draft = json!({
        "project_id": server.get("projects").await["items"][0]["id"],
        "name": "trial", "documents": document["documents"], "sample_data": document["sample_data"],
        "pipeline_stages": document["pipeline_stages"], "scoring_config": document["scoring_config"],
        "parameter_space": document["parameter_space"],
    });
    let preview = async |call: bool| {
        let values = json!({"chunk_size": 40, "top_k": 3, "embedder": "embed-a"});
        let body = json!({"document": draft, "sample_index": 2, "values": values, "call": call});
        server.post("experiments/preview", body).await
    };
    let shown = preview(false).await;
    let stages = shown["stages"].as_array().unwrap();
    assert_eq!(stages[0]["output"].as_array().unwrap().len(), 60, "{shown}");
    assert_eq!(stages[1]["request"]["texts"], json!(61), "{shown}");
    assert_eq!(stages[1]["request"]["input"][0], json!("Record 2 of the glacier"), "{shown}");
    assert_eq!((stages.len(), fake.counts().embedding_requests), (2, 0), "the prompt rests on an answer");
    let called = preview(true).await;
    let found = called["stages"][1]["output"].as_array().unwrap();
    assert_eq!((found.len(), &found[0]["index"]), (3, &json!(2)), "{called}");
    assert!(called["stages"][2]["messages"][0]["content"].as_str().unwrap().contains("code2"), "{called}");
}

/// The problem of an experiment that is refused.
async fn refused(server: &Server, document: &Value) -> Value {
    let mut document = document.clone();
    let fields = document.as_object_mut().unwrap();
    fields.remove("endpoints");
    let projects = server.get("projects").await;
    fields.insert("project_id".to_owned(), projects["items"][0]["id"].clone());
    let (status, problem) = server.send(Method::POST, "experiments", Some(document)).await;
    assert_eq!(status.as_u16(), 422, "{problem}");
    problem
}

#[tokio::test]
async fn what_is_wrong_with_a_stage_is_said_with_its_place() {
    let (_home, fake, server) = started(Kind::Sqlite).await;
    server.post("projects", json!({"name": "first"})).await;
    server.post("endpoints", json!({"label": "fake", "kind": "openai", "url": fake.url()})).await;
    server.post("endpoints", json!({"label": "claude", "kind": "anthropic", "url": fake.url()})).await;
    for (stage, field, value, code) in [
        (0, "chunk_size", json!(0), "out_of_range"),
        (0, "chunk_overlap", json!(40), "out_of_range"),
        (0, "unit", json!("pages"), "wrong_value"),
        (0, "prompt", json!("x"), "unexpected_field"),
        (1, "from", json!("say"), "unknown_stage"),
        (1, "top_k", json!(0), "out_of_range"),
        (1, "query", json!("{{ sample.question }}"), "unknown_name"),
        (1, "endpoint", json!("elsewhere"), "unknown_endpoint"),
        (1, "endpoint", json!("claude"), "no_embeddings"),
    ] {
        let mut document = experiment(&fake.url());
        document.as_object_mut().unwrap().remove("endpoints");
        document["pipeline_stages"][stage][field] = value;
        let problem = if field == "endpoint" {
            let id = server.import(&document).await;
            server.send(Method::POST, &format!("experiments/{id}/sweep"), Some(json!({}))).await.1
        } else {
            refused(&server, &document).await
        };
        let pointer = format!("/pipeline_stages/{stage}/{field}");
        let errors = problem["errors"].as_array().unwrap();
        let found = errors.iter().any(|error| error["pointer"] == pointer.as_str() && error["code"] == code);
        assert!(found, "{field}: {problem}");
    }
    let mut document = experiment(&fake.url());
    let endpoints = json!({"target": "find.endpoint", "type": "choice", "values": ["fake", "claude"]});
    document["parameter_space"]["where"] = endpoints;
    document.as_object_mut().unwrap().remove("endpoints");
    let id = server.import(&document).await;
    let path = format!("experiments/{id}/sweep");
    let problem = server.send(Method::POST, &path, Some(json!({}))).await.1;
    assert_eq!(problem["errors"][0]["pointer"], "/parameter_space/where/values/1", "{problem}");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("kind `openai`"), "{problem}");
    let body = json!({"experiment_id": id, "values": {"where": "claude", "chunk_size": 20, "top_k": 1, "embedder": "embed-a"}});
    let (status, problem) = server.send(Method::POST, "runs", Some(body)).await;
    assert_eq!((status.as_u16(), &problem["errors"][0]["code"]), (422, &json!("no_embeddings")), "{problem}");
    assert_eq!(fake.counts().embedding_requests, 0);
    let mut document = experiment(&fake.url());
    document["parameter_space"]["chunk_size"]["target"] = json!("say.chunk_size");
    let problem = refused(&server, &document).await;
    assert!(
        problem["errors"][0]["detail"].as_str().unwrap().contains("llm stage has no `chunk_size`"),
        "{problem}"
    );
}
