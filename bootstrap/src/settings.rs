//! The environment, read once.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::secret::Secret;
use outbound::{ALLOW_LIST_TAKES, AllowList};
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// What the environment says.
#[derive(Debug)]
pub(crate) struct Settings {
    /// PostgreSQL's URL; SQLite where absent.
    pub(crate) database_url: Option<Secret>,
    pub(crate) data_dir: PathBuf,
    pub(crate) secret_key: Option<Secret>,
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    /// The origin under which browsers reach this server.
    pub(crate) public_origin: Option<String>,
    pub(crate) jwt_secret: Option<Secret>,
    pub(crate) api_key: Option<Secret>,
    pub(crate) password_cost: u32,
    pub(crate) default_endpoint: Option<DefaultEndpoint>,
    /// Private addresses that services of experiments may be at.
    pub(crate) outbound_allow: AllowList,
    pub(crate) concurrent_runs: usize,
    pub(crate) max_tokens_per_sweep: Option<u64>,
    pub(crate) lease: Duration,
    /// How many times as long as usual the built-in simulation thinks.
    pub(crate) simulated_pace: f64,
    pub(crate) log: String,
    pub(crate) log_as_json: bool,
}

#[derive(Debug)]
pub(crate) struct DefaultEndpoint {
    pub(crate) url: String,
    pub(crate) key: Option<Secret>,
}

/// A variable that holds what it cannot hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadVariable {
    name: &'static str,
    /// Absent where it may be a secret.
    held: Option<String>,
    takes: String,
}

impl fmt::Display for BadVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.held {
            Some(held) => write!(f, "{} holds `{held}`, but takes {}", self.name, self.takes),
            None => write!(f, "{} takes {}", self.name, self.takes),
        }
    }
}

impl Settings {
    /// Reads the process's environment.
    pub(crate) fn from_environment() -> Result<Self, Failure> {
        Self::read(&|name| variable(name)).map_err(Failure::error)
    }

    fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, BadVariable> {
        let data_dir = get("DATA_DIR").map_or_else(|| standard_data_dir(Path::new("/data")), PathBuf::from);
        Ok(Self {
            database_url: database_url(get)?,
            data_dir,
            secret_key: get("SECRET_KEY").map(Secret::new),
            host: host(get)?,
            port: number(get, "PORT", 8400, 0, 65_535)?.try_into().unwrap_or(8400),
            public_origin: public_origin(get)?,
            jwt_secret: long_secret(get, "JWT_SECRET")?,
            api_key: api_key(get)?,
            password_cost: number(get, "PASSWORD_HASH_COST", 12, 4, 16)?.try_into().unwrap_or(12),
            default_endpoint: default_endpoint(get)?,
            outbound_allow: outbound_allow(get)?,
            concurrent_runs: number(get, "MAX_CONCURRENT_RUNS", 4, 1, 1024)?.try_into().unwrap_or(4),
            max_tokens_per_sweep: Some(number(get, "MAX_TOKENS_PER_SWEEP", 0, 0, u64::MAX)?)
                .filter(|max| *max > 0),
            lease: Duration::from_secs(number(get, "WORKER_LEASE_SECONDS", 15, 1, 3600)?),
            simulated_pace: 1.0,
            log: log_filter(get)?,
            log_as_json: word(get, "LOG_FORMAT", &["text", "json"])? == "json",
        })
    }
}

/// A variable of the environment; an empty one counts as unset.
pub(crate) fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    let value = std::env::var(name).ok();
    value.filter(|value| !value.is_empty())
}

fn database_url(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Secret>, BadVariable> {
    let Some(url) = get("DATABASE_URL") else { return Ok(None) };
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Some(Secret::new(url)));
    }
    let takes =
        "a PostgreSQL URL such as postgres://user:password@host/name; unset it to use SQLite in DATA_DIR";
    Err(BadVariable { name: "DATABASE_URL", held: None, takes: takes.to_owned() })
}

fn host(get: &dyn Fn(&str) -> Option<String>) -> Result<IpAddr, BadVariable> {
    let Some(held) = get("HOST") else { return Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) };
    let takes = "the IP address to listen at: 0.0.0.0 for all, 127.0.0.1 for this machine only".to_owned();
    held.parse().map_err(|_| BadVariable { name: "HOST", held: Some(held), takes })
}

/// Scheme, host and port of the public URL.
fn public_origin(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>, BadVariable> {
    let Some(held) = get("PUBLIC_URL") else { return Ok(None) };
    let origin = held.split_once("://").and_then(|(scheme, rest)| {
        let authority = rest.split('/').next().filter(|authority| !authority.is_empty())?;
        ["http", "https"].contains(&scheme).then(|| format!("{scheme}://{authority}"))
    });
    let takes = "the URL under which browsers reach this server, such as https://loop.example.org".to_owned();
    origin.map(Some).ok_or(BadVariable { name: "PUBLIC_URL", held: Some(held), takes })
}

/// Characters that a secret has at least.
const SHORTEST_SECRET: usize = 16;

fn long_secret(
    get: &dyn Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<Option<Secret>, BadVariable> {
    match get(name) {
        Some(held) if held.chars().count() < SHORTEST_SECRET => {
            let takes = format!("at least {SHORTEST_SECRET} characters that nobody can guess");
            Err(BadVariable { name, held: None, takes })
        }
        held => Ok(held.map(Secret::new)),
    }
}

/// A header carries it: blanks would not come through as they were.
fn api_key(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Secret>, BadVariable> {
    let key = long_secret(get, "API_KEY")?;
    if key.as_ref().is_none_or(|key| key.expose().bytes().all(|byte| byte.is_ascii_graphic())) {
        return Ok(key);
    }
    let takes = "letters, digits and signs of ASCII, without blanks".to_owned();
    Err(BadVariable { name: "API_KEY", held: None, takes })
}

fn default_endpoint(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<DefaultEndpoint>, BadVariable> {
    let key = get("DEFAULT_ENDPOINT_KEY").map(Secret::new);
    match get("DEFAULT_ENDPOINT_URL") {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            Ok(Some(DefaultEndpoint { url, key }))
        }
        Some(url) => Err(BadVariable {
            name: "DEFAULT_ENDPOINT_URL",
            held: Some(url),
            takes: "the base URL of an API, such as http://127.0.0.1:8000/v1".to_owned(),
        }),
        None if key.is_some() => Err(BadVariable {
            name: "DEFAULT_ENDPOINT_KEY",
            held: None,
            takes: "the key of the endpoint that DEFAULT_ENDPOINT_URL names, which is not set".to_owned(),
        }),
        None => Ok(None),
    }
}

fn outbound_allow(get: &dyn Fn(&str) -> Option<String>) -> Result<AllowList, BadVariable> {
    let Some(held) = get("OUTBOUND_ALLOW") else { return Ok(AllowList::default()) };
    let takes = ALLOW_LIST_TAKES.to_owned();
    AllowList::parse(&held).map_err(|_| BadVariable { name: "OUTBOUND_ALLOW", held: Some(held), takes })
}

fn number(
    get: &dyn Fn(&str) -> Option<String>,
    name: &'static str,
    default: u64,
    least: u64,
    most: u64,
) -> Result<u64, BadVariable> {
    let Some(held) = get(name) else { return Ok(default) };
    match held.trim().parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => {
            let takes = if most == u64::MAX {
                format!("a whole number from {least} up")
            } else {
                format!("a whole number from {least} to {most}")
            };
            Err(BadVariable { name, held: Some(held), takes })
        }
    }
}

fn word(
    get: &dyn Fn(&str) -> Option<String>,
    name: &'static str,
    words: &[&'static str],
) -> Result<&'static str, BadVariable> {
    let Some(held) = get(name) else { return Ok(words[0]) };
    let known = words.iter().copied().find(|word| *word == held);
    known.ok_or_else(|| BadVariable { name, held: Some(held), takes: words.join(" or ") })
}

/// Each step of the schema is news to nobody, and where the server is has been said.
const DEFAULT_LOG: &str = "info,poem=warn,sea_orm_migration=warn,sqlx=warn";

fn log_filter(get: &dyn Fn(&str) -> Option<String>) -> Result<String, BadVariable> {
    let held = get("LOG").unwrap_or_else(|| DEFAULT_LOG.to_owned());
    match EnvFilter::try_new(&held) {
        Ok(_) => Ok(held),
        Err(_) => Err(BadVariable {
            name: "LOG",
            held: Some(held),
            takes: "a level (error, warn, info, debug, trace) or filters such as info,sqlx=warn".to_owned(),
        }),
    }
}

/// The volume of a container where there is one, else the user's own data folder.
fn standard_data_dir(volume: &Path) -> PathBuf {
    if volume.is_dir() && is_writable(volume) {
        return volume.to_owned();
    }
    dirs::data_dir().map_or_else(|| PathBuf::from("promptlooper-data"), |folder| folder.join("promptlooper"))
}

fn is_writable(folder: &Path) -> bool {
    let probe = folder.join(format!(".promptlooper-{}", std::process::id()));
    let written = std::fs::write(&probe, "").is_ok();
    written && std::fs::remove_file(probe).is_ok()
}

#[cfg(test)]
mod tests;
