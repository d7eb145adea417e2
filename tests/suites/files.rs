//! Bad input files: messages say what is wrong, where, and how to fix it, and nothing is stored.

use std::fs;
use std::time::{Duration, Instant};

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use serde_json::{Value, json};

fn sound() -> Experiment {
    Experiment::echo("http://127.0.0.1:9/v1", 3, 2)
}

/// Checks that the file was refused with a message that contains these parts, and that no data folder was created.
#[track_caller]
fn check(home: &Home, finished: &program::Finished, parts: &[&str]) {
    assert_eq!(finished.code, Some(1), "{finished:?}");
    for part in parts {
        assert!(finished.stderr.contains(part), "lacks {part:?}: {}", finished.stderr);
    }
    assert!(!home.data().exists(), "something was written");
}

async fn refused(experiment: Experiment, parts: &[&str]) {
    let home = Home::new(Kind::Sqlite).await;
    experiment.write(&home);
    check(&home, &program::run(&home, &["run", "experiment.json"]).await, parts);
}

#[tokio::test]
async fn experiments_that_make_no_sense_are_refused_with_place_and_advice() {
    let dimension = |dimension: Value| sound().with("/parameter_space/x", dimension);
    for (experiment, parts) in [
        (
            sound().with("/pipeline_stages/0/prompt", json!("{{ sample.text }}")),
            [
                "/pipeline_stages/0/prompt",
                "`sample.text` is not known: a sample has input, reference, meta and index",
            ],
        ),
        (
            sound().with("/pipeline_stages/0/prompt", json!("{{ params.tome }}")),
            ["/pipeline_stages/0/prompt", "`params.tome`: unknown dimension `tome`. Known: temperature"],
        ),
        (
            sound().with("/scoring_config/0/options", json!({"ignorecase": true})),
            ["/scoring_config/0/options/ignorecase", "it takes ignore_case, trim, value"],
        ),
        (
            dimension(json!({"type": "int", "low": 9, "high": 1, "target": "say.max_tokens"})),
            ["/parameter_space/x/low", "swap them"],
        ),
        (
            dimension(json!({"type": "float", "low": 0, "high": 1, "step": 0, "target": "say.top_p"})),
            ["/parameter_space/x/step", "a step must be above 0"],
        ),
        (dimension(json!({"type": "choice", "values": []})), ["/parameter_space/x/values", "at least one"]),
        (sound().with("/repeats", json!(0)), ["/repeats", "from 1 to 1000"]),
        (sound().with("/sweep", json!({"kind": "guided"})), ["sweep", "grid"]),
        (
            sound().with("/scoring_config/0/scorer", json!("bleu")),
            ["/scoring_config/0/scorer", "unknown scorer `bleu`"],
        ),
        (
            sound().with(
                "/scoring_config/0",
                json!({"scorer": "format", "options": {"type": "regex", "pattern": "("}}),
            ),
            ["/scoring_config/0/options/pattern", "unclosed group"],
        ),
        (sound().with("/pipline_stages", json!([])), ["unknown field `pipline_stages`", "pipeline_stages"]),
    ] {
        refused(experiment, &parts).await;
    }
}

#[tokio::test]
async fn yaml_has_words_for_numbers_that_are_none() {
    let home = Home::new(Kind::Sqlite).await;
    let text = sound().document.to_string().replace("\"values\":[0.0,0.015625]", "\"values\":[.nan]");
    assert!(text.contains(".nan"));
    fs::write(home.folder().join("nan.yaml"), text).unwrap();
    check(
        &home,
        &program::run(&home, &["run", "nan.yaml"]).await,
        &["nan.yaml", "`.nan` is not a number that JSON and models know"],
    );
}

#[tokio::test]
async fn a_bad_line_of_a_sample_file_is_named() {
    let home = Home::new(Kind::Sqlite).await;
    let good = "text,label\n".repeat(15);
    fs::write(home.folder().join("samples.csv"), format!("input,reference\n{good}one,two,three\n")).unwrap();
    sound().with("/sample_data", json!({"file": "samples.csv"})).write(&home);
    let finished = program::run(&home, &["run", "experiment.json"]).await;
    check(&home, &finished, &["samples.csv", "line 17", "3 cells and the header 2"]);
}

#[tokio::test]
async fn columns_taken_from_a_file_are_reported() {
    let home = Home::new(Kind::Sqlite).await;
    fs::write(home.folder().join("samples.csv"), "question;label\na;\nb;x\n").unwrap();
    sound()
        .with("/sample_data", json!({"file": "samples.csv"}))
        .with("/pipeline_stages/0/prompt", json!("Go."))
        .write(&home);
    let told = program::run(&home, &["run", "experiment.json"]).await.stderr;
    for note in [
        "note: samples.csv: the input is read from `question`, the reference from `label`",
        "note: samples.csv: line 2: the reference is empty in 1 of 2 samples",
        "note: the prompt of stage `say` never reads the sample",
    ] {
        assert!(told.contains(note), "lacks {note:?}: {told}");
    }
}

#[tokio::test]
async fn bombs_are_refused_in_bounded_time() {
    let home = Home::new(Kind::Sqlite).await;
    let begun = Instant::now();
    let line = |i: usize| format!("a{i}: &a{i} [{}]\n", format!("*a{}, ", i - 1).repeat(10));
    let laughs = (1..30).map(line).collect::<Vec<_>>().concat();
    for (name, text, told) in [
        ("laughs.yaml", format!("a0: &a0 lol\n{laughs}"), "aliases repeat more than 16 MiB"),
        ("deep.yaml", "[".repeat(100_000), "nested deeper than 128 levels"),
        ("deep.json", "[".repeat(100_000), "the JSON ends in the middle"),
        ("closed.json", "[".repeat(100_000) + &"]".repeat(100_000), "nested deeper than 128 levels"),
        ("large.yaml", format!("name: {}", "x".repeat(33 << 20)), "the file is larger than 32 MiB"),
    ] {
        fs::write(home.folder().join(name), text).unwrap();
        check(&home, &program::run(&home, &["run", name]).await, &[name, told]);
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn files_that_are_not_there_are_named() {
    let home = Home::new(Kind::Sqlite).await;
    check(
        &home,
        &program::run(&home, &["run", "nowhere.yaml"]).await,
        &["nowhere.yaml: there is no such file"],
    );
    sound().with("/sample_data", json!({"file": "gone.csv"})).write(&home);
    check(
        &home,
        &program::run(&home, &["run", "experiment.json"]).await,
        &["gone.csv: there is no such file"],
    );
    sound().with("/endpoints/0/api_key", json!("${NO_SUCH_KEY}")).write(&home);
    let finished = program::run(&home, &["run", "experiment.json"]).await;
    check(&home, &finished, &["/endpoints/0/api_key", "export NO_SUCH_KEY="]);
}

/// These problems are found with the database open. Nothing of the experiment is stored.
async fn refused_at_start(experiment: Experiment, parts: &[&str]) {
    let home = Home::new(Kind::Sqlite).await;
    experiment.write(&home);
    let finished = program::run(&home, &["run", "experiment.json"]).await;
    assert_eq!(finished.code, Some(1), "{finished:?}");
    for part in parts {
        assert!(finished.stderr.contains(part), "lacks {part:?}: {}", finished.stderr);
    }
    let export = program::run(&home, &["export", "echo"]).await;
    assert!(export.stderr.contains("there is no such experiment"), "{export:?}");
}

#[tokio::test]
async fn what_cannot_start_is_refused_with_nothing_stored() {
    refused_at_start(
        sound(),
        &["endpoint `fake` at http://127.0.0.1:9/v1 cannot be used", "start the server"],
    )
    .await;
    let digits: Vec<Value> = (0..10).map(Value::from).collect();
    let space: serde_json::Map<String, Value> =
        (0..12).map(|i| (format!("d{i}"), json!({"type": "choice", "values": digits}))).collect();
    let vast = sound().with("/parameter_space", Value::Object(space));
    refused_at_start(vast, &["1000000000000 configurations", "set max_runs"]).await;
    refused_at_start(
        sound().with("/pipeline_stages/0/endpoint", json!("elsewhere")),
        &["/pipeline_stages/0/endpoint", "unknown endpoint `elsewhere`"],
    )
    .await;
    let unbounded =
        sound().with("/pipeline_stages/0/parameters", json!({})).with("/sweep/max_tokens", json!(100));
    refused_at_start(unbounded, &["/pipeline_stages/0/parameters/max_tokens", "max_output_tokens"]).await;
    refused_at_start(
        sound().with("/sweep/max_cost", json!(1)),
        &["max_cost needs a price for model `echo-1`"],
    )
    .await;
}

#[tokio::test]
async fn a_vast_grid_with_a_limit_starts_at_once() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(Options::default()).await.unwrap());
    let digits: Vec<Value> = (0..10).map(Value::from).collect();
    let space: serde_json::Map<String, Value> =
        (0..12).map(|i| (format!("d{i}"), json!({"type": "choice", "values": digits}))).collect();
    let vast = Experiment::echo(&fake.url(), 2, 1).with("/parameter_space", Value::Object(space));
    vast.with("/sweep/max_runs", json!(100)).write(&home);
    let finished = program::run(&home, &["run", "experiment.json", "--json"]).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.json()["sweep"]["finish_reason"], "max_runs");
    assert_eq!(finished.json()["leaderboard"].as_array().unwrap().len(), 100);
}
