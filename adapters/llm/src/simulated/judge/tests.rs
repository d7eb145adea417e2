use domain::call::{Message, Role};
use domain::endpoint::{EndpointIdentity, EndpointKind};

use super::*;

const SCORE: &str = r#"{"reason": "...", "score": N}, where N is a whole number from 1 to 5"#;
const PASS: &str = r#"{"pass": true|false, "score": N, "reason": "..."}, N from 0 to 1"#;

fn call(model: &str, sections: &str, demand: &str) -> ChatCall {
    let content =
        format!("You judge answers in <output>.\n{sections}\nAnswer with one JSON object: {demand}.");
    ChatCall {
        endpoint: EndpointIdentity::new(EndpointKind::Simulated, "sim"),
        model: model.to_owned(),
        messages: vec![Message { role: Role::User, content }],
        parameters: Map::from([("temperature".to_owned(), Value::from(0_u32))]),
        response_format: ResponseFormat::Text,
        extra: Map::new(),
        repeat: 1,
    }
}

/// The object that it answers with.
fn judged(call: &ChatCall) -> serde_json::Value {
    let text = JudgeTask::of(call).unwrap().answer(Model::parse(&call.model).unwrap(), call);
    let json = text.strip_prefix("```json\n").and_then(|rest| rest.strip_suffix("\n```")).unwrap_or(&text);
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn sections(output: &str, reference: Option<&str>) -> String {
    let reference = reference.map_or_else(String::new, |text| format!("<reference>\n{text}\n</reference>\n"));
    format!("<input>\nWhen is an account locked?\n</input>\n<output>\n{output}\n</output>\n{reference}")
}

#[test]
fn scores_follow_the_reference_on_the_scale_that_is_asked_for() {
    let reference = "An account is locked after ten wrong passwords.";
    let score = |output: &str, demand: &str| {
        judged(&call("sim-large", &sections(output, Some(reference)), demand))["score"].as_f64().unwrap()
    };
    let long =
        format!("Accounts are locked after ten wrong passwords. {}", "It is as it is, my friend. ".repeat(9));
    for (output, low, high) in [
        ("Accounts are locked after ten wrong passwords.", 5.0, 5.0),
        (long.as_str(), 2.0, 4.0),
        ("After ten failures.", 1.0, 3.0),
        ("I like trains.", 1.0, 1.0),
        ("", 1.0, 1.0),
    ] {
        let found = score(output, SCORE);
        assert!((low..=high).contains(&found), "{output}: {found}");
    }
    let hundred = score(reference, r#"{"reason": "...", "score": N}, with N from 0 to 100"#);
    assert!((94.0..=100.0).contains(&hundred), "{hundred}");
    assert!(score(reference, PASS) > 0.9 && score("I like trains.", PASS) < 0.1);
}

#[test]
fn reasons_name_what_was_seen() {
    let reference = "An account is locked after ten wrong passwords.";
    let reason = |output: &str, reference| {
        judged(&call("sim-large", &sections(output, reference), SCORE))["reason"].as_str().unwrap().to_owned()
    };
    assert!(reason("Accounts lock.", Some(reference)).contains("ten, wrong, passwords"));
    assert!(reason(reference, Some(reference)).contains("agrees"));
    assert!(reason(&"locked ".repeat(60), Some(reference)).contains("too long: it has 60 words"));
    assert!(reason("", None).contains("empty"));
    assert!(reason("I like trains.", None).contains("account, locked"));
}

#[test]
fn every_form_of_answer_is_given() {
    let good = "An account is locked after ten wrong passwords.";
    let with = |list: &str, demand: &str, output: &str| {
        judged(&call("sim-large", &format!("{}{list}", sections(output, Some(good))), demand))
    };
    let pass = with("<rubric>\nIt says when.\n</rubric>", PASS, good);
    assert_eq!((&pass["pass"], pass["reason"].is_string()), (&true.into(), true), "{pass}");
    assert_eq!(with("", PASS, "I like trains.")["pass"], false);

    let demand = r#"{"criteria": {"clarity": N, "truth": N}, "reason": "..."}, N from 1 to 5"#;
    for list in ["<criteria>\n- clarity: is it clear?\n- **truth** (facts): is it true?\n</criteria>", ""] {
        let both = with(list, demand, good);
        let scores = both["criteria"].as_object().unwrap();
        assert!(scores.len() == 2 && scores["truth"].as_f64().unwrap() >= 4.0, "{both}");
    }

    let demand = r#"{"label": "X", "reason": "..."}"#;
    for (labels, best, worst) in [
        ("correct: it is right\nincorrect: it is wrong", "correct", "incorrect"),
        ("- no\n- yes", "yes", "no"),
        ("A: says the same\nB: a subset\nC: disagrees", "A", "C"),
        ("- gold\n- silver\n- tin", "gold", "tin"),
    ] {
        let list = format!("<labels>\n{labels}\n</labels>");
        assert_eq!(with(&list, demand, good)["label"], best, "{labels}");
        assert_eq!(with(&list, demand, "I like trains.")["label"], worst, "{labels}");
    }
}

#[test]
fn larger_models_judge_more_evenly_and_a_fence_comes_now_and_then() {
    let reference = "An account is locked after ten wrong passwords.";
    let of = |model: &str, n: usize| {
        let output = format!("After ten wrong passwords an account is locked, says rule {n}.");
        call(model, &sections(&output, Some(reference)), "{\"score\": N, \"reason\": \"...\"} from 0 to 100")
    };
    let spread = |model: &str| {
        let scores: Vec<f64> = (0..60).map(|n| judged(&of(model, n))["score"].as_f64().unwrap()).collect();
        let mean = scores.iter().sum::<f64>() / 60.0;
        (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / 60.0).sqrt()
    };
    let spreads = ["sim-small", "sim-medium", "sim-large"].map(spread);
    assert!(spreads.is_sorted_by(|more, less| more > less), "{spreads:?}");
    let texts: Vec<String> = (0..200)
        .map(|n| JudgeTask::of(&of("sim-small", n)).unwrap().answer(Model::Small, &of("sim-small", n)))
        .collect();
    let fenced = texts.iter().filter(|text| text.starts_with("```json\n") && text.ends_with("\n```")).count();
    assert!(
        (10..60).contains(&fenced)
            && texts.iter().filter(|text| text.starts_with('{')).count() == 200 - fenced
    );
    let json = ChatCall { response_format: ResponseFormat::Json, ..of("sim-small", 0) };
    let plain = (0..60).map(|repeat| ChatCall { repeat, parameters: Map::new(), ..json.clone() });
    assert!(
        plain
            .into_iter()
            .all(|call| JudgeTask::of(&call).unwrap().answer(Model::Small, &call).starts_with('{'))
    );
}

#[test]
fn other_prompts_are_no_judge_s() {
    let other = |content: &str| {
        let plain = call("sim-small", "", "");
        ChatCall { messages: vec![Message { role: Role::User, content: content.to_owned() }], ..plain }
    };
    for content in [
        "Answer with one JSON object.\nText: x",
        "<output>x</output> Summarise.",
        "Text: <output>Answer with one JSON object</output>",
    ] {
        assert!(JudgeTask::of(&other(content)).is_none(), "{content}");
    }
}
