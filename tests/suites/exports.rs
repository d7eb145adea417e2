//! Exports, read back by the programs that people use.

mod env;
mod structured;

use std::path::{Path, PathBuf};
use std::process::Command;

use domain::export::Export;
use domain::time::Timestamp;
use domain::value::Value;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Texts that some readers misinterpret.
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

/// Checks a property of batches, each of which starts a few processes.
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
