use domain::endpoint::EndpointIdentity;
use domain::experiment::{DimensionDraft, Draft, LlmDraft, StageDraft};
use domain::id::EndpointId;
use domain::sample::Sample;
use domain::scoring::ScoringDraft;
use domain::space::Levels;
use serde_json::json;

use super::*;
use crate::estimate::any_points;
use crate::json::from_json;
use crate::model_defaults::ModelDefaults;

fn endpoint(kind: EndpointKind) -> Endpoint {
    Endpoint::new(EndpointId::new(1), "e", EndpointIdentity::new(kind, "http://127.0.0.1/v1"))
}

/// The warnings about a stage with these parameters in a space with these dimensions.
fn warned(
    parameters: serde_json::Value,
    space: serde_json::Value,
    kind: EndpointKind,
    lists: &ModelLists,
) -> Vec<String> {
    let Value::Map(parameters) = from_json(parameters) else { panic!("no parameters") };
    let stage = LlmDraft {
        endpoint: Some("e".into()),
        model: Some("o3".into()),
        prompt: "{{ sample.input }}".into(),
        parameters,
        ..LlmDraft::default()
    };
    let Value::Map(space) = from_json(space) else { panic!("no space") };
    let dimension = |(name, values): (String, Value)| {
        let (target, values) = match values {
            Value::Map(mut fields) => (fields.remove("target"), fields.remove("values").unwrap()),
            other => (None, other),
        };
        let draft = DimensionDraft {
            target: target.and_then(|target| target.as_text().map(str::to_owned)),
            levels: Levels::Choice(values.as_list().unwrap().to_vec()),
            default: None,
            when: BTreeMap::new(),
        };
        (name, draft)
    };
    let draft = Draft {
        name: "x".into(),
        samples: vec![Sample { input: "i".into(), ..Sample::default() }],
        stages: vec![StageDraft::llm("s", stage)],
        scoring: vec![ScoringDraft {
            scorer: "length".into(),
            options: BTreeMap::from([("max".to_owned(), 5_i64.into())]),
            ..ScoringDraft::default()
        }],
        space: space.into_iter().map(dimension).collect(),
        repeats: 1,
        ..Draft::default()
    };
    let definition = crate::experiments::check(&draft).unwrap();
    let points = any_points(&definition);
    warnings(&definition, &Catalog::new(vec![endpoint(kind)], ModelDefaults::default()), lists, &points)
}

#[test]
fn parameters_that_a_model_refuses_are_told_with_the_configurations_that_set_them() {
    let none = ModelLists::new();
    let space = json!({"model": {"target": "s.model", "values": ["o3", "gpt-4o"]}});
    let found = warned(json!({"temperature": 0.5, "max_tokens": 9}), space, EndpointKind::OpenAi, &none);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("`o3` refuses `temperature`, which 1 of 2 configurations set"), "{found:?}");
    assert_eq!(warned(json!({}), json!({}), EndpointKind::OpenAi, &none), [""; 0]);
    let seed = warned(json!({"seed": 1}), json!({}), EndpointKind::Anthropic, &none);
    assert!(seed[0].starts_with("`o3` refuses `seed`"), "{seed:?}");
}

#[test]
fn configurations_that_differ_in_what_has_no_effect_are_the_same_call() {
    let space = json!({
        "model": {"target": "s.model", "values": ["deepseek-reasoner", "deepseek-chat"]},
        "temperature": {"target": "s.temperature", "values": [0.1, 0.3, 0.5, 0.7, 0.9]},
    });
    let found = warned(json!({}), space, EndpointKind::OpenAi, &ModelLists::new());
    assert_eq!(
        found,
        [
            "`temperature` has no effect on `deepseek-reasoner`: 5 of 10 configurations are the same call as another"
        ]
    );
}

#[test]
fn a_server_s_own_list_comes_first() {
    let taken = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    let list = |names: &[&str]| {
        ModelLists::from([(EndpointId::new(1), BTreeMap::from([("o3".to_owned(), taken(names))]))])
    };
    let parameters = json!({"temperature": 0.5, "reasoning_effort": "low"});
    let found = |names: &[&str]| warned(parameters.clone(), json!({}), EndpointKind::OpenAi, &list(names));
    assert_eq!(found(&["temperature", "reasoning"]), [""; 0]);
    assert_eq!(found(&["reasoning"]), ["`temperature` has no effect on `o3`"]);
}
