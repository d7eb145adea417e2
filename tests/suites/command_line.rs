//! The output and exit codes of the program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use serde_json::json;

async fn fake() -> FakeLlm {
    FakeLlm::start(Options::default()).await.unwrap()
}

#[tokio::test]
async fn wrong_calls_exit_with_2() {
    let home = Home::new(Kind::Sqlite).await;
    sound(&home);
    for arguments in [
        vec!["serve", "--no-execute"],
        vec!["frobnicate"],
        vec!["run"],
        vec!["run", "experiment.json", "--gate", "score is good"],
        vec!["run", "experiment.json", "--gate", "bleu>1"],
        vec!["run", "experiment.json", "--output", "best.docx"],
        vec!["worker"],
        vec!["export", "echo", "--format", "toml"],
    ] {
        let finished = program::run(&home, &arguments).await;
        assert_eq!(finished.code, Some(2), "{arguments:?}: {finished:?}");
        assert!(!finished.stderr.is_empty(), "{arguments:?}");
    }
}

fn sound(home: &Home) {
    Experiment::echo("http://127.0.0.1:9/v1", 2, 1).write(home);
}

#[tokio::test]
async fn a_gate_decides_the_exit_code() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    Experiment::echo(&fake.url(), 4, 1).write(&home);
    for (gate, code) in
        [("score>=0.99", 0), ("exact_match==1", 0), ("ci_low>0.9", 100), ("latency_ms>1000000", 100)]
    {
        let finished = program::run(&home, &["run", "experiment.json", "--gate", gate]).await;
        assert_eq!(finished.code, Some(code), "{gate}: {finished:?}");
        assert_eq!(finished.stderr.contains("gate missed"), code == 100, "{finished:?}");
    }
}

#[tokio::test]
async fn the_winner_is_written_in_every_form() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    Experiment::echo(&fake.url(), 4, 3).write(&home);
    let files = ["best.json", "best.yaml", "best.env", "report.md", "runs.csv", "runs.jsonl"];
    let mut arguments = vec!["run", "experiment.json"];
    for file in files {
        arguments.extend(["--output", file]);
    }
    let finished = program::run(&home, &arguments).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let read = |file: &str| fs::read_to_string(home.folder().join(file)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&read("best.json")).unwrap();
    assert_eq!(
        (&json["model"], &json["score"], &json["experiment"]),
        (&json!("echo-1"), &json!(1), &json!("echo"))
    );
    assert!(read("best.yaml").contains("prompt: |-\n  Say {{ sample.input }}\n"), "{}", read("best.yaml"));
    assert!(
        read("best.env").starts_with("LLM_MODEL=echo-1\nLLM_API_URL=http://127.0.0.1:"),
        "{}",
        read("best.env")
    );
    assert!(read("report.md").starts_with("# echo\n"));
    assert_eq!(read("runs.csv").lines().count(), 4);
    assert_eq!(read("runs.jsonl").lines().count(), 3);
    for (format, file) in [("env", "best.env"), ("csv", "runs.csv"), ("jsonl", "runs.jsonl")] {
        let export = program::run(&home, &["export", "echo", "--format", format]).await;
        assert_eq!((export.code, export.stdout), (Some(0), read(file)), "{format}");
    }
}

#[tokio::test]
async fn the_examples_run_to_a_winner() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../bootstrap/examples");
    let (home, mut ran) = (Home::new(Kind::Sqlite).await, 0);
    for entry in fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|suffix| suffix == "yaml") {
            let winner = home.folder().join(format!("winner-{ran}.json"));
            let arguments = ["run", path.to_str().unwrap(), "--json", "--output", winner.to_str().unwrap()];
            let finished = program::run(&home, &arguments).await;
            assert_eq!(finished.code, Some(0), "{}: {finished:?}", path.display());
            assert!(finished.stderr.contains("built-in simulation"), "{finished:?}");
            let board = finished.json()["leaderboard"].as_array().unwrap().clone();
            let (best, worst) =
                (board[0]["score"].as_f64().unwrap(), board.last().unwrap()["score"].as_f64().unwrap());
            assert!(best > worst + 0.1, "{}: there is nothing to find", path.display());
            assert!(winner.exists());
            ran += 1;
        }
    }
    assert_eq!(ran, 4);
}

#[tokio::test]
async fn stdout_is_one_json_document_and_nothing_else() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    Experiment::echo(&fake.url(), 4, 2).write(&home);
    let finished = program::run(&home, &["run", "experiment.json", "--json"]).await;
    let document = finished.json();
    assert_eq!(document["sweep"]["status"], "completed");
    assert_eq!(document["leaderboard"][0]["rank"], 1);
    assert!(document["leaderboard"][0]["ci_low"].as_f64().unwrap() < 1.0);
}

#[tokio::test]
async fn bad_variables_stop_the_start_by_name() {
    let home = Home::new(Kind::Sqlite).await;
    sound(&home);
    for (name, value, takes) in [
        (
            "MAX_CONCURRENT_RUNS",
            "many",
            "MAX_CONCURRENT_RUNS holds `many`, but takes a whole number from 1 to 1024",
        ),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL takes a PostgreSQL URL"),
        ("SECRET_KEY", "short", "SECRET_KEY must have at least 16 characters"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT holds `xml`, but takes text or json"),
    ] {
        let mut command = program::command(&home, &["run", "experiment.json"]);
        let finished = program::finish(command.env(name, value).spawn().unwrap()).await;
        assert_eq!(finished.code, Some(1), "{name}: {finished:?}");
        assert!(finished.stderr.contains(takes), "{finished:?}");
    }
}

#[tokio::test]
async fn an_unusable_data_folder_is_reported() {
    let home = Home::new(Kind::Sqlite).await;
    sound(&home);
    let file = home.folder().join("a-file");
    fs::write(&file, "").unwrap();
    let mut command = program::command(&home, &["run", "experiment.json"]);
    let finished = program::finish(command.env("DATA_DIR", file.join("data")).spawn().unwrap()).await;
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(
        finished.stderr.contains("cannot be written") && finished.stderr.contains("DATA_DIR"),
        "{finished:?}"
    );
}

#[tokio::test]
async fn a_data_folder_in_use_says_by_whom() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    fake.set_latency(Duration::from_millis(200));
    Experiment::echo(&fake.url(), 50, 4).write(&home);
    let first = program::start(&home, &["run", "experiment.json"]);
    while fake.counts().calls == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let id = first.id().unwrap();
    let second = program::run(&home, &["run", "experiment.json"]).await;
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains(&format!("in use by process {id}")), "{second:?}");
    program::kill(first).await;
}

#[tokio::test]
async fn a_database_of_another_key_is_refused() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        Experiment::echo(&fake.url(), 2, 1)
            .with("/endpoints/0/api_key", json!("sk-very-secret"))
            .write(&home);
        assert_eq!(program::run(&home, &["run", "experiment.json"]).await.code, Some(0));
        let mut command = program::command(&home, &["export", "echo"]);
        let finished = program::finish(command.env("SECRET_KEY", "quite another key").spawn().unwrap()).await;
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.stderr.contains("another SECRET_KEY"), "{finished:?}");
    }
}

#[tokio::test]
async fn keys_are_neither_stored_in_the_clear_nor_exported() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let secret = "sk-very-secret-indeed";
    Experiment::echo(&fake.url(), 2, 1).with("/endpoints/0/api_key", json!(secret)).write(&home);
    let mut command = program::command(&home, &["run", "experiment.json", "--json", "--output", "report.md"]);
    let finished =
        program::finish(command.env_remove("SECRET_KEY").env("LOG", "trace").spawn().unwrap()).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(!finished.stdout.contains(secret) && !finished.stderr.contains(secret));
    for entry in fs::read_dir(home.data()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{} holds the key", path.display());
    }
    let mode = fs::metadata(home.data().join("secret.key")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[tokio::test]
async fn missing_paths_are_named_before_anything_runs() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    Experiment::echo(&fake.url(), 2, 1).write(&home);
    let finished = program::run(&home, &["run", "experiment.json", "--output", "nowhere/best.json"]).await;
    assert_eq!((finished.code, fake.counts().calls), (Some(1), 0), "{finished:?}");
    assert!(finished.stderr.contains("nowhere/best.json: there is no such folder"), "{finished:?}");
    let shown = program::run(&home, &["migrate", "--status"]).await;
    assert!(
        shown.stderr.contains("create it with `promptlooper migrate`") && !home.data().exists(),
        "{shown:?}"
    );
    let mut command = program::command(&home, &["export", "echo"]);
    let away =
        program::finish(command.env("DATABASE_URL", "postgres://x@127.0.0.1:9/x").spawn().unwrap()).await;
    assert_eq!(away.code, Some(1), "{away:?}");
    assert!(
        away.stderr.contains("PostgreSQL cannot be reached") && away.stderr.contains("DATABASE_URL"),
        "{away:?}"
    );
}

#[tokio::test]
async fn the_schema_is_made_and_shown() {
    for kind in Kind::ALL {
        let home = Home::new(kind).await;
        let made = program::run(&home, &["migrate"]).await;
        assert_eq!(made.code, Some(0), "{made:?}");
        let shown = program::run(&home, &["migrate", "--status"]).await;
        assert_eq!(shown.stdout, made.stdout);
        assert!(shown.stdout.lines().all(|line| line.starts_with("done")), "{shown:?}");
    }
}

#[tokio::test]
async fn the_endpoint_of_the_environment_is_the_default() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let mut experiment = Experiment::echo(&fake.url(), 2, 1);
    experiment.document.as_object_mut().unwrap().remove("endpoints");
    experiment.document["pipeline_stages"][0].as_object_mut().unwrap().remove("endpoint");
    experiment.write(&home);
    let mut command = program::command(&home, &["run", "experiment.json"]);
    let finished = program::finish(command.env("DEFAULT_ENDPOINT_URL", fake.url()).spawn().unwrap()).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(fake.counts().calls, 2);
}
