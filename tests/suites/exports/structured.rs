//! YAML and JSON, read by libraries.

use std::process::Command;

use domain::export::{Export, ExportedStage};
use domain::value::{Map, Value};
use promptlooper_tests::support::tools;
use proptest::prelude::*;
use serde_json::json;

use super::{check, export, printed, text, written};

/// A configuration with these texts, and its structured export.
fn structured(texts: &[String; 4], number: f64) -> (Export, serde_json::Value) {
    let [prompt, system, key, value] = texts;
    let text = |text: &String| Value::from(text.as_str());
    let keyed = Map::from([(key.clone(), Value::List(vec![text(value), Value::number(number)]))]);
    let stage = ExportedStage {
        name: "s".into(),
        kind: "llm",
        model: Some(value.clone()),
        endpoint: Some("http://127.0.0.1:8000/v1".into()),
        parameters: Map::from([("temperature".to_owned(), Value::number(number))]),
        system_prompt: Some(system.clone()),
        messages: vec![Value::from([("role", Value::from("user")), ("content", text(prompt))])],
        prompt: Some(prompt.clone()),
        response_format: Some(Value::from([
            ("json_schema", Value::Map(keyed.clone())),
            ("strict", Value::Bool(true)),
        ])),
        extra: keyed.clone(),
    };
    let export = Export { stages: vec![stage], params: keyed, ..export(std::slice::from_ref(value)) };
    let keyed = json!({key: [value, number]});
    let expected = json!({
        "model": value, "endpoint": "http://127.0.0.1:8000/v1", "parameters": {"temperature": number},
        "system_prompt": system, "messages": [{"role": "user", "content": prompt}], "prompt": prompt,
        "response_format": {"json_schema": keyed, "strict": true}, "extra": keyed, "params": keyed, "variables": [],
        "metadata": {"score": 0.5, "experiment": value, "exported_at": "1970-01-01T00:00:00Z"},
    });
    (export, expected)
}

/// Compares numbers by value, because not all readers distinguish `1` and `1.0`.
fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => a.as_f64() == b.as_f64(),
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Object(a), Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn every_reader_of_yaml_reads(batch: &[([String; 4], f64)]) -> Result<(), TestCaseError> {
    let (exports, expected): (Vec<_>, Vec<_>) =
        batch.iter().map(|(texts, number)| structured(texts, *number)).unzip();
    let documents =
        exports.iter().map(|export| ["---\n".to_owned(), wire::export::yaml(export).unwrap()].concat());
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "all.yaml", &documents.collect::<String>());
    let python = "import json, sys, yaml\nwith open(sys.argv[1], encoding='utf-8', newline='') as file:\n\
                  \x20   print(json.dumps(list(yaml.safe_load_all(file.read()))))";
    let node = "const [file, modules] = process.argv.slice(1)
        const text = require('fs').readFileSync(file, 'utf8')
        console.log(JSON.stringify(require(modules + '/js-yaml').loadAll(text)))";
    let mut pyyaml = Command::new(tools::python_tool("python"));
    pyyaml.args(["-c", python]).arg(&file);
    let mut js_yaml = Command::new("node");
    js_yaml.args(["-e", node]).arg(&file).arg(tools::node_modules());
    for (reader, mut command) in [("PyYAML", pyyaml), ("js-yaml", js_yaml)] {
        let read: Vec<serde_json::Value> = serde_json::from_slice(&printed(&mut command)).unwrap();
        prop_assert_eq!(read.len(), expected.len());
        for ((read, expected), export) in read.iter().zip(&expected).zip(&exports) {
            let text = wire::export::yaml(export).unwrap();
            prop_assert!(same(read, expected), "{} reads {} of {}", reader, read, text);
        }
    }
    Ok(())
}

#[test]
fn every_reader_of_yaml_reads_the_same_configuration() {
    let number = prop_oneof![
        any::<f64>().prop_filter("finite", |n| n.is_finite()),
        (-40..40_i64).prop_map(|n| n as f64 / 8.0)
    ];
    let texts = [text(), text(), text(), text()];
    check(10, &proptest::collection::vec((texts, number), 1..80), |batch| every_reader_of_yaml_reads(&batch));
}

/// Texts that YAML readers take for other types, as names and as values.
const WORDS: [&str; 46] = [
    "",
    " ",
    "y",
    "Y",
    "n",
    "yes",
    "No",
    "on",
    "OFF",
    "true",
    "False",
    "null",
    "Null",
    "~",
    "1",
    "-1",
    "+1",
    "0x1f",
    "0o7",
    "017",
    "0b1",
    "1_000",
    "1:30",
    "1:30.5",
    "-1:30:00",
    ".5",
    "1.",
    "1e3",
    "1.0e+3",
    "1e-7",
    ".inf",
    "-.Inf",
    ".nan",
    "=",
    "<<",
    "2026-01-01",
    "2026-01-01 12:00:00",
    "2026-01-01T12:00:00Z",
    "---",
    "...",
    "-",
    "? a",
    "a:",
    "a: b",
    "a #b",
    "!!str a",
];

#[test]
fn texts_that_look_like_something_else_stay_texts_in_yaml() {
    let numbers = [0.1, 1e-7, 1e300, 1e21, -0.0, 5e-324, 123_456_789.0].into_iter().cycle();
    let batch =
        WORDS.iter().zip(numbers).map(|(word, number)| ([(); 4].map(|()| (*word).to_owned()), number));
    every_reader_of_yaml_reads(&batch.collect::<Vec<_>>()).unwrap();
}

#[test]
fn json_exports_hold_every_text() {
    check(50, &([text(), text(), text(), text()], Just(0.1)), |(texts, number)| {
        let (export, expected) = structured(&texts, number);
        let read: serde_json::Value = serde_json::from_str(&wire::export::json(&export).unwrap()).unwrap();
        for field in [
            "model",
            "system_prompt",
            "messages",
            "prompt",
            "response_format",
            "extra",
            "params",
            "variables",
        ] {
            prop_assert!(same(&read[field], &expected[field]), "{}: {}", field, read);
        }
        Ok(())
    });
}
