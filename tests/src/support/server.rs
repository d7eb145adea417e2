//! The program as a server, with a client.

use std::process::Stdio;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::home::Home;
use super::program;

/// The key that programs may use in tests.
pub const API_KEY: &str = "a-key-for-programs-in-tests";

/// A server for one test.
pub struct Server {
    child: Child,
    /// Its URL, without a slash at the end.
    pub url: String,
    http: reqwest::Client,
    /// The bearer token of requests.
    pub token: Option<String>,
}

/// How long a server may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

impl Server {
    /// Starts a server that executes runs, with the tests' API key.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn start(home: &Home) -> Self {
        Self::start_with(home, &["serve"], &[]).await
    }

    /// Starts a server with other arguments and further variables.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn start_with(home: &Home, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Self::command(home, arguments);
        command.envs(variables.iter().copied());
        Self::launch(command).await
    }

    /// The command that starts a server.
    #[must_use]
    pub fn command(home: &Home, arguments: &[&str]) -> Command {
        let mut command = program::command(home, arguments);
        command.env("API_KEY", API_KEY).env("HOST", "127.0.0.1");
        command
    }

    /// Starts a server by its command.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn launch(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).spawn().expect("the program starts");
        let stderr = child.stderr.take().expect("stderr");
        let url = tokio::time::timeout(START_TIMEOUT, address(stderr)).await.expect("the server starts");
        Self { child, url, http: reqwest::Client::new(), token: Some(API_KEY.to_owned()) }
    }

    /// Sends a request with the server's token. Returns the status and the body, which is null if it is not JSON.
    ///
    /// # Panics
    /// Where the server does not answer.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let response = self.raw(method, path, body, &[]).await;
        let status = response.status();
        (status, response.json().await.unwrap_or(Value::Null))
    }

    /// Sends a request with further headers.
    ///
    /// # Panics
    /// Where the server does not answer.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Response {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/api/v1/{path}") };
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.expect("an answer")
    }

    /// Gets a path.
    ///
    /// # Panics
    /// Where it is not there.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, None).await;
        assert!(status.is_success(), "GET {path}: {status} {body}");
        body
    }

    /// Posts a body.
    ///
    /// # Panics
    /// Where it is refused.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, body) = self.send(Method::POST, path, Some(body)).await;
        assert!(status.is_success(), "POST {path}: {status} {body}");
        body
    }

    /// Registers the endpoints of an experiment file, and creates its project and the experiment. Returns the
    /// experiment's id.
    ///
    /// # Panics
    /// Where that is refused.
    pub async fn import(&self, document: &Value) -> String {
        let mut document = document.clone();
        let fields = document.as_object_mut().expect("a document");
        fields.remove("sweep");
        for endpoint in fields.remove("endpoints").iter().flat_map(|all| all.as_array().into_iter().flatten())
        {
            self.post("endpoints", endpoint.clone()).await;
        }
        let project = self.post("projects", json!({"name": "tests"})).await;
        fields.insert("project_id".to_owned(), project["id"].clone());
        let made = self.post("experiments", document).await;
        made["id"].as_str().expect("an id").to_owned()
    }

    /// Waits until an experiment's sweep has ended or paused. Returns the sweep.
    ///
    /// # Panics
    /// Where that takes more than a minute.
    pub async fn settled(&self, experiment: &str) -> Value {
        for _ in 0..1200 {
            let sweep = self.get(&format!("experiments/{experiment}")).await["sweep"].clone();
            if sweep["status"] != "running" && !sweep.is_null() {
                return sweep;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the sweep does not end");
    }

    /// Stops the server as a service manager would. Returns its exit code.
    ///
    /// # Panics
    /// Where it does not end within half a minute.
    pub async fn stop(mut self) -> Option<i32> {
        let id = self.child.id().expect("a process").to_string();
        std::process::Command::new("kill").args(["-TERM", &id]).status().expect("a signal");
        let ended = tokio::time::timeout(START_TIMEOUT, self.child.wait()).await;
        ended.expect("the server does not stop").expect("an end").code()
    }

    /// Kills the server.
    ///
    /// # Panics
    /// Where it cannot be ended.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("a kill");
    }

    /// Its process.
    #[must_use]
    pub const fn process(&self) -> &Child {
        &self.child
    }
}

/// Reads the address that the server prints, and continues to read so that its output never blocks.
async fn address(stderr: tokio::process::ChildStderr) -> String {
    let mut lines = BufReader::new(stderr).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.expect("a line") {
        let at =
            line.find("http://").map(|at| line[at..].split(['/', ' ']).take(3).collect::<Vec<_>>().join("/"));
        if let Some(url) = at {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return url;
        }
        said.push_str(&line);
        said.push('\n');
    }
    panic!("the server ended: {said}");
}
