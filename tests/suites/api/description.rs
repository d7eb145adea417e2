//! The API's own document.

use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use serde_json::{Value, json};

/// The document that clients are generated from equals the program's.
#[tokio::test]
async fn the_api_document_is_kept() {
    let home = Home::new(Kind::Sqlite).await;
    let printed = program::run(&home, &["openapi"]).await.stdout;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../frontend/openapi.json");
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(
        printed == kept,
        "frontend/openapi.json is of another version: cargo run -- openapi > frontend/openapi.json"
    );
    let document: Value = serde_json::from_str(&printed).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(operation["operationId"].is_string() && operation["tags"][0].is_string(), "{place}");
            assert!(operation["summary"].is_string() && operation["responses"]["422"].is_object(), "{place}");
            for (schema, example) in bodies(operation, &document) {
                let example = example.unwrap_or_else(|| panic!("{place} has a body without an example"));
                let whole = json!({"allOf": [schema], "components": document["components"]});
                let validator = jsonschema::draft4::new(&whole).unwrap();
                let wrong: Vec<String> =
                    validator.iter_errors(&example).map(|error| error.to_string()).collect();
                assert!(wrong.is_empty(), "{place}: {wrong:?} in {example:#}");
            }
        }
    }
}

/// The request and answer bodies of an operation, each with its example.
fn bodies(operation: &Value, document: &Value) -> Vec<(Value, Option<Value>)> {
    let answers = operation["responses"].as_object().unwrap().values();
    let contents = answers.chain(operation.get("requestBody")).filter_map(|body| body["content"].as_object());
    let of = |content: &Value| {
        let named = content["schema"]["$ref"].as_str().and_then(|at| document.pointer(&at[1..]));
        let example = content.get("example").or_else(|| named?.get("example"));
        (content["schema"].clone(), example.cloned())
    };
    contents.flat_map(|content| content.values().map(of)).collect()
}
