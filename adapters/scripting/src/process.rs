//! A format-checking child process, seen from its parent.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The program that processes run, with its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) path: std::path::PathBuf,
    pub(crate) arguments: Vec<String>,
}

/// A process; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a process with nothing of this one's environment.
    pub(crate) fn start(program: &Program) -> io::Result<Self> {
        let mut command = Command::new(&program.path);
        command.args(&program.arguments).env_clear().kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (requests, answers) = pipes.ok_or_else(|| io::Error::other("the process has no pipes"))?;
        Ok(Self { child, requests, answers: BufReader::new(answers) })
    }

    /// Whether it has not ended.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a line, and waits for the one that answers it; an error where the process ends instead.
    pub(crate) async fn ask(&mut self, line: &str) -> io::Result<String> {
        self.requests.write_all(line.as_bytes()).await?;
        self.requests.flush().await?;
        let mut answer = String::new();
        match self.answers.read_line(&mut answer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(answer),
        }
    }

    /// Why it ended, for people.
    pub(crate) async fn why_ended(mut self) -> String {
        // One that closed its pipes without ending is no longer of use.
        drop(self.child.start_kill());
        match self.child.wait().await {
            Ok(status) => ended_with(status),
            Err(error) => error.to_string(),
        }
    }
}

fn ended_with(status: ExitStatus) -> String {
    match status.signal() {
        Some(signal) => format!("signal {signal}"),
        None => status.to_string(),
    }
}
