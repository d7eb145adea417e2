//! The messages of the command line for people and programs: why things failed, and how to continue.

use std::time::Duration;

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program::{self, Finished};
use serde_json::json;
use tokio::process::Command;

async fn fake() -> FakeLlm {
    FakeLlm::start(Options::default()).await.unwrap()
}

async fn run(home: &Home, arguments: &[&str]) -> Finished {
    program::run(home, &[&["run", "experiment.json"], arguments].concat()).await
}

#[tokio::test]
async fn failed_samples_are_told_by_kind_with_an_example() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        let models = json!({"target": "say.model", "type": "choice", "values": ["echo-1", "fault-400"]});
        let experiment = Experiment::echo(&fake.url(), 3, 1).with("/parameter_space/model", models);
        experiment.write(&home);
        let finished = run(&home, &["--output", "report.md"]).await;
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let told = finished.stderr.lines().find(|line| line.contains(" failed with ")).unwrap();
        assert!(
            told.starts_with("3 samples failed with `") && told.contains("in stage `say`, such as: "),
            "{told}"
        );
        assert!(finished.stderr.contains("2 runs · 1 failed · "), "{finished:?}");
        let report = std::fs::read_to_string(home.folder().join("report.md")).unwrap();
        assert!(
            report.contains("3 samples failed with `") && report.contains("in stage `say`, such as"),
            "{report}"
        );
    }
}

#[tokio::test]
async fn failed_scores_are_told_by_scorer_and_scores_from_outside_may_be_absent() {
    for kind in Kind::ALL {
        let (home, fake) = (Home::new(kind).await, fake().await);
        let scoring = json!([
            {"scorer": "exact_match"},
            {"scorer": "human_rating", "weight": 2},
            {"scorer": "external", "name": "lint"},
            {
                "name": "judge", "scorer": "llm_judge", "weight": 0,
                "options": {"endpoint": "fake", "model": "fault-length", "max_tokens": 64},
            },
        ]);
        Experiment::echo(&fake.url(), 6, 2).with("/scoring_config", scoring).write(&home);
        let files = ["report.md", "best.json", "best.yaml", "best.env", "runs.csv", "runs.jsonl"];
        let outputs: Vec<&str> = files.iter().flat_map(|file| ["--output", *file]).collect();
        let finished = run(&home, &outputs).await;
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert!(finished.stdout.contains("  1.000  "), "{finished:?}");
        let reason = "the judge's answer was cut at its max_tokens of 64: raise it";
        let told = format!("12 scores of `judge` failed: {reason}");
        assert!(finished.stderr.lines().any(|line| line == told), "{finished:?}");
        let read = |file: &str| std::fs::read_to_string(home.folder().join(file)).unwrap();
        let report = read("report.md");
        assert!(report.contains(&format!("12 scores of `judge` failed: `{reason}`.")), "{report}");
        let (csv, jsonl) = (read("runs.csv"), read("runs.jsonl"));
        assert!(csv.contains(",scores.human_rating,") && csv.lines().count() == 3, "{csv}");
        assert_eq!(jsonl.lines().count(), 2, "{jsonl}");
        let again = run(&home, &["--json"]).await.json();
        let failed = json!([{"scorer": "judge", "count": 12, "message": reason}]);
        assert_eq!(again["failed_scores"], failed, "{again}");
        let scores = &again["leaderboard"][0]["scores"];
        assert_eq!((&scores["exact_match"], &scores["lint"]), (&json!(1.0), &json!(null)), "{again}");
    }
}

#[tokio::test]
async fn a_report_holds_long_prompts_whole() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let long = format!("{}\n```\nSay {{{{ sample.input }}}}", "Read it twice. ".repeat(30));
    let prompts = json!({"target": "say.prompt", "type": "choice", "values": [long, "{{ sample.input }}"]});
    let experiment = Experiment::echo(&fake.url(), 2, 1).with("/parameter_space/prompt", prompts);
    experiment.write(&home);
    let finished = run(&home, &["--output", "report.md"]).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let report = std::fs::read_to_string(home.folder().join("report.md")).unwrap();
    assert!(report.contains("prompt=text 1"), "{report}");
    assert!(report.contains(&format!("Text 1:\n\n````text\n{long}\n````\n")), "{report}");
    assert!(
        finished.stdout.contains("Read it twice. ".repeat(30).trim_end()),
        "cut where it is piped: {finished:?}"
    );
}

#[tokio::test]
async fn a_file_that_names_another_server_starts_a_new_sweep() {
    let (home, first, second) = (Home::new(Kind::Sqlite).await, fake().await, fake().await);
    Experiment::echo(&first.url(), 3, 2).write(&home);
    assert_eq!(run(&home, &[]).await.code, Some(0));
    Experiment::echo(&second.url(), 3, 2).write(&home);
    let moved = run(&home, &["--json"]).await;
    assert_eq!((moved.code, second.counts().calls), (Some(0), 6), "{moved:?}");
    assert_eq!(moved.json()["leaderboard"].as_array().unwrap().len(), 2);
    Experiment::echo("http://127.0.0.1:9/v1", 3, 2).write(&home);
    let down = run(&home, &["--no-check"]).await;
    assert_eq!((down.code, down.stdout.as_str()), (Some(1), ""), "{down:?}");
    assert!(down.stderr.contains("error: every run failed: 6 samples failed with `connect`"), "{down:?}");
    Experiment::echo(&first.url(), 3, 2).write(&home);
    let back = run(&home, &["--json"]).await;
    assert_eq!((back.code, first.counts().calls), (Some(0), 6), "{back:?}");
}

#[tokio::test]
async fn an_unfinished_sweep_of_another_server_is_left_alone() {
    let (home, first, second) = (Home::new(Kind::Sqlite).await, fake().await, fake().await);
    first.set_latency(Duration::from_millis(200));
    Experiment::echo(&first.url(), 30, 4).write(&home);
    let begun = program::start(&home, &["run", "experiment.json"]);
    while first.counts().calls == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    program::kill(begun).await;
    Experiment::echo(&second.url(), 30, 4).write(&home);
    let moved = run(&home, &["--json"]).await;
    assert_eq!((moved.code, second.counts().calls), (Some(0), 120), "{moved:?}");
    assert_eq!(moved.json()["sweep"]["progress"]["failed"], 0);
}

#[tokio::test]
async fn a_failure_is_a_document_too() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    Experiment::echo(&fake.url(), 2, 1).write(&home);
    for (arguments, exit, code) in [
        (vec!["--gate", "score>2"], 100, "gate_missed"),
        (vec!["--top", "many"], 2, "usage"),
        (vec!["--output", "nowhere/x.json"], 1, "error"),
    ] {
        let finished = run(&home, &[&["--json"], arguments.as_slice()].concat()).await;
        assert_eq!(finished.code, Some(exit), "{finished:?}");
        let error = &finished.json()["error"];
        assert_eq!(error["code"], code, "{finished:?}");
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
    Experiment::echo("http://127.0.0.1:9/v1", 2, 1).write(&home);
    let failed = run(&home, &["--json", "--no-check"]).await;
    let document = failed.json();
    assert_eq!((failed.code, &document["error"]["code"]), (Some(1), &json!("all_failed")), "{failed:?}");
    assert_eq!(
        (&document["failures"][0]["count"], &document["failures"][0]["stage"]),
        (&json!(2), &json!("say"))
    );
    assert_eq!(document["leaderboard"], json!([]));
    Experiment::echo(&fake.url(), 0, 1).with("/scoring_config/0/scorer", json!("none")).write(&home);
    let wrong = run(&home, &["--json"]).await;
    assert!(wrong.json()["error"]["errors"].as_array().unwrap().len() > 1, "{wrong:?}");
}

#[tokio::test]
async fn ctrl_c_exits_with_130_and_keeps_what_is_done() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    fake.set_latency(Duration::from_millis(50));
    Experiment::echo(&fake.url(), 50, 4).write(&home);
    let begun = program::start(&home, &["run", "experiment.json"]);
    while fake.counts().calls < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let pressed =
        Command::new("kill").args(["-INT", &begun.id().unwrap().to_string()]).status().await.unwrap();
    assert!(pressed.success());
    let finished = program::finish(begun).await;
    assert_eq!(finished.code, Some(130), "{finished:?}");
    let told = finished.stderr.lines().last().unwrap();
    assert_eq!(told, "interrupted: what is done is stored: run the same command again to resume");
    fake.set_latency(Duration::ZERO);
    let resumed = run(&home, &[]).await;
    assert_eq!((resumed.code, fake.counts().calls), (Some(0), 200), "{resumed:?}");
}

#[tokio::test]
async fn errors_of_every_run_are_reported_once() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let experiment = Experiment::echo(&fake.url(), 8, 8).with("/pipeline_stages/0/model", json!("fault-401"));
    experiment.write(&home);
    let finished = run(&home, &[]).await;
    let said = finished
        .stderr
        .lines()
        .filter(|line| line.contains(" WARN "))
        .map(|line| line.split_once(' ').unwrap().1);
    let mut said: Vec<&str> = said.collect();
    let all = said.len();
    said.sort_unstable();
    said.dedup();
    assert!(all == said.len() && all > 0, "{finished:?}");
}

#[tokio::test]
async fn one_is_not_many() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    Experiment::echo(&fake.url(), 1, 1).write(&home);
    let finished = run(&home, &["--top", "0"]).await;
    assert!(finished.stderr.contains("1 run · 1 call · 0 from the cache · "), "{finished:?}");
    assert_eq!(finished.stdout, "");
}

#[tokio::test]
async fn unknown_names_are_answered_with_known_ones() {
    let (home, fake) = (Home::new(Kind::Sqlite).await, fake().await);
    let none = program::run(&home, &["export", "nosuch"]).await;
    assert!(none.stderr.contains("there are none yet"), "{none:?}");
    for name in ["a", "b", "c", "d", "e", "f", "f"] {
        let experiment = Experiment::echo(&fake.url(), 1, 1).with("/name", json!(name));
        let experiment = experiment.with("/description", json!(name.len()).to_string().into());
        experiment.write(&home);
        let made = program::run(&home, &["import", "experiment.json"]).await;
        let id = made.stdout.trim();
        assert!(made.stderr.starts_with(&format!("experiment {id} ")), "{made:?}");
    }
    let again = program::run(&home, &["import", "experiment.json"]).await;
    assert!(again.stderr.contains("is already in project `cli`"), "{again:?}");
    let told = program::run(&home, &["export", "nosuch"]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.stderr.ends_with("The newest are f, e, d, c, b\n"), "{told:?}");
    let migrated = program::run(&home, &["migrate"]).await;
    assert!(migrated.stderr.contains("the schema is up to date: there was nothing to do"), "{migrated:?}");
    let new = Home::new(Kind::Sqlite).await;
    let migrated = program::run(&new, &["migrate"]).await;
    assert!(migrated.stderr.contains(" migrations applied"), "{migrated:?}");
}

#[tokio::test]
async fn every_help_has_examples_and_short_lines() {
    let home = Home::new(Kind::Sqlite).await;
    let words = ["serve", "demo", "run", "worker", "migrate", "export", "import", "openapi", "healthcheck"];
    for word in std::iter::once(None).chain(words.map(Some)) {
        let arguments: Vec<&str> = word.into_iter().chain(["--help"]).collect();
        let shown = program::run(&home, &arguments).await;
        assert!(shown.stdout.contains("Examples:\n"), "{word:?}: {shown:?}");
        let long = shown.stdout.lines().find(|line| line.chars().count() > 100);
        assert_eq!(long, None, "{word:?}");
    }
}
