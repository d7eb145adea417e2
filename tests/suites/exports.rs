//! Exports read back by the programs that people read them with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::export::{Export, ExportedStage};
use domain::time::Timestamp;
use domain::value::{Map, Value};
use promptlooper_tests::support::tools;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

/// Texts that some reader takes for something else.
const FRAGMENTS: [&str; 74] = [
    "'",
    "'",
    "\"",
    "\\",
    "\\\\",
    "$",
    "`",
    "${A}",
    "${A:-b}",
    "${A",
    "$HOME",
    "$(echo)",
    "`echo`",
    "#",
    " #",
    "=",
    "\n",
    "\n",
    "\r",
    "\r\n",
    "\t",
    " ",
    "\nPARAM_X=1\n",
    "export Y=2",
    "a",
    "b c",
    "æøå",
    "😀",
    "e\u{301}",
    "\u{feff}",
    "\u{2028}",
    "\u{2029}PARAM_Z=1",
    "\u{85}",
    "\u{a0}",
    "\0",
    "\u{1}",
    "\u{7f}",
    "\u{1b}[31m",
    "\u{fffe}",
    "{{ x }}",
    "!",
    "!!",
    "~",
    "*",
    "&",
    ";",
    "|",
    "%",
    "\\n",
    "\\'",
    "\\\"",
    "yes",
    "No",
    "off",
    "- ",
    ": ",
    "1:30",
    "0x1f",
    "0o7",
    "1_000",
    "null",
    "---",
    "...",
    "? ",
    "@",
    "<<",
    "2026-01-01",
    ".5",
    "1e3",
    ",",
    "[",
    "]",
    "{",
    "}",
];

fn text() -> impl Strategy<Value = String> {
    let pieces = proptest::collection::vec(proptest::sample::select(FRAGMENTS.as_slice()), 0..6);
    prop_oneof![2 => "(?s).{0,12}", 5 => pieces.prop_map(|pieces| pieces.concat())]
}

/// Checks a property of batches, of which each costs a few processes.
fn check<S: Strategy>(batches: u32, strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config =
        Config { cases: batches, max_shrink_iters: 150, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(strategy, property).unwrap_or_else(|error| panic!("{error}"));
}

fn printed(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

type Variables = BTreeMap<String, String>;

fn from_json(printed: &[u8]) -> Variables {
    serde_json::from_slice(printed).unwrap()
}

/// What a file of variables says, by the name of who reads it.
fn readings(file: &Path) -> Vec<(&'static str, Variables)> {
    let python = |arguments: &str| {
        let script = format!(
            "import dotenv, json, sys\nprint(json.dumps(dotenv.dotenv_values(sys.argv[1]{arguments})))"
        );
        from_json(&printed(Command::new(tools::python_tool("python")).args(["-c", &script]).arg(file)))
    };
    let dotenv = "const [file, modules] = process.argv.slice(1)
        const text = require('fs').readFileSync(file)
        console.log(JSON.stringify(require(modules + '/dotenv').parse(text)))";
    let modules = tools::node_modules();
    let path = std::env::var_os("PATH").unwrap();
    let node = || {
        let mut command = Command::new("node");
        command.env_clear().env("PATH", &path);
        command
    };
    let mut env_file = std::ffi::OsString::from("--env-file=");
    env_file.push(file);
    vec![
        ("python-dotenv", python("")),
        ("python-dotenv without interpolation", python(", interpolate=False")),
        ("dotenv", from_json(&printed(node().args(["-e", dotenv]).arg(file).arg(&modules)))),
        (
            "node --env-file",
            from_json(&printed(
                node().arg(env_file).args(["-e", "console.log(JSON.stringify(process.env))"]),
            )),
        ),
        ("bash", sourced("bash", "C.UTF-8", file)),
        ("bash in the C locale", sourced("bash", "C", file)),
        ("dash", sourced("dash", "C", file)),
    ]
}

/// What a shell's variables are once it has read a file.
fn sourced(shell: &str, locale: &str, file: &Path) -> Variables {
    let mut command = Command::new(shell);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("LC_ALL", locale);
    command.args(["-c", "set -a; . \"$1\"; exec env -0", shell]).arg(file);
    let printed = String::from_utf8(printed(&mut command)).unwrap();
    let lines = printed.split('\0').filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Variables that are there without any file.
const OF_EVERY_PROCESS: [&str; 6] = ["PATH", "PWD", "OLDPWD", "SHLVL", "_", "LC_ALL"];

/// With values in base64 as the texts that they are.
fn decoded(variables: Variables) -> Variables {
    let own = variables.into_iter().filter(|(name, _)| !OF_EVERY_PROCESS.contains(&name.as_str()));
    own.map(|(name, value)| match name.strip_suffix("_BASE64") {
        Some(name) => (name.to_owned(), String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()),
        None => (name, value),
    })
    .collect()
}

fn export(texts: &[String]) -> Export {
    let params = texts.iter().enumerate().map(|(i, text)| (format!("v{i}"), Value::from(text.as_str())));
    Export {
        stages: vec![],
        params: params.collect(),
        variables: vec![],
        score: Some(0.5),
        experiment: texts.concat(),
        exported_at: Timestamp::from_micros(0),
    }
}

fn every_reader_reads(texts: &[String]) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "best.env", &export(texts).env());
    let wanted: Variables =
        texts.iter().enumerate().map(|(i, text)| (format!("PARAM_V{i}"), text.clone())).collect();
    for (reader, variables) in readings(&file) {
        let read = decoded(variables);
        let differ = wanted.iter().find(|(name, text)| read.get(*name) != Some(text));
        prop_assert_eq!(differ.map(|(name, text)| (text, read.get(name))), None, "{}", reader);
        prop_assert_eq!(read.len(), wanted.len(), "{} reads other variables too", reader);
    }
    Ok(())
}

#[test]
fn every_reader_of_env_files_reads_the_same_text() {
    check(12, &proptest::collection::vec(text(), 1..150), |texts| every_reader_reads(&texts));
}

#[test]
fn every_character_reads_the_same_wherever_it_stands() {
    let ascii = (0..=0xff).filter_map(char::from_u32);
    let others =
        ['\u{1680}', '\u{200b}', '\u{2028}', '\u{2029}', '\u{3000}', '\u{feff}', '\u{ffff}', 'å', '😀'];
    let texts: Vec<String> = ascii
        .chain(others)
        .flat_map(|c| {
            [
                format!("{c}"),
                format!("a{c}"),
                format!("{c}b"),
                format!("a{c}{c}b"),
                format!("a {c} b"),
                format!("'{c}"),
            ]
        })
        .collect();
    every_reader_reads(&texts).unwrap();
}

#[test]
fn long_values_read_the_same() {
    let texts = ["a b\n#æ ", "it's\n", "it's \"so\" "].map(|part| part.repeat(10_000));
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "best.env", &export(&texts).env());
    let shells = ["bash", "dash"].map(|shell| {
        let print = ". \"$1\"; printf '%s\\0' \"$PARAM_V0\" \"$PARAM_V1\" \"$PARAM_V2_BASE64\"";
        String::from_utf8(printed(Command::new(shell).args(["-c", print, shell]).arg(&file))).unwrap()
    });
    for read in shells {
        let last = STANDARD.encode(&texts[2]);
        assert!(read == format!("{}\0{}\0{last}\0", texts[0], texts[1]));
    }
    let python = "import dotenv, json, sys\nprint(json.dumps(dotenv.dotenv_values(sys.argv[1])))";
    let read = printed(Command::new(tools::python_tool("python")).args(["-c", python]).arg(&file));
    assert!(decoded(from_json(&read)).into_values().eq(texts));
}

/// A configuration whose every text is one of these, and what a structured export says of it.
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
        response_format: Some(Value::from([("json_schema", Value::Map(keyed.clone()))])),
        extra: keyed.clone(),
    };
    let export = Export { stages: vec![stage], params: keyed, ..export(std::slice::from_ref(value)) };
    let keyed = json!({key: [value, number]});
    let expected = json!({
        "model": value, "endpoint": "http://127.0.0.1:8000/v1", "parameters": {"temperature": number},
        "system_prompt": system, "messages": [{"role": "user", "content": prompt}], "prompt": prompt,
        "response_format": {"json_schema": keyed}, "extra": keyed, "params": keyed, "variables": [],
        "metadata": {"score": 0.5, "experiment": value, "exported_at": "1970-01-01T00:00:00Z"},
    });
    (export, expected)
}

/// Numbers by value: whether one is written with a point is not told apart everywhere.
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

fn every_reader_of_yaml_reads(batch: Vec<([String; 4], f64)>) -> Result<(), TestCaseError> {
    let (exports, expected): (Vec<_>, Vec<_>) =
        batch.iter().map(|(texts, number)| structured(texts, *number)).unzip();
    let documents = exports.iter().map(|export| wire::export::yaml(export).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file =
        written(folder.path(), "all.yaml", &documents.map(|text| format!("---\n{text}")).collect::<String>());
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
    check(10, &proptest::collection::vec((texts, number), 1..80), every_reader_of_yaml_reads);
}

/// Texts that a reader of YAML takes for something else than a text, as names and as values.
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
    every_reader_of_yaml_reads(batch.collect()).unwrap();
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
