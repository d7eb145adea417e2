//! A PostgreSQL server for one test, which can be restarted, stopped and run out of disk space.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A running server; it is stopped when this is dropped.
pub struct OwnPostgres {
    folder: TempDir,
    data: PathBuf,
    port: u16,
}

impl OwnPostgres {
    /// Starts a server with its data in a new folder.
    ///
    /// # Panics
    /// Where there is no PostgreSQL to be had.
    #[must_use]
    pub fn start() -> Self {
        let folder =
            tempfile::Builder::new().prefix("promptlooper-pg.").tempdir_in("/tmp").expect("a folder");
        let data = folder.path().join("data");
        Self::start_in(folder, data)
    }

    /// The same with its data in another folder, which has to be empty.
    ///
    /// # Panics
    /// Where there is no PostgreSQL to be had.
    #[must_use]
    pub fn start_at(data: &Path) -> Self {
        let folder =
            tempfile::Builder::new().prefix("promptlooper-pg.").tempdir_in("/tmp").expect("a folder");
        Self::start_in(folder, data.to_owned())
    }

    fn start_in(folder: TempDir, data: PathBuf) -> Self {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let server = Self { folder, data, port };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(server.folder.path()).arg(parent(&server.data)));
        }
        run(server
            .program("initdb")
            .args(["-A", "trust", "-U", "promptlooper", "--no-sync", "-D"])
            .arg(&server.data));
        server.start_again();
        server
    }

    /// Its URL, without a database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://promptlooper@127.0.0.1:{}", self.port)
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Stops the server immediately, as in a crash, and starts it again.
    ///
    /// # Panics
    /// Where it does not come back.
    pub fn restart(&self) {
        self.stop();
        self.start_again();
    }

    /// Stops the server immediately, as in a crash.
    ///
    /// # Panics
    /// Where it does not end.
    pub fn stop(&self) {
        run(self.control().args(["-m", "immediate", "stop"]));
    }

    /// Starts the server after [`stop`](Self::stop).
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start_again(&self) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_wal_size=64MB -c min_wal_size=32MB",
            self.port,
            self.folder.path().display()
        );
        let log = self.folder.path().join("log");
        run(self.control().arg("-l").arg(log).args(["-w", "-o"]).arg(options).arg("start"));
    }

    /// Starts the server again if it has ended by itself.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn ensure_running(&self) {
        let running = self.control().arg("status").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !running.is_ok_and(|status| status.success()) {
            self.start_again();
        }
    }

    fn control(&self) -> Command {
        let mut command = self.program("pg_ctl");
        command.arg("-D").arg(&self.data);
        command
    }

    /// A command for one of PostgreSQL's programs, which refuse to run as root.
    fn program(&self, name: &str) -> Command {
        let path = programs().join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        drop(
            self.control()
                .args(["-m", "immediate", "stop"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status(),
        );
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Whether the tests run as root.
///
/// # Panics
/// Where the system does not say.
#[must_use]
pub fn is_root() -> bool {
    let own = std::fs::metadata("/proc/self").expect("a process of one's own");
    std::os::unix::fs::MetadataExt::uid(&own) == 0
}

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

fn programs() -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.filter_map(|version| Some(version.ok()?.path().join("bin"))).collect())
        .unwrap_or_default();
    versions.sort();
    versions.into_iter().rfind(|bin| bin.join("initdb").is_file()).unwrap_or_default()
}
