//! Writes what an experiment came to on stdout.

use application::exports::ExportError;

use crate::cli::ExportOptions;
use crate::failure::Failure;
use crate::output;
use crate::settings::Settings;
use crate::wiring::Wired;

/// Names of experiments that are told where there is none of the name asked for.
const NAMES_SHOWN: usize = 5;

pub(crate) async fn run(settings: &Settings, options: ExportOptions) -> Result<(), Failure> {
    let wired = Wired::new(settings).await?;
    let exports = wired.exports();
    let experiment = match exports.find(&options.experiment).await {
        Ok(experiment) => experiment,
        Err(error @ ExportError::NoExperiment) => {
            let names = exports.newest_names(NAMES_SHOWN).await.map_err(Failure::error)?;
            return Err(Failure::errors(&options.experiment, [format!("{error}{}", known(&names))]));
        }
        Err(error) => return Err(Failure::errors(&options.experiment, [error])),
    };
    let text = output::text(&exports, experiment, options.run, options.format).await?;
    super::print(&text)
}

/// What there is instead.
fn known(names: &[String]) -> String {
    match names {
        [] => ": there are none yet, `promptlooper run FILE` makes one".to_owned(),
        [only] => format!(". There is {only}"),
        names => format!(". The newest are {}", names.join(", ")),
    }
}
