use super::*;

async fn fake() -> FakeLlm {
    FakeLlm::start(Options::default()).await.unwrap()
}

async fn ask(fake: &FakeLlm, model: &str, prompt: &str) -> reqwest::Result<reqwest::Response> {
    let url = format!("{}/chat/completions", fake.url());
    let messages = serde_json::json!([{"role": "user", "content": prompt}]);
    let body = serde_json::json!({"model": model, "messages": messages}).to_string();
    reqwest::Client::new().post(url).body(body).timeout(Duration::from_millis(300)).send().await
}

async fn text(fake: &FakeLlm, model: &str, prompt: &str) -> String {
    let body = ask(fake, model, prompt).await.unwrap().text().await.unwrap();
    let tree: serde_json::Value = serde_json::from_str(&body).unwrap();
    tree["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn models_answer_as_they_are_named() {
    let fake = fake().await;
    for (model, prompt, answer) in [
        ("good-1", "x [[answer:billing]] y", "billing"),
        ("bad-1", "x [[answer:billing]] y", "not-billing"),
        ("echo-1", "is it feature_request?", "feature_request"),
        ("fault-500x0", "x [[answer:bug]]", "bug"),
    ] {
        assert_eq!(text(&fake, model, prompt).await, answer, "{model}");
    }
    assert!(text(&fake, "json-1", "a bug").await.starts_with(r#"{"answer":"bug","n":"#));
    assert!(text(&fake, "judge-1", "grade [[answer:4]]").await.ends_with(r#""pass":true,"score":4}"#));
    assert_ne!(text(&fake, "m", "a").await, text(&fake, "m", "b").await);
}

#[tokio::test]
async fn what_happens_is_counted() {
    let fake = fake().await;
    fake.set_latency(Duration::from_millis(50));
    let (one, two) = tokio::join!(ask(&fake, "echo-1", "four"), ask(&fake, "echo-1", "four"));
    assert!(one.is_ok() && two.is_ok());
    fake.set_latency(Duration::ZERO);
    ask(&fake, "echo-2", "four").await.unwrap();
    let models = [("echo-1".to_owned(), 2), ("echo-2".to_owned(), 1)].into();
    let expected = Counts {
        calls: 3,
        distinct: 2,
        input_tokens: 3,
        output_tokens: 3,
        in_flight: 0,
        max_in_flight: 2,
        models,
        ..Counts::default()
    };
    assert_eq!(fake.counts(), expected);
    let base = fake.url().replace("/v1", "");
    let told = reqwest::get(format!("{base}/_counts")).await.unwrap().text().await.unwrap();
    assert_eq!(serde_json::from_str::<Counts>(&told).unwrap(), expected);
    reqwest::Client::new().post(format!("{base}/_reset")).send().await.unwrap();
    assert_eq!(fake.counts(), Counts::default());
}

#[tokio::test]
async fn faults_come_as_often_as_asked() {
    let fake = fake().await;
    for prompt in ["a", "b"] {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            let answer = ask(&fake, "fault-429x2-retry-0.2", prompt).await.unwrap();
            statuses.push((answer.status().as_u16(), answer.headers().contains_key("retry-after")));
        }
        assert_eq!(statuses, [(429, true), (429, true), (200, false)]);
    }
}

#[tokio::test]
async fn broken_connections_are_broken() {
    let fake = fake().await;
    assert!(ask(&fake, "fault-reset", "a").await.is_err());
    assert!(ask(&fake, "fault-hang", "a").await.unwrap_err().is_timeout());
    for model in ["fault-truncate", "fault-chunks", "fault-trickle", "fault-endless"] {
        let answer = ask(&fake, model, "a").await.unwrap();
        assert!(answer.bytes().await.is_err(), "{model}");
    }
}

#[tokio::test]
async fn a_request_without_an_answer_is_in_flight_until_its_client_leaves() {
    let fake = fake().await;
    let (asked, seen) = tokio::join!(ask(&fake, "fault-hang", "a"), async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        fake.counts().in_flight
    });
    assert!(asked.is_err());
    assert_eq!(seen, 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(fake.counts().in_flight, 0);
}

struct StoppedClock;

impl application::ports::Clock for StoppedClock {
    fn now(&self) -> domain::time::Timestamp {
        domain::time::Timestamp::from_micros(0)
    }
}

/// The result of the real adapter for a model: the kind of its failure, or the flags of its answer.
async fn seen(fake: &FakeLlm, model: &str) -> String {
    use domain::call::{ChatCall, Message, ResponseFormat, Role};
    use domain::endpoint::{Endpoint, EndpointIdentity, EndpointKind};

    let endpoint = Endpoint {
        timeout: Duration::from_millis(500),
        ..Endpoint::new(
            domain::id::EndpointId::new(1),
            "fake",
            EndpointIdentity::new(EndpointKind::OpenAi, &fake.url()),
        )
    };
    let call = ChatCall {
        endpoint: endpoint.identity.clone(),
        model: model.to_owned(),
        messages: vec![Message { role: Role::User, content: "[[answer:hi]]".to_owned() }],
        parameters: domain::value::Map::new(),
        response_format: ResponseFormat::Text,
        extra: domain::value::Map::new(),
        repeat: 1,
    };
    let client = outbound::Client::new(outbound::AddressPolicy::endpoints()).unwrap();
    let server = llm::OpenAiServer::new(client, Arc::new(StoppedClock));
    match application::ports::ModelServer::complete(&server, &endpoint, &call).await {
        Ok(completion) => {
            let flags = completion.flags.named().into_iter().filter(|(_, on)| *on).map(|(name, _)| name);
            format!("{} {}", completion.completion().unwrap().text, flags.collect::<Vec<_>>().join(" "))
                .trim()
                .to_owned()
        }
        Err(failure) => failure.kind.as_str().to_owned(),
    }
}

#[tokio::test]
async fn the_real_adapter_classifies_each_fault() {
    let fake = fake().await;
    for (model, expected) in [
        ("good-1", "hi"),
        ("fault-429", "rate_limited"),
        ("fault-429-retry-3600", "rate_limited"),
        ("fault-quota", "quota_exhausted"),
        ("fault-402", "quota_exhausted"),
        ("fault-401", "unauthorized"),
        ("fault-403", "refused_by_gateway"),
        ("fault-400", "rejected"),
        ("fault-302", "redirect"),
        ("fault-loading", "model_loading"),
        ("fault-context", "rejected"),
        ("fault-filtered", "refused tokens_estimated"),
        ("fault-headers", "bad_http"),
        ("fault-500", "upstream_5xx"),
        ("fault-reset", "connect"),
        ("fault-truncate", "truncated"),
        ("fault-chunks", "truncated"),
        ("fault-hang", "timeout"),
        ("fault-trickle", "timeout"),
        ("fault-endless", "response_too_large"),
        ("fault-html", "malformed"),
        ("fault-malformed", "malformed"),
        ("fault-empty-object", "malformed"),
        ("fault-empty-list", "malformed"),
        ("fault-deep", "malformed"),
        ("fault-error", "upstream_5xx"),
        ("fault-error-beside", "upstream_5xx"),
        ("fault-abort", "upstream_5xx"),
        ("fault-no-choices", "no_choices"),
        ("fault-null-content", "no_output"),
        ("fault-tool-calls", ""),
        ("fault-refusal", "refused"),
        ("fault-filter", "refused"),
        ("fault-length", "hi truncated"),
        ("fault-spent", "truncated no_output"),
        ("fault-cut", "hi"),
        ("fault-stream", "hi tokens_estimated"),
        ("fault-extras", "hi"),
        ("fault-think", "<think>hm</think>hi"),
        ("fault-reasoning", "hi"),
        ("fault-reasoning-content", "hi"),
        ("fault-reasoning-details", "hi"),
        ("fault-parts", "hi"),
        ("fault-nul", "a\u{fffd}b lossy_text"),
        ("fault-surrogate", "a\u{fffd}b lossy_text"),
        ("fault-bytes", "\u{fffd}i lossy_text"),
        ("fault-other-model", "hi"),
        ("fault-provider", "hi"),
        ("fault-versions", "hi"),
        ("fault-no-usage", "hi tokens_estimated"),
        ("fault-usage-null", "hi tokens_estimated"),
        ("fault-usage-negative", "hi tokens_estimated"),
        ("fault-usage-text", "hi tokens_estimated"),
        ("fault-usage-1e30", "hi tokens_estimated"),
        ("fault-unheard-of", "misconfigured"),
    ] {
        assert_eq!(seen(&fake, model).await, expected, "{model}");
    }
}
