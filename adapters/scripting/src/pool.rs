//! The pool of format-checking processes, started on demand and ended when idle.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use application::ports::FormatChecker;
use async_trait::async_trait;
use domain::scoring::{Format, Judgement};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use crate::process::{Process, Program};
use crate::{MAX_DURATION, MAX_IDLE, MAX_MEMORY, MAX_PROCESSES, protocol};

/// Checks formats in a few processes, each of which does one check at a time.
#[derive(Debug, Clone)]
pub struct FormatProcesses(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    program: Program,
    longest: Duration,
    idle_for: Duration,
    free: Semaphore,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    /// Since when each of them waits; the longest first.
    processes: Vec<(Instant, Process)>,
    /// Somebody will end those that wait too long.
    watched: bool,
}

impl FormatProcesses {
    /// Processes that run this program again, with these arguments. They have to make it call
    /// [`check_formats`](crate::check_formats).
    ///
    /// # Errors
    /// Where the program's file cannot be found.
    pub fn of_this_program(arguments: &[&str]) -> io::Result<Self> {
        let running = PathBuf::from("/proc/self/exe");
        // It leads to the program that runs, even where its file was replaced by another version.
        let path = if running.exists() { running } else { std::env::current_exe()? };
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Ok(Self::new(Program { path, arguments }, MAX_DURATION, MAX_IDLE))
    }

    fn new(program: Program, longest: Duration, idle_for: Duration) -> Self {
        let (free, idle) = (Semaphore::new(MAX_PROCESSES), Mutex::default());
        Self(Arc::new(Pool { program, longest, idle_for, free, idle }))
    }
}

#[async_trait]
impl FormatChecker for FormatProcesses {
    async fn check(&self, format: &Format, text: &str) -> Result<Judgement, String> {
        let pool = &self.0;
        let _free = pool.free.acquire().await.map_err(|error| error.to_string())?;
        let mut process = pool
            .process()
            .map_err(|error| format!("the process that checks formats could not be started: {error}"))?;
        // Whoever stops waiting drops the process, which ends it.
        match timeout(pool.longest, process.ask(&protocol::request(format, text))).await {
            Ok(Ok(answer)) => {
                let judged = protocol::read_answer(&answer);
                pool.keep(process);
                judged.unwrap_or_else(|| Err("the process that checks formats answered nonsense".to_owned()))
            }
            Ok(Err(_)) => Err(too_much(&process.why_ended().await)),
            Err(_) => Err(too_long(pool.longest)),
        }
    }
}

fn too_long(longest: Duration) -> String {
    format!("checking the format took longer than {} seconds and was ended", longest.as_secs_f64())
}

fn too_much(how: &str) -> String {
    tracing::debug!(how, "a process that checks formats ended");
    format!(
        "checking the format took more than {} MiB of memory, or nested too deeply, and was ended ({how})",
        MAX_MEMORY >> 20
    )
}

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process that waits, or a new one.
    fn process(&self) -> io::Result<Process> {
        let mut waiting = std::iter::from_fn(|| self.idle().processes.pop());
        let alive = waiting.find_map(|(_, mut process)| process.is_alive().then_some(process));
        alive.map_or_else(|| Process::start(&self.program), Ok)
    }

    /// Keeps a process for the next check, for a while.
    fn keep(self: &Arc<Self>, process: Process) {
        let mut idle = self.idle();
        idle.processes.push((Instant::now(), process));
        if !std::mem::replace(&mut idle.watched, true) {
            tokio::spawn(watch(Arc::downgrade(self), self.idle_for));
        }
    }

    /// Ends processes that have waited too long; whether others still wait.
    fn end_idle(&self) -> bool {
        let mut idle = self.idle();
        idle.processes.retain(|(since, _)| since.elapsed() < self.idle_for);
        idle.watched = !idle.processes.is_empty();
        idle.watched
    }
}

/// Looks after processes that wait, until none does.
async fn watch(pool: Weak<Pool>, every: Duration) {
    loop {
        sleep(every).await;
        if !pool.upgrade().is_some_and(|pool| pool.end_idle()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::scoring::Score;

    use super::*;

    /// Processes that run a shell script.
    fn shell(script: &str, longest: Duration) -> FormatProcesses {
        let arguments = vec!["-c".to_owned(), script.to_owned()];
        FormatProcesses::new(
            Program { path: "/bin/sh".into(), arguments },
            longest,
            Duration::from_millis(200),
        )
    }

    const LONG: Duration = Duration::from_mins(1);
    const ANSWER: &str = r#"while read line; do echo '{"value":1,"metadata":{}}'; done"#;

    #[tokio::test]
    async fn a_process_is_used_again_and_ended_when_nobody_needs_it() {
        let processes = shell(ANSWER, LONG);
        for _ in 0..3 {
            assert_eq!(processes.check(&Format::Xml, "a\nb").await, Ok(Judgement::new(Score::ONE)));
            assert_eq!(processes.0.idle().processes.len(), 1);
        }
        while !processes.0.idle().processes.is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
        assert!(processes.check(&Format::Xml, "").await.is_ok());
    }

    #[tokio::test]
    async fn what_ends_a_process_is_told_and_the_next_check_has_a_new_one() {
        for script in ["exit 3", "kill -ABRT $$", "read line; kill -SEGV $$", "exec 1>&-; sleep 60"] {
            let processes = shell(script, LONG);
            for _ in 0..2 {
                let told = processes.check(&Format::Xml, "").await.unwrap_err();
                assert!(told.contains("512 MiB"), "{script}: {told}");
            }
        }
    }

    #[tokio::test]
    async fn a_process_that_died_while_it_waited_is_replaced() {
        let script = r#"read line; echo '{"value":1,"metadata":{}}'"#;
        let processes = shell(script, LONG);
        for _ in 0..5 {
            assert!(processes.check(&Format::Xml, "").await.is_ok());
            sleep(Duration::from_millis(100)).await;
        }
    }

    #[tokio::test]
    async fn a_check_that_takes_too_long_is_ended() {
        let processes = shell("sleep 600", Duration::from_millis(100));
        let told = processes.check(&Format::Xml, "").await.unwrap_err();
        assert!(told.contains("longer than 0.1 seconds"), "{told}");
    }

    #[tokio::test]
    async fn no_more_processes_than_a_few_are_started() {
        let processes = shell(ANSWER, LONG);
        let checks = (0..20).map(|_| processes.check(&Format::Xml, "x"));
        let judged: Vec<_> = futures::future::join_all(checks).await;
        assert!(judged.iter().all(Result::is_ok));
        assert!(processes.0.idle().processes.len() <= MAX_PROCESSES);
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_told() {
        let program = Program { path: "/nonexistent".into(), arguments: vec![] };
        let told = FormatProcesses::new(program, LONG, LONG).check(&Format::Xml, "").await.unwrap_err();
        assert!(told.contains("could not be started"), "{told}");
    }

    #[tokio::test]
    async fn nonsense_is_told() {
        let told = shell("read line; echo nonsense", LONG).check(&Format::Xml, "").await.unwrap_err();
        assert!(told.contains("nonsense"), "{told}");
    }
}
