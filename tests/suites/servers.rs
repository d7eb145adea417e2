//! What model servers do, over real HTTP, and what becomes of it in a run's results.
//!
//! Which test holds which behaviour. `names` is `the_real_adapter_sees_what_the_names_promise` of the fake server, `adapter` the tests of
//! `adapters/llm`, `client` those of `adapters/outbound`; all of them ask a real server. Other names are suites.
//!
//! | # | the server does | held by |
//! |---|---|---|
//! | 1 | 429 with a wait | `sweep`, `pace`, `gateway` |
//! | 2 | 429 with a long wait or garbage | `single_runs`, adapter |
//! | 3 | quota used up, 402 | `single_runs`, adapter |
//! | 4 | 5xx, 408, 409; loads its model | `sweep`, adapter; `a_server_that_loads_its_model_is_asked_by_one_call_at_a_time` |
//! | 5 | refuses the configuration, or the sample | `refusals`; `what_fails_is_named` |
//! | 5a, 5b | 401, 403 | `sweep`, `refusals`, `single_runs` |
//! | 5c | filters the prompt | `odd_answers_are_kept_with_what_is_odd_about_them` |
//! | 6 | refuses or resets the connection | `sweep`, client |
//! | 7 | breaks off | `sweep`, names |
//! | 8 | never answers, or byte by byte | `silence_is_asked_again_once`, names |
//! | 9 | endless or compressed bodies | `what_fails_is_named`, client |
//! | 10 | the wrong content type | adapter |
//! | 11 | no JSON, or another | `protocols`, names |
//! | 12 | no choices | `sweep` |
//! | 13, 14, 15 | tool calls, refusals, the limit | `single_runs`, `protocols`; `odd_answers_are_kept_with_what_is_odd_about_them` |
//! | 16 | wrong counts of tokens | names, `single_runs` |
//! | 17, 18 | parts; text that is none | `odd_answers_are_kept_with_what_is_odd_about_them`, names |
//! | 19 | redirects | `what_fails_is_named` |
//! | 20 | another model, provider, fingerprint, tier | `who_answered_is_kept`, `a_run_that_several_versions_of_a_server_answered_is_marked` |
//! | 21 | unknown fields, duplicate keys | `odd_answers_are_kept_with_what_is_odd_about_them` |
//! | 22 | an error with status 200 | `what_fails_is_named`, `protocols` |
//! | 23 | lists 100,000 models | `a_vast_list_of_models_is_cut` |
//! | 24 | a header of 1 MB | `what_fails_is_named` |
//! | 25 | cuts the prompt | `a_prompt_that_the_server_cuts_is_flagged` |
//! | 26 | thinks | `thoughts_are_kept_apart_from_the_answer` |

use std::time::{Duration, Instant};

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

struct Setting {
    fake: FakeLlm,
    server: Server,
    _home: Home,
}

impl Setting {
    async fn new() -> Self {
        let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
        Self { fake, server: Server::start(&home).await, _home: home }
    }

    /// Asks one question of a model; the run, and what came of its only sample.
    async fn asked(&self, model: &str, prompt: &str) -> (Value, Value) {
        // A label of its own: models are asked more than once.
        let label = format!("{model}-{}", self.fake.counts().calls);
        let endpoint = json!({"label": label, "kind": "openai", "url": self.fake.url(), "timeout_s": 3});
        let document = Experiment::echo(&self.fake.url(), 1, 1)
            .with("/sample_data/0", json!({"input": "hi", "reference": "hi"}))
            .with("/endpoints/0", endpoint)
            .with("/pipeline_stages/0/endpoint", json!(label))
            .with("/pipeline_stages/0/model", json!(model))
            .with("/pipeline_stages/0/prompt", json!(prompt))
            .document;
        let experiment = self.server.import(&document).await;
        let wanted = json!({"experiment_id": experiment, "values": {}});
        let run = self.server.post("runs?wait=30", wanted).await;
        let run = self.server.get(&format!("runs/{}", run["id"].as_str().unwrap())).await;
        let result = run["stage_results"]["items"][0].clone();
        (run, result)
    }
}

const PROMPT: &str = "Say {{ sample.input }}";

#[tokio::test]
async fn what_fails_is_named() {
    let setting = Setting::new().await;
    for (model, kind, said, calls) in [
        ("fault-headers", "bad_http", "", 1),
        ("fault-context", "rejected", "fake error 400", 1),
        ("fault-endless", "response_too_large", "", 1),
        ("fault-302", "redirect", "/elsewhere", 1),
        ("fault-error-beside", "upstream_5xx", "it broke off", 4),
        ("fault-abort", "upstream_5xx", "abort", 4),
        ("fault-deep", "malformed", "[[[[", 2),
    ] {
        let before = setting.fake.counts().calls;
        let (run, result) = setting.asked(model, PROMPT).await;
        assert_eq!(
            (&run["status"], &run["error"]["kind"]),
            (&json!("failed"), &json!(kind)),
            "{model}: {run}"
        );
        assert_eq!(result["error"]["kind"], json!(kind), "{model}: {result}");
        let message = result["error"]["message"].as_str().unwrap();
        assert!(message.contains(said) && message.len() < 2_000, "{model}: {message}");
        assert_eq!(setting.fake.counts().calls - before, calls, "{model}");
    }
    // The process has survived all of that.
    let (run, _) = setting.asked("echo-1", PROMPT).await;
    assert_eq!(run["score"], json!(1.0), "{run}");
}

#[tokio::test]
async fn odd_answers_are_kept_with_what_is_odd_about_them() {
    let setting = Setting::new().await;
    for (model, text, flags) in [
        ("fault-filtered", "", json!(["refused", "tokens_estimated"])),
        ("fault-refusal", "", json!(["refused"])),
        ("fault-spent", "", json!(["truncated", "no_output"])),
        ("fault-stream", "hi", json!(["tokens_estimated"])),
        ("fault-extras", "hi", json!([])),
        ("fault-parts", "hi", json!([])),
        ("fault-bytes", "\u{fffd}i", json!(["lossy_text"])),
        ("fault-usage-1e30", "hi", json!(["tokens_estimated"])),
    ] {
        let before = setting.fake.counts().calls;
        let (run, result) = setting.asked(model, PROMPT).await;
        assert_eq!(run["status"], json!("completed"), "{model}: {run}");
        assert_eq!((&result["response_raw"], &result["flags"]), (&json!(text), &flags), "{model}: {result}");
        assert_eq!(setting.fake.counts().calls - before, 1, "{model}");
    }
}

#[tokio::test]
async fn thoughts_are_kept_apart_from_the_answer() {
    let setting = Setting::new().await;
    for (model, raw) in [
        ("fault-think", "<think>hm</think>hi"),
        ("fault-reasoning", "hi"),
        ("fault-reasoning-content", "hi"),
        ("fault-reasoning-details", "hi"),
    ] {
        let (run, result) = setting.asked(model, PROMPT).await;
        // The scorer saw the answer alone.
        assert_eq!((&run["status"], &run["score"]), (&json!("completed"), &json!(1.0)), "{model}: {run}");
        assert_eq!(result["response_raw"], json!(raw), "{model}: {result}");
        if raw == "hi" {
            assert_eq!(result["reasoning"], json!("hm"), "{model}: {result}");
        }
    }
}

#[tokio::test]
async fn who_answered_is_kept() {
    const FIELDS: [&str; 4] = ["model_returned", "provider", "system_fingerprint", "service_tier"];
    let setting = Setting::new().await;
    for (model, answered) in [
        ("echo-1", [Value::Null, Value::Null, Value::Null, Value::Null]),
        ("fault-other-model", [json!("another-model"), Value::Null, Value::Null, Value::Null]),
        ("fault-provider", [json!("another-model"), json!("elsewhere"), json!("fp-2"), json!("flex")]),
    ] {
        let (run, result) = setting.asked(model, PROMPT).await;
        assert_eq!(run["score"], json!(1.0), "{model}: {run}");
        assert_eq!(FIELDS.map(|name| result[name].clone()), answered, "{result}");
        assert_eq!(result["model_used"], json!(model), "{result}");
    }
}

#[tokio::test]
async fn a_run_that_several_versions_of_a_server_answered_is_marked() {
    let setting = Setting::new().await;
    for (model, mixed) in [("fault-provider", Value::Null), ("fault-versions", json!(true))] {
        let document = Experiment::echo(&setting.fake.url(), 3, 1)
            .with("/endpoints/0/label", json!(model))
            .with("/pipeline_stages/0/endpoint", json!(model))
            .with("/pipeline_stages/0/model", json!(model))
            .document;
        let experiment = setting.server.import(&document).await;
        let wanted = json!({"experiment_id": experiment, "values": {}});
        let run = setting.server.post("runs?wait=30", wanted).await;
        assert_eq!((&run["status"], &run["mixed"]), (&json!("completed"), &mixed), "{model}: {run}");
    }
}

#[tokio::test]
async fn a_prompt_that_the_server_cuts_is_flagged() {
    let setting = Setting::new().await;
    for (prompt, flags) in [(PROMPT.to_owned(), json!([])), ("word ".repeat(2_000), json!(["context_cut"]))] {
        let (run, result) = setting.asked("fault-cut", &prompt).await;
        assert_eq!((&run["status"], &result["flags"]), (&json!("completed"), &flags), "{run}");
    }
}

#[tokio::test]
async fn silence_is_asked_again_once() {
    let setting = Setting::new().await;
    for model in ["fault-hang", "fault-trickle"] {
        let before = setting.fake.counts().calls;
        let (run, _) = setting.asked(model, PROMPT).await;
        assert_eq!((&run["status"], &run["error"]["kind"]), (&json!("failed"), &json!("timeout")), "{run}");
        assert_eq!(setting.fake.counts().calls - before, 2, "{model}");
    }
}

/// Four calls are under way when the first of them is told that the model is loading. After that one is sent at a time, each
/// of them again after three seconds, until one succeeds.
#[tokio::test]
async fn a_server_that_loads_its_model_is_asked_by_one_call_at_a_time() {
    const LATENCY: Duration = Duration::from_secs(1);
    let setting = Setting::new().await;
    setting.fake.set_latency(LATENCY);
    let document = Experiment::echo(&setting.fake.url(), 4, 1)
        .with("/endpoints/0/limits/concurrency", json!(4))
        .with("/pipeline_stages/0/model", json!("fault-loadingx2"))
        .document;
    let experiment = setting.server.import(&document).await;
    setting.server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
    let sweep = setting.server.settled(&experiment).await;
    assert_eq!(
        (&sweep["status"], &sweep["finish_reason"]),
        (&json!("completed"), &json!("all_runs")),
        "{sweep}"
    );
    let run = &setting.server.get(&format!("experiments/{experiment}/runs")).await["items"][0];
    assert_eq!((&run["score"], &run["status"]), (&json!(1.0), &json!("completed")), "{run}");
    let at: Vec<Instant> = setting.fake.arrivals().iter().map(|arrival| arrival.at).collect();
    assert_eq!(at.len(), 12, "each of four calls is refused twice, then answered: {at:?}");
    assert!(at[3].duration_since(at[0]) < LATENCY, "four at once, before anything is known: {at:?}");
    assert!(at[4] >= at[0] + LATENCY + Duration::from_secs(3), "{at:?}");
    for pair in at[4..9].windows(2) {
        assert!(pair[1].duration_since(pair[0]) >= LATENCY, "one at a time while it loads: {at:?}");
    }
}

/// A server that answers its first request with this body; its URL.
async fn listing(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut vec![0; 1 << 16]).await;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
    });
    url
}

#[tokio::test]
async fn a_vast_list_of_models_is_cut() {
    let setting = Setting::new().await;
    let entries = (0..100_000).map(|i| format!(r#"{{"id":"model-{i}-{}"}}"#, "x".repeat(i % 50 / 49 * 300)));
    let url = listing(format!(r#"{{"data":[{}]}}"#, entries.collect::<Vec<_>>().join(","))).await;
    let made = setting.server.post("endpoints", json!({"label": "vast", "kind": "openai", "url": url})).await;
    let path = format!("endpoints/{}/test", made["id"].as_str().unwrap());
    let tried = setting.server.post(&path, json!(null)).await;
    let models = tried["models"].as_array().unwrap();
    assert_eq!((&tried["ok"], &models[0]), (&json!(true), &json!("model-0-")));
    assert!(models.len() <= 1_000 && models.iter().all(|name| name.as_str().unwrap().len() <= 200));
    let (run, _) = setting.asked("echo-1", PROMPT).await;
    assert_eq!(run["score"], json!(1.0), "{run}");
}
