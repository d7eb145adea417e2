//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::id::RunId;

use crate::gate::Gate;

/// Finds the best configuration of an LLM pipeline.
#[derive(Debug, Parser)]
#[command(name = "promptlooper", version, about, max_term_width = 100)]
#[command(after_help = [OVERVIEW, ENVIRONMENT].concat())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const OVERVIEW: &str = "Examples:
  promptlooper demo                               watch a sweep of a sample project
  promptlooper run experiment.yaml                run an experiment file, show the leaderboard
  promptlooper                                    serve the dashboard at http://127.0.0.1:8400

";

const ENVIRONMENT: &str = "Environment:
  HOST, PORT             where the server listens [0.0.0.0, 8400]
  PUBLIC_URL             the URL at which browsers reach it
  API_KEY                a key for programs, with all rights
  JWT_SECRET             signs sessions [generated and stored]
  PASSWORD_HASH_COST     bcrypt cost, 4 to 16 [12]
  DATA_DIR               folder of the SQLite database and the key [/data, else your data folder]
  DATABASE_URL           PostgreSQL instead of SQLite: postgres://USER:PASSWORD@HOST/NAME
  SECRET_KEY             encrypts stored API keys [a generated file in DATA_DIR]
  DEFAULT_ENDPOINT_URL   endpoint of stages that name none, such as http://127.0.0.1:8000/v1
  DEFAULT_ENDPOINT_KEY   its key
  OUTBOUND_ALLOW         private hosts and networks that http stages may reach, such as 10.0.0.0/8
  MAX_CONCURRENT_RUNS    runs in parallel [4]
  MAX_TOKENS_PER_SWEEP   most tokens a sweep may pay for [0 = no limit]
  WORKER_LEASE_SECONDS   seconds after which a lost worker's runs are taken over [15]
  LOG                    tracing filter [info]
  LOG_FORMAT             text or json [text]";

const SERVE: &str = "Examples:
  promptlooper serve
  PORT=9000 DATA_DIR=./data promptlooper serve
  DATABASE_URL=postgres://me:secret@db/loop promptlooper serve --no-execute";
const DEMO: &str = "Examples:
  promptlooper demo";
const RUN: &str = "Examples:
  promptlooper run experiment.yaml
  promptlooper run experiment.yaml --output winner.json --output report.md
  promptlooper run experiment.yaml --json --gate \"score>=0.85\" --gate \"cost<0.01\"";
const WORKER: &str = "Examples:
  DATABASE_URL=postgres://me:secret@db/loop promptlooper worker";
const MIGRATE: &str = "Examples:
  promptlooper migrate
  promptlooper migrate --status";
const EXPORT: &str = "Examples:
  promptlooper export support-triage
  promptlooper export support-triage --format env > .env
  promptlooper export support-triage --format report > report.md";
const IMPORT: &str = "Examples:
  promptlooper import experiment.yaml";
const OPENAPI: &str = "Examples:
  promptlooper openapi > openapi.json";
const HEALTHCHECK: &str = "Examples:
  promptlooper healthcheck && echo healthy";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the dashboard and the API, and execute runs [default]
    #[command(after_help = SERVE)]
    Serve(ServeOptions),
    /// Serve a sample project on a built-in simulation: no key, no network, nothing to set up
    #[command(after_help = DEMO)]
    Demo,
    /// Run an experiment file's sweep, show the leaderboard and write the winner
    #[command(after_help = RUN)]
    Run(RunOptions),
    /// Execute runs of a PostgreSQL database beside other processes, until stopped
    #[command(after_help = WORKER)]
    Worker,
    /// Bring the database schema up to date
    #[command(after_help = MIGRATE)]
    Migrate(MigrateOptions),
    /// Write an experiment's best configuration, or that of one run
    #[command(after_help = EXPORT)]
    Export(ExportOptions),
    /// Import an experiment file without running it
    #[command(after_help = IMPORT)]
    Import(ImportOptions),
    /// Print the `OpenAPI` document, for generating clients
    #[command(after_help = OPENAPI)]
    Openapi,
    /// Check the server on this machine: exit code 0 if it is healthy
    #[command(after_help = HEALTHCHECK)]
    Healthcheck,
    /// Check texts against formats read from stdin; started by other processes of this program
    #[command(hide = true)]
    CheckFormats,
}

#[derive(Debug, Default, Args)]
pub(crate) struct ServeOptions {
    /// Serve only; workers execute the runs
    #[arg(long)]
    pub(crate) no_execute: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// The experiment, as YAML or JSON
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// The experiment, as YAML or JSON
    pub(crate) file: PathBuf,
    /// Write the winner (.json .yaml .env), a report (.md) or all runs (.csv .jsonl); repeatable
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,
    /// Print one JSON document on stdout instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with 100 unless the winner passes, as in "score>=0.85"; repeatable
    #[arg(long, value_name = "CONDITION")]
    pub(crate) gate: Vec<Gate>,
    /// Number of leaderboard rows to print; 0 prints none
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) top: usize,
    /// Skip the endpoint check before the sweep
    #[arg(long)]
    pub(crate) no_check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateOptions {
    /// Only show which migrations are applied
    #[arg(long)]
    pub(crate) status: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    /// The experiment, by id or name; of several with one name, the newest
    pub(crate) experiment: String,
    /// Export this run instead of the best one
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<RunId>,
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub(crate) format: Format,
}

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The configuration as JSON
    Json,
    /// The configuration as YAML
    Yaml,
    /// The configuration as variables
    Env,
    /// A report in Markdown
    #[value(alias = "md")]
    Report,
    /// All runs as CSV
    Csv,
    /// All runs as JSON lines
    Jsonl,
}

impl Format {
    /// The format of a file, by its suffix.
    pub(crate) fn of(file: &std::path::Path) -> Option<Self> {
        let name = file.file_name()?.to_str()?.to_ascii_lowercase();
        let suffix = name.rsplit_once('.')?.1;
        Some(match suffix {
            "json" => Self::Json,
            "yaml" | "yml" => Self::Yaml,
            "env" => Self::Env,
            "md" => Self::Report,
            "csv" => Self::Csv,
            "jsonl" => Self::Jsonl,
            _ => return None,
        })
    }
}
