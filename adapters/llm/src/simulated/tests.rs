use domain::call::{Message, ResponseFormat, Role};
use domain::endpoint::{EndpointIdentity, EndpointKind};
use domain::value::Map;

use super::*;

const TICKETS: [(&str, &str); 10] = [
    ("I was charged twice on my card, please send a corrected invoice.", "billing"),
    ("The VAT on my receipt is wrong for this payment.", "billing"),
    ("The app crashes with an error whenever I open the settings.", "bug"),
    ("The page stays blank and the button is broken.", "bug"),
    ("It would be great if you could add an export option.", "feature_request"),
    ("Please support dark mode, I would love an integration with it.", "feature_request"),
    ("I forgot my password and the reset email never comes, so my login fails.", "account"),
    ("Please delete my account and profile.", "account"),
    ("My parcel has not arrived and the tracking page says nothing.", "shipping"),
    ("The courier went to the wrong address with my package.", "shipping"),
];

const LABELS: &str = "Labels: billing, bug, feature_request, account, shipping";

fn call(model: &str, system: &str, user: &str) -> ChatCall {
    let message = |role, content: &str| Message { role, content: content.to_owned() };
    ChatCall {
        endpoint: EndpointIdentity::new(EndpointKind::Simulated, "sim"),
        model: model.to_owned(),
        messages: vec![message(Role::System, system), message(Role::User, user)],
        parameters: Map::new(),
        response_format: ResponseFormat::Text,
        extra: Map::new(),
        repeat: 1,
    }
}

fn at_temperature(temperature: f64, call: ChatCall) -> ChatCall {
    let parameters = Map::from([("temperature".to_owned(), Value::number(temperature))]);
    ChatCall { parameters, ..call }
}

fn text(call: &ChatCall) -> String {
    answer(Model::parse(&call.model).unwrap(), call)
}

/// The share of correct answers over the tickets, with 40 repetitions each.
fn accuracy(model: &str, system: &str, temperature: f64) -> f64 {
    let mut right = 0;
    for (ticket, label) in TICKETS {
        for repeat in 1..=40 {
            let call = at_temperature(temperature, call(model, system, &format!("Ticket: {ticket}")));
            right += usize::from(text(&ChatCall { repeat, ..call }) == label);
        }
    }
    right as f64 / (40 * TICKETS.len()) as f64
}

#[test]
fn models_temperatures_and_prompts_differ_measurably() {
    let plain = format!("Classify the ticket.\n{LABELS}");
    let good = format!("{plain}\nAnswer with only the label. Example: 'my parcel is late' -> shipping");
    let chatty = format!("{plain}\nThink step by step.");
    let table = [
        ("sim-large", &good, 0.25),
        ("sim-medium", &good, 0.25),
        ("sim-small", &good, 0.25),
        ("sim-small", &plain, 0.25),
        ("sim-small", &plain, 1.0),
        ("sim-small", &chatty, 0.25),
    ];
    let scores = table.map(|(model, system, temperature)| accuracy(model, system, temperature));
    assert!(scores.is_sorted_by(|better, worse| better > worse), "{scores:?}");
    assert!(scores[0] > 0.88 && scores[5] < 0.01, "{scores:?}");
}

#[test]
fn answers_depend_on_the_call_alone() {
    let ticket = |repeat| ChatCall { repeat, ..call("sim-small", LABELS, TICKETS[0].0) };
    let answers: Vec<String> = (1..40).map(|repeat| text(&ticket(repeat))).collect();
    assert_eq!(answers, (1..40).map(|repeat| text(&ticket(repeat))).collect::<Vec<_>>());
    assert!(answers.iter().any(|answer| *answer != answers[0]));
    let cold = |repeat| text(&at_temperature(0.0, ticket(repeat)));
    assert!((1..40).all(|repeat| cold(repeat) == cold(1)));
}

#[test]
fn labels_are_found_in_every_spelling() {
    let five = ["billing", "bug", "feature_request", "account", "shipping"];
    for system in [
        LABELS,
        "Choose one of: billing, bug, feature_request, account, or shipping.",
        "Categories:\n- billing: about money\n- bug\n- feature_request (ideas)\n- account\n- shipping\n\nGo.",
        "labels: [\"billing\", \"bug\", \"feature_request\", \"account\", \"shipping\"]",
    ] {
        assert_eq!(prompt::labels(&call("sim-large", system, "x")), five, "{system}");
    }
}

#[test]
fn the_text_is_separated_from_the_instructions() {
    for (user, item) in [
        ("Ticket: my card\nLabel:", "my card"),
        ("Classify.\nText:\nline one\nline two", "line one\nline two"),
        ("Labels: a, b\nmy card", "my card"),
        ("my card", "my card"),
    ] {
        assert_eq!(prompt::item(&call("sim-large", "", user)), item);
    }
}

#[test]
fn fields_are_read_as_json() {
    let user = "Answer in JSON. Keys: name, date, amount, currency, email\nText: On 2024-05-06 Ada Byron (ada@x.example) paid 12.50 EUR.";
    let plain = call("sim-large", "", user);
    let strict = |repeat| ChatCall { response_format: ResponseFormat::Json, repeat, ..plain.clone() };
    let right =
        r#"{"amount":12.5,"currency":"EUR","date":"2024-05-06","email":"ada@x.example","name":"Ada Byron"}"#;
    let answers: Vec<String> = (1..50).map(|repeat| text(&strict(repeat))).collect();
    assert!(answers.iter().filter(|answer| *answer == right).count() > 15, "{answers:?}");
    assert!(answers.iter().all(|answer| serde_json::from_str::<serde_json::Value>(answer).is_ok()));
    let loose = (1..50).map(|repeat| text(&ChatCall { repeat, ..plain.clone() }));
    assert!(loose.filter(|answer| answer.starts_with("```json")).count() > 0);
}

#[test]
fn summaries_are_as_long_as_asked() {
    let story = "Text: The bridge over the river Aar closed on 3 May. It is old. Repairs of the bridge cost 2 million. People wait.";
    for (system, most) in [("Summarise in one sentence, only that.", 20), ("At most 5 words.", 5)] {
        let call = at_temperature(0.25, call("sim-large", system, story));
        let summary = text(&call);
        assert!((1..=most).contains(&summary.split_whitespace().count()), "{summary}");
    }
}

#[test]
fn a_question_is_answered_from_the_text() {
    let handbook = "Text: Returns take a while. Parcels are insured up to 500 euros. The desk answers from eight to six.";
    let asked = |question: &str| format!("Answer in one sentence, only that: {question}\n{handbook}");
    for (question, answer) in [
        ("Up to what value are packages covered?", "Parcels are insured up to 500 euros."),
        ("When can I reach the support desk?", "The desk answers from eight to six."),
    ] {
        let answers =
            (1..40).map(|repeat| text(&ChatCall { repeat, ..call("sim-large", "", &asked(question)) }));
        assert!(answers.filter(|given| given == answer).count() > 25, "{question}");
    }
}

#[test]
fn answers_keep_within_their_limit() {
    let long = call("sim-large", "Think step by step.", "Text: é é é é é é é é é é é é é é é é é é é é.");
    let limited = |tokens: i64| {
        let parameters = Map::from([("max_tokens".to_owned(), Value::from(tokens))]);
        cut(text(&long), &ChatCall { parameters, ..long.clone() })
    };
    assert!(limited(2).1 && limited(2).0.len() <= 8);
    assert!(!limited(500).1);
}

#[tokio::test(start_paused = true)]
async fn some_first_exchanges_fail_and_their_retries_do_not() {
    let server = SimulatedServer::new(1.0);
    let endpoint = endpoint();
    let mut kinds = std::collections::BTreeMap::<&str, usize>::new();
    for n in 0..2000 {
        let call = call("sim-small", LABELS, &format!("{n} parcel"));
        if let Err(failure) = server.complete(&endpoint, &call).await {
            *kinds.entry(failure.kind.as_str()).or_default() += 1;
            server.complete(&endpoint, &call).await.unwrap();
        }
    }
    assert!((8..35).contains(&kinds["rate_limited"]) && (3..25).contains(&kinds["malformed"]), "{kinds:?}");
}

#[tokio::test]
async fn it_says_what_it_is() {
    let server = SimulatedServer::new(1.0);
    let models = server.models(&endpoint()).await.unwrap();
    let models: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(models, ["sim-small", "sim-medium", "sim-large", "sim-embed", "sim-embed-small"]);
    let failure = server.complete(&endpoint(), &call("gpt", "", "")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Rejected);
    assert!(models.iter().all(|model| failure.message.contains(model)), "{failure}");
    let completion = server.complete(&endpoint(), &call("sim-small", "", "")).await.unwrap();
    assert!(completion.latency >= Duration::from_millis(5), "{completion:?}");
    assert!(!completion.flags.tokens_estimated && completion.model_returned.is_none());
}

fn endpoint() -> Endpoint {
    Endpoint::new(
        domain::id::EndpointId::new(1),
        "sim",
        EndpointIdentity::new(EndpointKind::Simulated, "sim"),
    )
}
