//! Clients that three generators create from the API's document, used without edits: from the first account to
//! exports.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program::{self, Finished};
use promptlooper_tests::support::server::Server;
use promptlooper_tests::support::tools;
use tokio::process::Command;

/// A warning of openapi-generator 7.26 about every document with an object property.
const OF_EVERY_DOCUMENT: &str = "ModelUtils - Failed to get the schema name: null";

/// A folder with the document, in which a client is generated.
struct Workshop {
    home: Home,
}

impl Workshop {
    async fn new() -> Self {
        let home = Home::new(Kind::Sqlite).await;
        let document = program::run(&home, &["openapi"]).await.stdout;
        std::fs::write(home.folder().join("openapi.json"), document).unwrap();
        Self { home }
    }

    /// Runs a tool there, which must succeed without a warning.
    async fn run(&self, tool: &Path, arguments: &[&str]) {
        let mut command = Command::new(tool);
        command.args(arguments).current_dir(self.home.folder()).env("PATH", search_path());
        // Short runs are faster without the optimizing compiler.
        command.env("JAVA_OPTS", "-XX:TieredStopAtLevel=1");
        let finished = finish(command).await;
        let said = format!("{}{}", finished.stdout, finished.stderr);
        assert_eq!(finished.code, Some(0), "{}: {said}", tool.display());
        let warnings: Vec<&str> = said.lines().filter(|line| warns(line)).collect();
        assert!(warnings.is_empty(), "{} warns: {warnings:#?}", tool.display());
    }

    /// Runs a script against a server, with a model server for its calls.
    async fn drive(&self, mut script: Command) {
        let fake = FakeLlm::start(Options::default()).await.unwrap();
        let server = Server::start(&self.home).await;
        script.arg(format!("{}/api/v1", server.url)).arg(fake.url()).current_dir(self.home.folder());
        let finished = finish(script).await;
        assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    }

    /// A Python script that imports the client generated in a folder.
    fn python(&self, script: &str, client: &str) -> Command {
        let mut command = Command::new(tools::python_tool("python"));
        command.args(["-W", "error"]).arg(scripts().join(script));
        command.env("PYTHONPATH", self.home.folder().join(client)).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

async fn finish(mut command: Command) -> Finished {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    program::finish(command.spawn().unwrap()).await
}

fn warns(line: &str) -> bool {
    let told = line.contains(" INFO ") || line.contains(OF_EVERY_DOCUMENT);
    let line = line.to_lowercase();
    !told && ["warn", "error", "not in path", "⚠"].iter().any(|word| line.contains(word))
}

/// Puts the generators' own folder first: one of them starts tools from it.
fn search_path() -> OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(tools::python_tools()).chain(std::env::split_paths(&inherited)))
        .unwrap()
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("generated-clients")
}

#[tokio::test]
async fn the_client_of_openapi_python_client_works() {
    let workshop = Workshop::new().await;
    let arguments = ["generate", "--path", "openapi.json", "--output-path", "client", "--fail-on-warning"];
    workshop.run(&tools::python_tool("openapi-python-client"), &arguments).await;
    workshop.drive(workshop.python("python_client/drive.py", "client")).await;
}

#[tokio::test]
async fn the_client_of_openapi_generator_works() {
    let workshop = Workshop::new().await;
    let arguments = ["generate", "-g", "python", "-i", "openapi.json", "-o", "client"];
    workshop.run(&tools::python_tool("openapi-generator-cli"), &arguments).await;
    workshop.drive(workshop.python("openapi_generator/drive.py", "client")).await;
}

#[tokio::test]
async fn the_types_of_openapi_typescript_work() {
    let workshop = Workshop::new().await;
    let folder = workshop.home.folder();
    for file in ["drive.ts", "package.json", "tsconfig.json"] {
        std::fs::copy(scripts().join("typescript").join(file), folder.join(file)).unwrap();
    }
    let modules = tools::node_modules();
    std::os::unix::fs::symlink(&modules, folder.join("node_modules")).unwrap();
    let tool = |name: &str| modules.join(".bin").join(name);
    workshop.run(&tool("openapi-typescript"), &["openapi.json", "--output", "schema.d.ts"]).await;
    workshop.run(&tool("tsc"), &["--project", "."]).await;
    let mut script = Command::new("node");
    script.arg("built/drive.js");
    workshop.drive(script).await;
}
