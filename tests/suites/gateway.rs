//! Sweeps through `LiteLLM`'s proxy, a gateway as people run it, with the fake server behind it.

use std::process::Stdio;
use std::time::Duration;

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::Server;
use promptlooper_tests::support::tools;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

const MASTER_KEY: &str = "sk-of-the-gateway";

/// US dollars of a token.
const INPUT_PRICE: f64 = 1e-6;
const OUTPUT_PRICE: f64 = 2e-6;

/// How long the gateway may take to start: some 15 seconds of computing, on a machine that other tests keep busy.
const START_TIMEOUT: Duration = Duration::from_mins(3);

/// A running gateway; it ends when this is dropped.
struct Gateway {
    url: String,
    process: Child,
}

impl Gateway {
    async fn start(home: &Home, fake: &FakeLlm) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let config = home.folder().join("gateway.yaml");
        std::fs::write(&config, configuration(&fake.url()).to_string()).unwrap();
        let log = std::fs::File::create(home.folder().join("gateway.log")).unwrap();
        let mut command = Command::new(tools::gateway_tool("litellm"));
        command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--num_workers", "1"]);
        command.args(["--telemetry", "False", "--config"]).arg(&config).current_dir(home.folder());
        // Prices and models as they are installed, not as they are published.
        command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).kill_on_drop(true);
        let mut gateway = Self { url: format!("http://127.0.0.1:{port}"), process: command.spawn().unwrap() };
        let started = tokio::time::timeout(START_TIMEOUT, gateway.started()).await;
        let said = || std::fs::read_to_string(home.folder().join("gateway.log")).unwrap();
        assert!(started.is_ok_and(|alive| alive), "the gateway does not start: {}", said());
        gateway.url.push_str("/v1");
        gateway
    }

    /// Waits until it answers; whether it does, rather than having ended.
    async fn started(&mut self) -> bool {
        let health = format!("{}/health/liveliness", self.url);
        while self.process.try_wait().unwrap().is_none() {
            if reqwest::get(&health).await.is_ok_and(|answer| answer.status().is_success()) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        false
    }
}

/// Every retry is left to who asks.
fn configuration(fake: &str) -> Value {
    let model = |name: &str, behind: &str| {
        json!({"model_name": name, "litellm_params": {
            "model": format!("openai/{behind}"), "api_base": fake, "api_key": "sk-of-the-fake", "max_retries": 0,
            "input_cost_per_token": INPUT_PRICE, "output_cost_per_token": OUTPUT_PRICE,
        }})
    };
    json!({
        "model_list": [
            model("echo", "echo-1"), model("limited", "fault-429x1-retry-1"), model("embedder", "embed-a"),
        ],
        "router_settings": {"num_retries": 0, "disable_cooldowns": true},
        "litellm_settings": {"num_retries": 0, "telemetry": false},
        "general_settings": {"master_key": MASTER_KEY},
    })
}

fn endpoint(label: &str, url: &str, key: &str) -> Value {
    json!({"label": label, "kind": "openai", "url": url, "api_key": key, "limits": {"concurrency": 4}})
}

/// A sweep of one run of a model, once it has settled, and the run.
async fn swept(server: &Server, document: Value) -> (Value, Value) {
    let experiment = server.import(&document).await;
    server.post(&format!("experiments/{experiment}/sweep"), json!({})).await;
    let sweep = server.settled(&experiment).await;
    let runs = server.get(&format!("experiments/{experiment}/runs")).await;
    let run = server.get(&format!("runs/{}", runs["items"][0]["id"].as_str().unwrap())).await;
    (sweep, run)
}

fn asking(endpoint: &Value, model: &str) -> Experiment {
    Experiment::echo("", 6, 1)
        .with("/endpoints/0", endpoint.clone())
        .with("/pipeline_stages/0/endpoint", endpoint["label"].clone())
        .with("/pipeline_stages/0/model", json!(model))
}

/// Answers come through whole, and with what the gateway says they cost.
async fn answers_are_scored_at_the_stated_cost(server: &Server, fake: &FakeLlm, endpoint: &Value) {
    let (sweep, run) = swept(server, asking(endpoint, "echo").document).await;
    assert_eq!((&sweep["status"], &run["score"]), (&json!("completed"), &json!(1.0)), "{run}");
    let counts = fake.counts();
    assert_eq!((counts.calls, counts.distinct), (6, 6));
    let mut stated = 0.0;
    for result in run["stage_results"]["items"].as_array().unwrap() {
        assert_eq!(result["cost_source"], "stated", "{result}");
        stated += result["cost"].as_f64().unwrap();
    }
    let (input, output) = (counts.input_tokens as f64, counts.output_tokens as f64);
    let expected = input * INPUT_PRICE + output * OUTPUT_PRICE;
    assert!((stated - expected).abs() < 1e-9, "{stated} stated, {expected} expected");
}

/// A limit of the server behind the gateway is waited for like the gateway's own.
async fn limits_are_waited_for(server: &Server, fake: &FakeLlm, endpoint: &Value) {
    fake.reset();
    let (sweep, run) = swept(server, asking(endpoint, "limited").document).await;
    assert_eq!((&sweep["status"], &run["score"]), (&json!("completed"), &json!(1.0)), "{run}");
    assert_eq!((fake.counts().calls, fake.counts().distinct), (12, 6), "each call is limited once");
}

async fn embeddings_come_through(server: &Server, fake: &FakeLlm, endpoint: &Value) {
    fake.reset();
    let label = &endpoint["label"];
    let mut experiment = asking(endpoint, "echo")
        .with("/documents", json!(["one red apple: fruit", "one fast car: vehicle"]))
        .with("/sample_data", json!([{"input": "one red apple", "reference": "fruit"}]))
        .with("/pipeline_stages/0/prompt", json!("{{ sample.input }}? {{ stages.find.output[0].text }}"));
    let stages = experiment.document["pipeline_stages"].as_array_mut().unwrap();
    stages.insert(
        0,
        json!({"name": "cut", "kind": "chunk", "input": "documents", "unit": "words", "chunk_size": 40}),
    );
    let find = json!({"name": "find", "kind": "retrieve", "from": "cut", "endpoint": label, "model": "embedder", "top_k": 1});
    stages.insert(1, find);
    let (sweep, run) = swept(server, experiment.document).await;
    assert_eq!((&sweep["status"], &run["score"]), (&json!("completed"), &json!(1.0)), "{run}");
    assert_eq!((fake.counts().embedded_texts, fake.counts().distinct_texts), (3, 3));
}

/// Without a database the gateway answers a key that it does not know in a way of its own.
async fn a_wrong_key_opens_the_breaker(server: &Server, fake: &FakeLlm, endpoint: &Value) {
    fake.reset();
    // A question of its own: the answers to others are known.
    let document = asking(endpoint, "echo")
        .with("/pipeline_stages/0/prompt", json!("Again: {{ sample.input }}"))
        .document;
    let (sweep, run) = swept(server, document).await;
    let paused = (&sweep["status"], &sweep["pause_reason"]);
    assert_eq!(paused, (&json!("paused"), &json!("endpoint")), "{sweep} {run}");
    assert_eq!(fake.counts().calls, 0);
}

#[tokio::test]
async fn a_gateway_is_a_server_like_others() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let gateway = Gateway::start(&home, &fake).await;
    let server = Server::start(&home).await;
    let named = |label| endpoint(label, &gateway.url, MASTER_KEY);
    answers_are_scored_at_the_stated_cost(&server, &fake, &named("scored")).await;
    limits_are_waited_for(&server, &fake, &named("limited")).await;
    embeddings_come_through(&server, &fake, &named("embedding")).await;
    a_wrong_key_opens_the_breaker(&server, &fake, &endpoint("wrong", &gateway.url, "sk-wrong")).await;
}
