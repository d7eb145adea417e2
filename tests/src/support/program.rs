//! The program as a process.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};

use super::home::{Home, SECRET_KEY};

/// The results of a finished process.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Finished {
    /// What it printed, as JSON.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The path of the built program.
///
/// # Panics
/// Where it has not been built.
#[must_use]
pub fn path() -> PathBuf {
    let own = std::env::current_exe().expect("a path of one's own");
    let folders = own.ancestors().skip(1);
    let candidates = folders.map(|folder| folder.join("promptlooper"));
    let found = candidates.take(3).find(|path| path.is_file());
    found.expect("the program is not built: start the tests with tests/run, or `cargo build` first")
}

/// Starts a worker whose guide races, on the database of a home. It works until the experiment's sweep has ended.
///
/// # Panics
/// Where it does not start.
#[must_use]
pub fn start_racing(home: &Home, experiment: &str, words: &[&str]) -> Child {
    let mut command = Command::new(path().with_file_name("racing_worker"));
    match home.url() {
        Some(url) => command.arg(url),
        None => command.arg(home.data()),
    };
    command.arg(experiment).args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn().expect("the worker starts: was it built?")
}

/// The program with the environment of a home only.
#[must_use]
pub fn command(home: &Home, arguments: &[&str]) -> Command {
    let mut command = Command::new(path());
    for name in [
        "REDIS_URL",
        "DEFAULT_ENDPOINT_URL",
        "DEFAULT_ENDPOINT_KEY",
        "MAX_TOKENS_PER_SWEEP",
        "OUTBOUND_ALLOW",
        "LOG_FORMAT",
        "HOST",
        "PUBLIC_URL",
        "JWT_SECRET",
        "API_KEY",
    ] {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(home.folder());
    command.env("DATA_DIR", home.data()).env("SECRET_KEY", SECRET_KEY).env("LOG", "warn");
    command.env("MAX_CONCURRENT_RUNS", "4").env("WORKER_LEASE_SECONDS", "1");
    command.env("PASSWORD_HASH_COST", "4").env("PORT", "0");
    match home.url() {
        Some(url) => command.env("DATABASE_URL", url),
        None => command.env_remove("DATABASE_URL"),
    };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// The same command with a limit of open files.
#[must_use]
pub fn with_open_files(command: &Command, most: u32) -> Command {
    let inner = command.as_std();
    let mut limited = Command::new("sh");
    limited.arg("-c").arg(format!("ulimit -n {most}; exec \"$0\" \"$@\""));
    limited.arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    limited
}

/// Runs the program to its end.
///
/// # Panics
/// Where it does not start, or does not end within two minutes.
pub async fn run(home: &Home, arguments: &[&str]) -> Finished {
    finish(start(home, arguments)).await
}

/// Starts the program.
///
/// # Panics
/// Where it does not start.
#[must_use]
pub fn start(home: &Home, arguments: &[&str]) -> Child {
    command(home, arguments).spawn().expect("the program starts")
}

/// Waits for the end of a started program.
///
/// # Panics
/// Where it does not end within two minutes.
pub async fn finish(child: Child) -> Finished {
    const EXIT_TIMEOUT: Duration = Duration::from_mins(2);
    let output = tokio::time::timeout(EXIT_TIMEOUT, child.wait_with_output()).await;
    let output = output.expect("the program does not end").expect("the program has an end");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Kills a program immediately, and waits until it has ended.
///
/// # Panics
/// Where it cannot be killed.
pub async fn kill(mut child: Child) -> ExitStatus {
    child.start_kill().expect("a process that can be killed");
    child.wait().await.expect("its end")
}

/// The peak memory of a process in KiB; `None` once it has ended.
#[must_use]
pub fn peak_memory(child: &Child) -> Option<u64> {
    status(child, "VmHWM:")
}

/// The present memory of a process in KiB; `None` once it has ended.
#[must_use]
pub fn memory(child: &Child) -> Option<u64> {
    status(child, "VmRSS:")
}

fn status(child: &Child, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()?)).ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
