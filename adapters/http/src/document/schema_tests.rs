//! Tests that each message has the same schema in the API's document and as a JSON schema.

use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use wire::api::{
    Credentials, DryRun, Endpoint, EndpointPage, EndpointTest, EventPage, ExperimentDetail, ExperimentDraft,
    ExperimentPage, ExportPage, Failures, LeaderboardPage, Me, PasswordChange, PauseRequest, Preview,
    PreviewRequest, Problem, Project, ProjectDetail, ProjectDraft, ProjectPage, RatingRequest,
    RescoreRequest, Rescoring, ResumeRequest, ReviewPage, Run, RunDetail, RunPage, RunRequest, RunSamplePage,
    SampleImport, Session, Settings, SetupState, Sweep, SweepPage, SweepRequest,
};
use wire::endpoint::EndpointDocument;

use super::{EXAMPLES, completed};

/// Forms with files, which only HTTP has.
const FORMS: [&str; 1] = ["SampleUpload"];

/// The JSON schemas of messages and of everything in them, by name.
macro_rules! definitions {
    ($settings:expr, $($message:ty),+ $(,)?) => {{
        let mut generator = $settings.into_generator();
        $(generator.subschema_for::<$message>();)+
        generator.take_definitions(true)
    }};
}

fn bodies() -> Map<String, Value> {
    definitions!(
        SchemaSettings::draft2020_12(),
        Credentials,
        EndpointDocument,
        ExperimentDraft,
        PasswordChange,
        PauseRequest,
        PreviewRequest,
        ProjectDraft,
        RatingRequest,
        RescoreRequest,
        ResumeRequest,
        RunRequest,
        Settings,
        SweepRequest,
    )
}

fn answers() -> Map<String, Value> {
    definitions!(
        SchemaSettings::draft2020_12().for_serialize(),
        DryRun,
        Endpoint,
        EndpointPage,
        EndpointTest,
        EventPage,
        ExperimentDetail,
        ExperimentPage,
        ExportPage,
        Failures,
        LeaderboardPage,
        Me,
        Preview,
        Problem,
        Project,
        ProjectDetail,
        ProjectPage,
        Rescoring,
        ReviewPage,
        Run,
        RunDetail,
        RunPage,
        RunSamplePage,
        SampleImport,
        Session,
        Settings,
        SetupState,
        Sweep,
        SweepPage,
    )
}

fn document() -> Value {
    serde_json::from_str(&completed(&crate::api::described())).unwrap()
}

fn last_segment(pointer: &Value) -> Option<&str> {
    pointer.as_str()?.rsplit('/').next()
}

/// What a schema admits, in one notation for both dialects. Null in place of an absent field is ignored.
fn admitted(schema: &Value) -> Value {
    if let Some(name) = last_segment(&schema["$ref"]) {
        return json!({"is": name});
    }
    for key in ["allOf", "anyOf"] {
        let parts = schema[key].as_array().into_iter().flatten();
        if let [part] = parts.filter(|part| part["type"] != "null").collect::<Vec<_>>()[..] {
            return admitted(part);
        }
    }
    let mut shape = Map::new();
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => {
            types.iter().filter_map(Value::as_str).filter(|word| *word != "null").collect()
        }
        word => word.as_str().into_iter().collect(),
    };
    shape.insert("types".into(), json!(types));
    if let Some(words) = words(schema) {
        return json!({"words": words});
    }
    for key in ["format", "minLength", "maxLength", "minimum"] {
        // The lower bound of an unsigned number is spelled in one dialect and implied by the format in the other.
        if let Some(bound) = schema.get(key).filter(|bound| bound.as_u64() != Some(0)) {
            shape.insert(key.into(), bound.as_f64().map_or_else(|| bound.clone(), Value::from));
        }
    }
    if let Some(items) = schema.get("items") {
        shape.insert("items".into(), admitted(items));
    }
    match schema.get("properties").and_then(Value::as_object) {
        Some(fields) => {
            let fields: Map<_, _> = fields.iter().map(|(name, of)| (name.clone(), admitted(of))).collect();
            shape.insert("fields".into(), fields.into());
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            shape.insert("required".into(), json!(required.collect::<BTreeSet<_>>()));
        }
        None => drop(schema.get("additionalProperties").map(|of| shape.insert("each".into(), admitted(of)))),
    }
    shape.into()
}

/// The words of an enum.
fn words(schema: &Value) -> Option<BTreeSet<&str>> {
    let of = |part: &'static str| schema[part].as_array().into_iter().flatten();
    let constants = of("oneOf").filter_map(|part| part["const"].as_str());
    let listed = of("enum").chain(of("oneOf").flat_map(|part| part["enum"].as_array().into_iter().flatten()));
    let words: BTreeSet<&str> = listed.filter_map(Value::as_str).chain(constants).collect();
    Some(words).filter(|words| !words.is_empty())
}

#[test]
fn each_message_has_the_same_fields_in_both_schemas() {
    let (document, bodies, answers) = (document(), bodies(), answers());
    let components = document["components"]["schemas"].as_object().unwrap();
    let documented: BTreeSet<&String> =
        components.keys().filter(|name| !FORMS.contains(&name.as_str())).collect();
    assert_eq!(bodies.keys().chain(answers.keys()).collect::<BTreeSet<_>>(), documented);
    for (name, schema) in bodies.iter().chain(&answers) {
        assert_eq!(admitted(schema), admitted(&components[name]), "{name}: {schema:#}");
    }
    for (name, schema) in &bodies {
        let closed = |schema: &Value| schema.get("additionalProperties") == Some(&json!(false));
        assert_eq!(closed(schema), closed(&components[name]), "{name} takes other fields in one of them");
    }
}

#[test]
fn examples_are_valid_under_both_schemas() {
    let (document, bodies, answers) = (document(), bodies(), answers());
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap();
    let examples = examples["schemas"].as_object().unwrap().iter();
    for (name, example) in examples.filter(|(name, _)| !FORMS.contains(&name.as_str())) {
        let pointer = format!("#/components/schemas/{name}");
        let documented = json!({"allOf": [{"$ref": pointer}], "components": document["components"]});
        let mut validators = vec![jsonschema::draft4::new(&documented).unwrap()];
        for definitions in [&bodies, &answers].into_iter().filter(|schemas| schemas.contains_key(name)) {
            let schema = json!({"$ref": format!("#/$defs/{name}"), "$defs": definitions});
            validators.push(jsonschema::draft202012::new(&schema).unwrap());
        }
        assert!(validators.len() > 1, "{name} has no JSON schema");
        for validator in validators {
            let wrong: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
            assert_eq!(wrong, Vec::<String>::new(), "{name}");
        }
    }
}

/// The schema refuses unknown fields, as the server does.
#[test]
fn a_body_with_an_unknown_field_is_invalid() {
    let bodies = bodies();
    for name in ["SweepRequest", "ProjectDraft", "EndpointDraft"] {
        let schema = json!({"$ref": format!("#/$defs/{name}"), "$defs": bodies});
        let examples: Value = serde_json::from_str(EXAMPLES).unwrap();
        let mut body = examples["schemas"][name].clone();
        assert!(jsonschema::is_valid(&schema, &body), "{name}");
        body["max_rnus"] = json!(1);
        assert!(!jsonschema::is_valid(&schema, &body), "{name}");
    }
}
