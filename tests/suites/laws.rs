//! Laws for arbitrary experiments: each distinct call is made once, and a killed sweep gives the same results.

use std::time::Duration;

use promptlooper_tests::support::effort;
use promptlooper_tests::support::facts::Facts;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use promptlooper_tests::support::server::Server;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};

const SEEDS: (u64, u64) = (2, 40);

/// Pseudo-random numbers from a seed (xorshift).
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number from `low` to `high`.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        low + self.0 % (high - low + 1)
    }
}

/// Scorers of texts; of every second seed a judge and embeddings beside them.
fn scoring(seed: u64) -> Value {
    let mut scoring = vec![json!({"scorer": "exact_match"}), json!({"scorer": "similarity"})];
    if !seed.is_multiple_of(2) {
        let judge = json!({"endpoint": "fake", "model": "judge-1", "max_tokens": 64});
        scoring.push(json!({"scorer": "llm_judge", "options": judge}));
        scoring.push(
            json!({"scorer": "embedding_similarity", "options": {"endpoint": "fake", "model": "embed-1"}}),
        );
    }
    json!(scoring)
}

/// Up to three stages, possibly with a retrieval. Some stages have no dimension, so that runs share calls. Some
/// samples are equal, so that places in one run share calls too.
fn experiment(seed: u64, url: &str) -> Value {
    let mut numbers = Numbers::new(seed);
    let words = numbers.between(3, 20);
    let samples: Vec<Value> = (0..numbers.between(6, 30))
        .map(|_| format!("word-{}", numbers.between(1, words)))
        .map(|word| json!({"input": word, "reference": word}))
        .collect();
    let stages = numbers.between(1, 3);
    let toned = numbers.between(0, stages - 1);
    let documents: Vec<Value> = (0..numbers.between(0, 1) * 40)
        .map(|number| json!(format!("text {} of {number}", number % 7)))
        .collect();
    let found = "{% for hit in stages.find.output %}{{ hit.text }} {% endfor %}";
    let retrieves = !documents.is_empty();
    let first = [
        json!({"name": "cut", "kind": "chunk", "input": "documents", "unit": "words",
               "chunk_size": numbers.between(1, 4)}),
        json!({"name": "find", "kind": "retrieve", "from": "cut", "endpoint": "fake", "model": "embed-1",
               "top_k": numbers.between(1, 3)}),
    ];
    let asked = (0..stages).map(|stage| {
        let tone = if stage == toned { " {{ params.tone }}" } else { "" };
        let found = if retrieves && stage == 0 { found } else { "" };
        let of =
            if stage == 0 { format!("{found}{{{{ sample.input }}}}") } else { "{{ previous }}".to_owned() };
        json!({"name": format!("s{stage}"), "kind": "llm", "endpoint": "fake", "model": "echo-1",
                   "prompt": format!("Stage {stage}{tone}: {of}"), "parameters": {"max_tokens": 16}})
    });
    let pipeline: Vec<Value> = first.into_iter().filter(|_| retrieves).chain(asked).collect();
    let heated = numbers.between(0, stages - 1);
    let temperatures: Vec<f64> = (0..numbers.between(1, 4)).map(|i| i as f64 / 8.0).collect();
    json!({
        "name": "law",
        "endpoints": [{"label": "fake", "kind": "openai", "url": url,
                       "limits": {"concurrency": numbers.between(1, 16)}}],
        "documents": documents,
        "sample_data": samples,
        "pipeline_stages": pipeline,
        "scoring_config": scoring(seed),
        "parameter_space": {
            "heat": {"target": format!("s{heated}.temperature"), "type": "choice", "values": temperatures},
            "tone": {"type": "choice", "values": ["kindly", "curtly", "in jest"]},
        },
        "repeats": numbers.between(1, 3),
        "sweep": {"kind": "grid"},
    })
}

/// The results of a sweep, regardless of which run paid for a shared call.
fn outcome(facts: &Facts) -> Value {
    // Without config hashes, because those depend on the server's port.
    let mut runs: Vec<_> = facts
        .runs
        .values()
        .map(|run| format!("{:?} {:?} {} {:?}", run.samples, run.score, run.scores, &run.usage[..2]))
        .collect();
    runs.sort();
    json!({"runs": runs, "totals": facts.totals[4..], "answers": facts.answers, "rows": facts.rows})
}

/// Whether the sweep has ended. A database whose creation has only begun has none.
async fn is_over(home: &Home) -> bool {
    let connection = home.connection().await;
    let sql = "SELECT id FROM sweep WHERE status = 'completed'";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_one_raw(statement).await.is_ok_and(|row| row.is_some())
}

fn write(home: &Home, document: &Value) {
    std::fs::write(home.folder().join("experiment.json"), document.to_string()).unwrap();
}

#[tokio::test]
async fn any_killed_sweep_gives_the_same_results_and_pays_once() {
    for seed in 0..effort::scaled(SEEDS.0, SEEDS.1) {
        let options = || Options { port: 0, latency: Duration::from_millis(15) };
        let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(options()).await.unwrap());
        write(&home, &experiment(seed, &fake.url()));
        let finished = program::run(&home, &["run", "experiment.json"]).await;
        assert_eq!(finished.code, Some(0), "seed {seed}: {finished:?}");
        let (counts, undisturbed) = (fake.counts(), Facts::read(&home).await);
        assert_eq!(
            counts.calls + counts.embedded_texts,
            undisturbed.answers[0].cast_unsigned(),
            "seed {seed}: calls against answers"
        );

        let (home, fake) = (Home::new(Kind::Sqlite).await, FakeLlm::start(options()).await.unwrap());
        write(&home, &experiment(seed, &fake.url()));
        let mut numbers = Numbers::new(seed ^ 0xdead);
        let mut kills = 0;
        for _ in 0..4 {
            let mut child = program::start(&home, &["run", "experiment.json"]);
            tokio::time::sleep(Duration::from_millis(numbers.between(120, 500))).await;
            if child.try_wait().unwrap().is_some() {
                break;
            }
            program::kill(child).await;
            kills += 1;
            if is_over(&home).await {
                break;
            }
        }
        // Another start after the sweep's end would create a new sweep.
        if !is_over(&home).await {
            let finished = program::run(&home, &["run", "experiment.json"]).await;
            assert_eq!(finished.code, Some(0), "seed {seed}: {finished:?}");
        }
        let recovered = Facts::read(&home).await;
        assert_eq!(outcome(&recovered), outcome(&undisturbed), "seed {seed}, {kills} kills");
        // At most the calls in flight at a kill are made again.
        let again = fake.counts().calls - counts.calls;
        assert!(again <= kills * 16, "seed {seed}: {again} calls more after {kills} kills");
        let texts = fake.counts().embedded_texts - counts.embedded_texts;
        assert!(texts <= kills * 16 * 64, "seed {seed}: {texts} texts more after {kills} kills");
        effort::report(&format!("seed {seed}: {} calls, {kills} kills, {again} calls again", counts.calls));
    }
}

#[tokio::test]
async fn two_workers_make_each_distinct_call_once() {
    for seed in 100..100 + effort::scaled(SEEDS.0, SEEDS.1) {
        let home = Home::new(Kind::Postgres).await;
        let fake = FakeLlm::start(Options { port: 0, latency: Duration::from_millis(5) }).await.unwrap();
        // On a busy machine a short lease expires, and the calls in flight are made again.
        let variables = [("WORKER_LEASE_SECONDS", "15")];
        let server = Server::start_with(&home, &["serve"], &variables).await;
        let worker = program::command(&home, &["worker"]).envs(variables).spawn().unwrap();
        let experiment = server.import(&experiment(seed, &fake.url())).await;
        server.post(&format!("experiments/{experiment}/sweep"), json!({"kind": "grid"})).await;
        let sweep = server.settled(&experiment).await;
        assert_eq!(sweep["status"], "completed", "seed {seed}: {sweep}");
        assert_eq!(server.stop().await, Some(0));
        program::kill(worker).await;
        let facts = Facts::read(&home).await;
        let counts = fake.counts();
        assert_eq!(
            counts.calls + counts.embedded_texts,
            facts.answers[0].cast_unsigned(),
            "seed {seed}: calls against answers"
        );
    }
}
