//! Pipelines with stages that call a service of the user's own.

use std::time::Duration;

use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::fake_service::FakeService;
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use promptlooper_tests::support::server::Server;
use reqwest::Method;
use serde_json::{Value, json};

use super::crash::{UNFILLED, number};

const KEY: &str = "sk-never-shown";
const ALLOWED: [(&str, &str); 1] = [("OUTBOUND_ALLOW", "10.0.0.0/8, 127.0.0.1")];

/// An experiment of one stage that calls the service, which is the only one to be scored.
fn experiment(stage: &Value, inputs: &[&str]) -> Value {
    let mut fields = json!({"name": "shout", "kind": "http", "headers": {"X-Key": KEY}});
    fields.as_object_mut().unwrap().extend(stage.as_object().unwrap().clone());
    let samples = inputs.iter().enumerate();
    let samples = samples
        .map(|(n, input)| json!({"input": input, "reference": input.to_uppercase(), "meta": {"n": n}}));
    json!({
        "name": "services",
        "sample_data": samples.collect::<Vec<_>>(),
        "pipeline_stages": [fields],
        "scoring_config": [{"scorer": "exact_match"}],
        "parameter_space": {},
    })
}

async fn started(kind: Kind) -> (Home, FakeService, Server) {
    let (home, service) = (Home::new(kind).await, FakeService::start(Duration::from_millis(5)).await);
    let server = Server::start_with(&home, &["serve"], &ALLOWED).await;
    (home, service, server)
}

/// The sweep of an experiment, once it has settled, and its first run with its results.
async fn swept(server: &Server, id: &str) -> (Value, Value) {
    server.post(&format!("experiments/{id}/sweep"), json!({"kind": "grid"})).await;
    let sweep = server.settled(id).await;
    let runs = server.get(&format!("experiments/{id}/runs?sort=-created_at")).await;
    (sweep, server.get(&format!("runs/{}", runs["items"][0]["id"].as_str().unwrap())).await)
}

/// Every answer of the service goes through a model; both stages have calls in common between configurations.
fn chain(service: &FakeService, model: &FakeLlm) -> Value {
    let inputs: Vec<String> = (0..24).map(|n| format!("word{}", n % 18)).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let mut document = experiment(&json!({"url": "{{ params.unused }}", "output": "/text"}), &inputs);
    let say = json!({"name": "say", "kind": "llm", "endpoint": "fake", "model": "echo-1",
        "parameters": {"max_tokens": 8}, "prompt": "{{ params.tone }} {{ stages.shout.output }}"});
    document["pipeline_stages"][0]["url"] = json!(service.url("/shout"));
    document["pipeline_stages"][0]["body"] = json!({"input": "{{ sample.input }}"});
    document["pipeline_stages"].as_array_mut().unwrap().push(say);
    document["endpoints"] =
        json!([{"label": "fake", "kind": "openai", "url": model.url(), "limits": {"concurrency": 8}}]);
    let urls = json!([service.url("/shout?v=1"), service.url("/shout?v=2")]);
    document["parameter_space"] = json!({
        "where": {"target": "shout.url", "type": "choice", "values": urls},
        "tone": {"type": "choice", "values": ["dry", "warm"]},
    });
    document
}

#[tokio::test]
async fn each_distinct_call_is_made_once_and_no_header_is_shown() {
    for kind in Kind::ALL {
        let (_home, service, server) = started(kind).await;
        let model = FakeLlm::start(Options::default()).await.unwrap();
        let id = server.import(&chain(&service, &model)).await;
        let dry = server.post(&format!("experiments/{id}/sweep"), json!({"dry_run": true})).await;
        assert_eq!(dry["calls"], json!(4 * 24 * 2), "{dry}");
        let (sweep, run) = swept(&server, &id).await;
        assert_eq!(
            (&sweep["status"], &sweep["finish_reason"]),
            (&json!("completed"), &json!("all_runs")),
            "{sweep}"
        );

        // 18 distinct inputs at 2 URLs, and 18 texts in 2 tones.
        let (calls, distinct) = service.counts();
        assert_eq!((calls, distinct, model.counts().calls), (36, 36, 36), "{kind:?}");
        assert_eq!((sweep["calls"].as_u64(), model.counts().distinct), (Some(72), 36), "{kind:?}");
        assert_eq!(run["score"], json!(1.0), "{run}");
        assert!(service.requests().iter().all(|request| request.key.as_deref() == Some(KEY)));

        let results = run["stage_results"]["items"].as_array().unwrap();
        let shout = results.iter().find(|result| result["stage"] == "shout").unwrap();
        let sent = &shout["prompt_sent"];
        assert_eq!((&sent["method"], &sent["headers"]), (&json!("POST"), &json!(["x-key"])), "{shout}");
        assert!(sent["url"].as_str().unwrap().contains("/shout?v="), "{shout}");
        assert!(sent["body"]["input"].as_str().unwrap().starts_with("word"), "{shout}");
        assert!(shout["response_raw"].as_str().unwrap().contains("\"words\":1"), "{shout}");
        for absent in ["model_used", "cost", "cost_source", "error"] {
            assert_eq!(shout[absent], Value::Null, "{absent}: {shout}");
        }
        assert_eq!((&shout["tokens_in"], &shout["tokens_out"]), (&json!(0), &json!(0)), "{shout}");
        assert!(shout["latency_ms"].as_u64().unwrap() >= 5, "{shout}");
        let samples = server.get(&format!("runs/{}/samples", run["id"].as_str().unwrap())).await;
        let export = server.get(&format!("experiments/{id}/export/best")).await;
        let shown = server.get(&format!("experiments/{id}")).await;
        assert_eq!(shown["pipeline_stages"][0]["headers"], json!({"X-Key": "***"}), "{shown}");
        for shown in [&run, &samples, &export, &shown] {
            assert!(!shown.to_string().contains(KEY), "{shown}");
        }

        let again = server.post(&format!("experiments/{id}/sweep"), json!({"dry_run": true})).await;
        assert_eq!((&again["calls"], &again["cached_calls"]), (&json!(192), &json!(192)), "{again}");
        let (cached, _) = swept(&server, &id).await;
        assert_eq!((&cached["progress"]["cached"], service.counts().0), (&json!(4), 36), "{cached}");
    }
}

#[tokio::test]
async fn a_header_is_kept_sealed_and_stays_where_its_mask_comes_back() {
    for kind in Kind::ALL {
        let (home, service, server) = started(kind).await;
        let id = server.import(&experiment(&json!({"url": service.url("/shout")}), &["a"])).await;
        let (id, path) = (id.as_str(), format!("experiments/{id}"));
        let sealed = "SELECT count(*) AS n FROM experiment WHERE CAST(pipeline_stages AS text) LIKE '%X-Key%' \
             AND CAST(pipeline_stages AS text) NOT LIKE '%never-shown%'";
        assert_eq!(number(&home, sealed).await, 1, "{kind:?}");
        let shown = server.get(&path).await;
        let fields = ["project_id", "name", "pipeline_stages", "scoring_config", "parameter_space"];
        let mut document: Value = fields
            .map(|field| (field.to_owned(), shown[field].clone()))
            .into_iter()
            .collect::<serde_json::Map<_, _>>()
            .into();
        document["pipeline_stages"][0]["url"] = json!(service.url("/shout?v=2"));
        let (status, replaced) = server.send(Method::PUT, &path, Some(document.clone())).await;
        assert_eq!(
            (status.as_u16(), &replaced["pipeline_stages"][0]["headers"]["X-Key"]),
            (200, &json!("***")),
            "{replaced}"
        );
        swept(&server, id).await;
        let requests = service.requests();
        assert_eq!(
            (requests[0].path.as_str(), requests[0].key.as_deref()),
            ("/shout?v=2", Some(KEY)),
            "{kind:?}"
        );
        document["pipeline_stages"][0]["url"] = json!("http://elsewhere.example/");
        let (status, problem) = server.send(Method::PUT, &path, Some(document)).await;
        let pointer = json!("/pipeline_stages/0/headers/X-Key");
        assert_eq!((status.as_u16(), &problem["errors"][0]["pointer"]), (422, &pointer), "{problem}");
    }
}

#[tokio::test]
async fn two_workers_make_each_call_once() {
    let (home, service) =
        (Home::new(Kind::Postgres).await, FakeService::start(Duration::from_millis(20)).await);
    let model = FakeLlm::start(Options { port: 0, latency: Duration::from_millis(20) }).await.unwrap();
    let server = Server::start_with(&home, &["serve", "--no-execute"], &ALLOWED).await;
    // Each takes one run at a time, so that both have some of the four.
    let worker = || {
        let mut command = program::command(&home, &["worker"]);
        command.envs(ALLOWED).env("MAX_CONCURRENT_RUNS", "1").spawn().unwrap()
    };
    let _workers = [worker(), worker()];
    let id = server.import(&chain(&service, &model)).await;
    let (sweep, run) = swept(&server, &id).await;
    assert_eq!((&sweep["status"], &run["score"]), (&json!("completed"), &json!(1.0)), "{sweep}");
    assert_eq!((service.counts(), model.counts().calls), ((36, 36), 36));
}

#[tokio::test]
async fn what_usually_passes_is_tried_again() {
    let (_home, service, server) = started(Kind::Sqlite).await;
    for (path, times) in [("/status/429/2", 3), ("/status/503/1", 2)] {
        service.reset();
        let id = server
            .import(&experiment(&json!({"url": service.url(path), "output": "/text"}), &["a b", "c"]))
            .await;
        let (sweep, run) = swept(&server, &id).await;
        assert_eq!(
            (&sweep["finish_reason"], &run["score"]),
            (&json!("all_runs"), &json!(1.0)),
            "{path}: {run}"
        );
        assert_eq!(service.counts(), (2 * times, 2), "{path}");
        assert_eq!(sweep["calls"], json!(2), "{path}: each answer is counted once");
    }
}

#[tokio::test]
async fn a_refusal_fails_its_sample_and_pauses_nothing() {
    for kind in Kind::ALL {
        let (_home, service, server) = started(kind).await;
        let url = format!("{}{{{{ sample.input }}}}", service.url("/"));
        let inputs = ["status/401", "status/403", "status/402", "moved", "status/404", "shout"];
        let mut document = experiment(&json!({"url": url, "output": "/text"}), &inputs);
        document["sample_data"][5]["reference"] = json!("SHOUT");
        let id = server.import(&document).await;
        let (sweep, run) = swept(&server, &id).await;
        assert_eq!(
            (&sweep["status"], &sweep["finish_reason"]),
            (&json!("completed"), &json!("all_runs")),
            "{sweep}"
        );
        assert_eq!((&run["status"], &run["samples"]["failed"]), (&json!("completed"), &json!(5)), "{run}");
        let samples = server.get(&format!("runs/{}/samples", run["id"].as_str().unwrap())).await;
        let error = |sample: &Value| sample["stages"][0]["error"]["kind"].as_str().map(str::to_owned);
        let mut kinds: Vec<_> = samples["items"].as_array().unwrap().iter().map(error).collect();
        kinds.sort();
        let expected = ["quota_exhausted", "redirect", "refused_by_gateway", "rejected", "unauthorized"];
        let expected: Vec<_> =
            std::iter::once(None).chain(expected.map(|kind| Some(kind.to_owned()))).collect();
        assert_eq!(kinds, expected, "{samples}");
        assert!(!samples.to_string().contains(KEY), "{samples}");
        let shouted = service.requests().iter().filter(|request| request.path == "/shout").count();
        assert_eq!((service.counts(), shouted), ((6, 6), 1), "nothing is retried, and no redirect followed");
    }
}

#[tokio::test]
async fn a_long_wait_puts_the_run_back() {
    let (_home, service, server) = started(Kind::Sqlite).await;
    let id = server.import(&experiment(&json!({"url": service.url("/wait/3600")}), &["a"])).await;
    server.post(&format!("experiments/{id}/sweep"), json!({})).await;
    for _ in 0..200 {
        let run = server.get(&format!("experiments/{id}/runs")).await["items"][0].clone();
        if run["not_before"].is_string() {
            assert_eq!((&run["status"], service.counts()), (&json!("pending"), (1, 1)), "{run}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the run is not put back");
}

#[tokio::test]
async fn private_addresses_are_refused_until_they_are_listed_and_this_program_always() {
    let (home, service) = (Home::new(Kind::Sqlite).await, FakeService::start(Duration::ZERO).await);
    let document = experiment(&json!({"url": service.url("/shout"), "output": "/text"}), &["a"]);
    let server = Server::start(&home).await;
    let id = server.import(&document).await;
    let (sweep, run) = swept(&server, &id).await;
    assert_eq!(sweep["finish_reason"], json!("all_failed"), "{sweep}");
    let (error, told) =
        (&run["error"], "is a private address: an administrator can allow it with OUTBOUND_ALLOW=127.0.0.1");
    assert_eq!((&error["kind"], &error["stage"]), (&json!("address_refused"), &json!("shout")), "{run}");
    assert!(error["message"].as_str().unwrap().ends_with(told), "{run}");
    assert_eq!(service.counts().0, 0);
    server.stop().await;

    let server = Server::start_with(&home, &["serve"], &ALLOWED).await;
    let (_, run) = swept(&server, &id).await;
    assert_eq!((&run["score"], service.counts().0), (&json!(1.0), 1), "{run}");
    let url = format!("{}/api/v1/projects", server.url);
    let id = server.import(&experiment(&json!({"url": url}), &["a"])).await;
    let (_, run) = swept(&server, &id).await;
    assert_eq!(run["error"]["kind"], json!("address_refused"), "{run}");
    assert!(run["error"]["message"].as_str().unwrap().contains("PromptLooper itself"), "{run}");
}

#[tokio::test]
async fn a_file_says_how_to_allow_an_address() {
    let (home, service) = (Home::new(Kind::Sqlite).await, FakeService::start(Duration::ZERO).await);
    let key = json!({"x-key": "Bearer ${SHOUT_KEY}"});
    let stage = json!({"url": service.url("/shout"), "output": "/text", "headers": key});
    std::fs::write(home.folder().join("e.json"), experiment(&stage, &["a"]).to_string()).unwrap();
    let unset = program::run(&home, &["run", "e.json"]).await;
    assert!(unset.stderr.contains("the environment has no `SHOUT_KEY`"), "{unset:?}");
    let command = |allowed: &str| {
        let mut command = program::command(&home, &["run", "e.json", "--json"]);
        command.env("OUTBOUND_ALLOW", allowed).env("SHOUT_KEY", "from-outside").spawn()
    };
    let refused = program::finish(command("").unwrap()).await;
    assert!(refused.code == Some(1) && refused.stderr.contains("OUTBOUND_ALLOW=127.0.0.1"), "{refused:?}");
    let done = program::finish(command("127.0.0.1").unwrap()).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(service.requests()[0].key.as_deref(), Some("Bearer from-outside"));
    let wrong = program::finish(command("http://127.0.0.1").unwrap()).await;
    assert!(
        wrong.code == Some(1) && wrong.stderr.contains("OUTBOUND_ALLOW holds `http://127.0.0.1`"),
        "{wrong:?}"
    );
}

#[tokio::test]
async fn calls_without_the_cache_are_made_for_each_run() {
    for kind in Kind::ALL {
        let (_home, service, server) = started(kind).await;
        let stage = json!({"url": service.url("/shout"), "output": "/text", "cache": false});
        let id = server.import(&experiment(&stage, &["a", "a", "b"])).await;
        for made in [3, 6] {
            let dry = server.post(&format!("experiments/{id}/sweep"), json!({"dry_run": true})).await;
            assert_eq!((&dry["calls"], &dry["cached_calls"]), (&json!(3), &json!(0)), "{dry}");
            let (sweep, run) = swept(&server, &id).await;
            assert_eq!((&sweep["calls"], &run["score"]), (&json!(3), &json!(1.0)), "{kind:?}: {run}");
            assert_eq!((&run["status"], service.counts().0), (&json!("completed"), made), "{kind:?}: {run}");
        }
    }
}

#[tokio::test]
async fn a_budget_of_tokens_is_not_touched() {
    let (_home, service, server) = started(Kind::Sqlite).await;
    let id = server.import(&experiment(&json!({"url": service.url("/plain")}), &["a", "b"])).await;
    let budget = json!({"kind": "grid", "max_tokens": 1, "max_cost": 0.000_001});
    server.post(&format!("experiments/{id}/sweep"), budget).await;
    let sweep = server.settled(&id).await;
    assert_eq!((&sweep["finish_reason"], &sweep["cost"]), (&json!("all_runs"), &json!(0.0)), "{sweep}");
}

#[tokio::test]
async fn a_killed_run_pays_again_only_for_calls_in_flight() {
    for (kind, cache) in
        [(Kind::Sqlite, true), (Kind::Sqlite, false), (Kind::Postgres, true), (Kind::Postgres, false)]
    {
        let (home, service) = (Home::new(kind).await, FakeService::start(Duration::from_millis(20)).await);
        let inputs: Vec<String> = (0..120).map(|n| format!("word{n}")).collect();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let stage = json!({"url": service.url("/shout"), "output": "/text", "cache": cache});
        std::fs::write(home.folder().join("e.json"), experiment(&stage, &inputs).to_string()).unwrap();
        let start = || program::command(&home, &["run", "e.json", "--json"]).envs(ALLOWED).spawn().unwrap();
        let mut open = 0;
        for _ in 0..3 {
            let (mut child, before) = (start(), service.counts().0);
            while service.counts().0 < before + 24 && child.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            program::kill(child).await;
            open += number(&home, UNFILLED).await;
        }
        let done = program::finish(start()).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        let (calls, distinct) = service.counts();
        assert_eq!(distinct, 120, "{kind:?} {cache}");
        assert!(
            calls <= 120 + usize::try_from(open).unwrap(),
            "{kind:?} {cache}: {calls} calls, {open} were open"
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_no_json_fails_the_stage_that_answers_json() {
    let (_home, service, server) = started(Kind::Sqlite).await;
    let model = FakeLlm::start(Options::default()).await.unwrap();
    let mut document = experiment(&json!({"url": service.url("/shout")}), &["word"]);
    document["endpoints"] = json!([{"label": "fake", "kind": "openai", "url": model.url()}]);
    document["pipeline_stages"] = json!([
        {"name": "extract", "kind": "llm", "endpoint": "fake", "model": "echo-1", "response_format": "json",
         "prompt": "{{ sample.input }}"},
        {"name": "after", "kind": "llm", "endpoint": "fake", "model": "echo-1",
         "prompt": "{{ stages.extract.output.answer }}"},
    ]);
    document["scoring_config"] =
        json!([{"scorer": "format", "stage": "extract", "options": {"type": "json"}}]);
    let id = server.import(&document).await;
    let (sweep, run) = swept(&server, &id).await;
    assert_eq!(sweep["finish_reason"], json!("all_failed"), "{sweep}");
    let error = &run["error"];
    assert_eq!((&error["kind"], &error["stage"]), (&json!("not_json"), &json!("extract")), "{run}");
    assert_eq!(error["message"], json!("stage `extract` answered no JSON: word"), "{run}");
    let results = &run["stage_results"]["items"];
    assert_eq!((&results[0]["response_raw"], &results[1]), (&json!("word"), &Value::Null), "{run}");
    // Nothing more than that call: what follows it is never asked for.
    let dry = server.post(&format!("experiments/{id}/sweep"), json!({"dry_run": true})).await;
    assert_eq!((&dry["calls"], &dry["cached_calls"]), (&json!(1), &json!(1)), "{dry}");
    // The same of a service, and of a pointer that leads nowhere.
    for (path, output, kind) in [("/plain", "/text", "not_json"), ("/shout", "/nothing", "missing_output")] {
        let id =
            server.import(&experiment(&json!({"url": service.url(path), "output": output}), &["word"])).await;
        let (_, run) = swept(&server, &id).await;
        assert_eq!(run["error"]["kind"], json!(kind), "{run}");
        assert!(run["error"]["message"].as_str().unwrap().contains("stage `shout`"), "{run}");
    }
}

#[tokio::test]
async fn a_preview_shows_the_request_and_makes_it_where_that_is_wanted() {
    let (_home, service, server) = started(Kind::Sqlite).await;
    let project = server.post("projects", json!({"name": "p"})).await;
    let mut document = experiment(&json!({"url": service.url("/shout"), "cache": false}), &["a b"]);
    document["project_id"] = project["id"].clone();
    document["sample_data"][0]["reference"] = json!("THE REFERENCE");
    let preview = async |call: bool| {
        server.post("experiments/preview", json!({"document": document, "call": call})).await
    };
    let shown = preview(false).await;
    let request = &shown["stages"][0]["request"];
    assert_eq!((&request["headers"], &request["method"]), (&json!(["x-key"]), &json!("POST")), "{shown}");
    let context = json!({"params": {}, "stages": {}, "meta": {"n": 0}});
    assert_eq!(request["body"], json!({"input": "a b", "output": null, "context": context}), "{shown}");
    assert_eq!((&shown["stages"][0]["output"], service.counts().0), (&Value::Null, 0), "{shown}");
    for made in [1, 2] {
        let called = preview(true).await;
        assert_eq!(called["stages"][0]["output"], json!({"text": "A B", "words": 2}), "{called}");
        assert_eq!(service.counts().0, made, "each preview makes a call of its own");
        assert!(!called.to_string().contains(KEY), "{called}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_stage_is_said_with_its_place() {
    let (_home, service, server) = started(Kind::Sqlite).await;
    let project = server.post("projects", json!({"name": "p"})).await;
    let mut document = experiment(&json!({"url": service.url("/shout")}), &["a"]);
    document["project_id"] = project["id"].clone();
    for (field, value, pointer) in [
        ("url", json!("gopher://h/"), "/url"),
        ("url", json!("http://me:secret@h/"), "/url"),
        ("url", json!("http://h/{{ sample.question }}"), "/url"),
        ("headers", json!({"x key": "a"}), "/headers/x key"),
        ("headers", json!({"x-key": "a\nb"}), "/headers/x-key"),
        ("headers", json!({"x-key": "{{ params.nothing }}"}), "/headers/x-key"),
        ("body", json!({"a": ["{{ previous }}"]}), "/body/a/0"),
        ("body", json!("{{ nothing }}"), "/body"),
        ("output", json!("text"), "/output"),
        ("timeout_s", json!(0), "/timeout_s"),
        ("prompt", json!("x"), "/prompt"),
    ] {
        let mut wrong = document.clone();
        wrong["pipeline_stages"][0][field] = value;
        let (status, problem) = server.send(Method::POST, "experiments", Some(wrong)).await;
        assert_eq!(status.as_u16(), 422, "{problem}");
        let found = format!("/pipeline_stages/0{pointer}");
        let errors = problem["errors"].as_array().unwrap();
        assert!(errors.len() == 1 && errors[0]["pointer"] == json!(found), "{problem}");
    }
    let wrong =
        json!({"u": {"target": "shout.url", "type": "choice", "values": ["http://h/", "file:///etc"]}});
    document["parameter_space"] = wrong;
    let (status, problem) = server.send(Method::POST, "experiments", Some(document)).await;
    assert_eq!(
        (status.as_u16(), &problem["errors"][0]["pointer"]),
        (422, &json!("/parameter_space/u/values/1")),
        "{problem}"
    );
}
