//! The settings of the installation: the endpoint and the models that hold where none are named.

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use promptlooper_tests::support::server::Server;
use reqwest::Method;
use serde_json::{Value, json};

/// A pipeline that names no endpoint and no model.
fn unnamed() -> Value {
    json!({
        "name": "unnamed",
        "documents": ["apples are red", "the sky is blue"],
        "sample_data": [{"input": "apples red"}],
        "pipeline_stages": [
            {"name": "cut", "kind": "chunk", "input": "documents", "chunk_size": 40},
            {"name": "find", "kind": "retrieve", "from": "cut", "top_k": 1},
            {"name": "say", "kind": "llm", "prompt": "{{ sample.input }} {{ stages.find.output | length }}",
             "parameters": {"max_tokens": 16}},
        ],
        "scoring_config": [{"scorer": "length", "options": {"min": 1}}],
    })
}

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

async fn put(server: &Server, settings: Value) -> (u16, Value) {
    let (status, body) = server.send(Method::PUT, "admin/settings", Some(settings)).await;
    (status.as_u16(), body)
}

async fn started(kind: Kind) -> (Home, FakeLlm, Server) {
    let home = Home::new(kind).await;
    let (fake, server) = (FakeLlm::start(Options::default()).await.unwrap(), Server::start(&home).await);
    server.post("endpoints", json!({"label": "fake", "kind": "openai", "url": fake.url()})).await;
    (home, fake, server)
}

/// Settings with the fake server's models.
fn all(model: &str) -> Value {
    json!({
        "allow_guest_access": true,
        "default_endpoint": "fake",
        "default_model": model,
        "default_judge_model": "judge-1",
        "default_embedding_model": "embed-a",
    })
}

#[tokio::test]
async fn settings_are_replaced_as_a_whole_or_not_at_all() {
    for kind in Kind::ALL {
        let (_home, _fake, server) = started(kind).await;
        assert_eq!(server.get("admin/settings").await, json!({"allow_guest_access": false}), "{kind:?}");
        assert_eq!(put(&server, all("echo-1")).await, (200, all("echo-1")), "{kind:?}");
        let mut wrong = all(" ");
        wrong["default_endpoint"] = json!("fakes");
        wrong["allow_guest_access"] = json!(false);
        let (status, problem) = put(&server, wrong).await;
        assert_eq!(
            (status, pointers(&problem)),
            (422, vec!["/default_model", "/default_endpoint"]),
            "{problem}"
        );
        assert!(problem.to_string().contains("did you mean `fake`"), "{problem}");
        assert_eq!(server.get("admin/settings").await, all("echo-1"), "{kind:?}: something was changed");
        let (status, problem) =
            put(&server, json!({"allow_guest_access": false, "default_model": "a\0b"})).await;
        assert_eq!(status, 422, "{kind:?}: {problem}");
        let few = json!({"allow_guest_access": false, "default_model": "echo-2"});
        put(&server, few.clone()).await;
        assert_eq!(server.get("admin/settings").await, few, "{kind:?}: what is left out is gone");
    }
}

#[tokio::test]
async fn the_default_endpoint_cannot_be_deleted_or_renamed() {
    for kind in Kind::ALL {
        let (_home, fake, server) = started(kind).await;
        put(&server, all("echo-1")).await;
        let endpoints = server.get("endpoints").await;
        let found = endpoints["items"].as_array().unwrap().iter().find(|item| item["label"] == "fake");
        let at = format!("endpoints/{}", found.unwrap()["id"].as_str().unwrap());
        let renamed = json!({"label": "other", "kind": "openai", "url": fake.url()});
        for (method, body) in [(Method::DELETE, None), (Method::PUT, Some(renamed))] {
            let (status, problem) = server.send(method.clone(), &at, body).await;
            let expected = (409, &json!("endpoint_in_use"));
            assert_eq!((status.as_u16(), &problem["code"]), expected, "{kind:?} {method}: {problem}");
        }
        put(&server, json!({"allow_guest_access": false})).await;
        let (status, problem) = server.send(Method::DELETE, &at, None).await;
        assert_eq!(status.as_u16(), 204, "{kind:?}: {problem}");
    }
}

#[tokio::test]
async fn stages_that_name_no_model_are_saved_where_the_settings_or_a_dimension_do() {
    for kind in Kind::ALL {
        let (_home, _fake, server) = started(kind).await;
        let project = server.post("projects", json!({"name": "p"})).await["id"].clone();
        let mut document = unnamed();
        document["project_id"] = project;
        let refused = async |document: &Value| {
            let (status, problem) = server.send(Method::POST, "experiments", Some(document.clone())).await;
            assert_eq!(status.as_u16(), 422, "{kind:?}: {problem}");
            problem
        };
        let both = ["/pipeline_stages/1/model", "/pipeline_stages/2/model"];
        let problem = refused(&document).await;
        assert_eq!(pointers(&problem), both, "{kind:?}");
        assert!(problem["errors"][1]["detail"].as_str().unwrap().contains("`default_model`"), "{problem}");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("`default_embedding_model`"));
        let shown = json!({"document": document, "sample_index": 0});
        let (_, problem) = server.send(Method::POST, "experiments/preview", Some(shown)).await;
        assert_eq!(pointers(&problem), both.map(|at| format!("/document{at}")), "{kind:?}");

        let model =
            |when: Value| json!({"target": "say.model", "type": "choice", "values": ["a"], "when": when});
        document["parameter_space"] = json!({
            "embedder": {"target": "find.model", "type": "choice", "values": ["embed-a"]},
            "short": {"type": "choice", "values": [true, false]},
            "model": model(json!({"short": true})),
        });
        assert_eq!(
            pointers(&refused(&document).await),
            both[1..],
            "{kind:?}: without a model where it is long"
        );
        document["parameter_space"]["model"] = model(json!({}));
        let made = server.post("experiments", document.clone()).await;

        document["parameter_space"] = json!({});
        let at = format!("experiments/{}", made["id"].as_str().unwrap());
        let (status, problem) = server.send(Method::PUT, &at, Some(document.clone())).await;
        assert_eq!((status.as_u16(), pointers(&problem)), (422, both.to_vec()), "{kind:?}: {problem}");
        put(&server, all("echo-1")).await;
        let (status, problem) = server.send(Method::PUT, &at, Some(document)).await;
        assert_eq!(status.as_u16(), 200, "{kind:?}: {problem}");
    }
}

/// The models that an endpoint was asked for, and those that the experiment's runs keep.
async fn kept(server: &Server, experiment: &str) -> Vec<Value> {
    let mut models = Vec::new();
    for run in server.get(&format!("experiments/{experiment}/runs")).await["items"].as_array().unwrap() {
        let run = server.get(&format!("runs/{}", run["id"].as_str().unwrap())).await;
        let results = run["stage_results"]["items"].as_array().unwrap();
        models.push(json!([results[1]["model_used"], results[2]["model_used"]]));
    }
    models
}

#[tokio::test]
async fn a_sweep_goes_by_the_settings_and_its_runs_keep_what_they_had() {
    for kind in Kind::ALL {
        let (_home, fake, server) = started(kind).await;
        put(&server, all("echo-1")).await;
        let id = server.import(&unnamed()).await;
        let sweep = format!("experiments/{id}/sweep");
        let estimate = server.post(&sweep, json!({"dry_run": true})).await;
        assert_eq!(estimate["calls"], json!(4), "{kind:?}: {estimate}");
        server.post(&sweep, json!({})).await;
        let done = server.settled(&id).await;
        assert_eq!(done["progress"]["completed"], json!(1), "{kind:?}: {done}");
        assert_eq!((fake.counts().models["echo-1"], fake.counts().embedded_texts), (1, 3), "{kind:?}");

        put(&server, all("echo-2")).await;
        server.post(&sweep, json!({})).await;
        let done = server.settled(&id).await;
        assert_eq!(
            done["progress"]["completed"],
            json!(1),
            "{kind:?}: another model is another call: {done}"
        );
        let expected = [json!(["embed-a", "echo-2"]), json!(["embed-a", "echo-1"])];
        assert_eq!(kept(&server, &id).await, expected, "{kind:?}");

        put(&server, json!({"allow_guest_access": false, "default_model": "echo-2"})).await;
        let (status, problem) = server.send(Method::POST, &sweep, Some(json!({}))).await;
        let expected =
            ["/pipeline_stages/1/endpoint", "/pipeline_stages/2/endpoint", "/pipeline_stages/1/model"];
        assert_eq!((status.as_u16(), pointers(&problem)), (422, expected.to_vec()), "{kind:?}: {problem}");
    }
}

#[tokio::test]
async fn a_file_goes_by_the_settings_of_its_database() {
    let (home, fake, server) = started(Kind::Sqlite).await;
    put(&server, all("echo-1")).await;
    server.stop().await;
    let mut document = unnamed();
    document["sweep"] = json!({"kind": "grid"});
    Experiment { document: document.clone() }.write(&home);
    let ran = program::run(&home, &["run", "experiment.json", "--json"]).await;
    assert_eq!((ran.code, fake.counts().models["echo-1"]), (Some(0), 1), "{ran:?}");

    let server = Server::start(&home).await;
    put(&server, json!({"allow_guest_access": false, "default_endpoint": "fake"})).await;
    server.stop().await;
    document["name"] = json!("another");
    Experiment { document }.write(&home);
    for arguments in [&["run", "experiment.json"][..], &["import", "experiment.json"]] {
        let refused = program::run(&home, arguments).await;
        let told = "experiment.json: /pipeline_stages/2/model: name the model";
        assert!(refused.code == Some(1) && refused.stderr.contains(told), "{refused:?}");
    }
}
