//! The binary: reads the environment, picks the adapters, runs a command.

mod built_in;
mod cli;
mod commands;
mod document;
mod failure;
mod gate;
mod logging;
mod output;
mod preflight;
mod progress;
mod settings;
mod stop;
mod table;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command, ServeOptions};
use crate::failure::Failure;
use crate::progress::Screen;
use crate::settings::Settings;

#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
                let told = error.to_string();
                let told = told.trim_end().trim_start_matches("error: ");
                Failure::Usage(told.to_owned()).print_json();
            }
            error.exit()
        }
    };
    let as_json = matches!(&cli.command, Some(Command::Run(options)) if options.json);
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            if as_json {
                failure.print_json();
            }
            failure.code()
        }
    }
}

fn start(cli: Cli) -> Result<(), Failure> {
    if let Some(Command::CheckFormats) = cli.command {
        return scripting::check_formats().map_err(Failure::error);
    }
    let settings = Settings::from_environment()?;
    let screen = Screen::new(matches!(cli.command, Some(Command::Run(_))));
    logging::start(&settings, &screen)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::error)?;
    let ended = runtime.block_on(async {
        match cli.command.unwrap_or_else(|| Command::Serve(ServeOptions::default())) {
            Command::Serve(options) => commands::serve::run(&settings, &screen, &options).await,
            Command::Demo => commands::demo::run(settings, &screen).await,
            Command::Import(options) => commands::import::run(&settings, &screen, options).await,
            Command::Openapi => commands::openapi::run(),
            Command::Healthcheck => commands::healthcheck::run(&settings).await,
            Command::Run(options) => commands::run::run(&settings, &screen, options).await,
            Command::Worker => commands::worker::run(&settings).await,
            Command::Migrate(options) => commands::migrate::run(&settings, &screen, &options).await,
            Command::Export(options) => commands::export::run(&settings, options).await,
            Command::CheckFormats => Ok(()),
        }
    });
    // Work that nobody waits for any more must not keep the process.
    runtime.shutdown_background();
    ended
}
