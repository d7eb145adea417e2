//! What `run` prints at the end.

use application::exports::Exports;
use application::leaderboard::Row;
use application::ports::Clock as _;
use application::sweeps::SweepView;
use domain::id::ExperimentId;
use domain::money::NanoDollars;
use domain::strategy::Reason;
use domain::sweep::{PauseReason, SweepStatus};
use serde::Serialize;
use system::SystemClock;
use wire::api::{LeaderboardRow, Sweep, id};

use crate::cli::{Format, RunOptions};
use crate::commands::print;
use crate::failure::Failure;
use crate::output;
use crate::progress::{Screen, span};
use crate::table;
use crate::wiring::Wired;

/// The one document of `--json`.
#[derive(Serialize)]
struct ReportDocument {
    experiment_id: uuid::Uuid,
    sweep: Sweep,
    leaderboard: Vec<LeaderboardRow>,
}

/// What is said when the sweep is over or stands still.
pub(super) struct RunReport<'a> {
    pub(super) wired: &'a Wired,
    pub(super) options: &'a RunOptions,
    pub(super) experiment: ExperimentId,
    pub(super) view: SweepView,
}

impl RunReport<'_> {
    pub(super) async fn print(&self, screen: &Screen, formats: &[Format]) -> Result<(), Failure> {
        let exports = self.wired.exports();
        let board = exports.board(self.experiment).await.map_err(Failure::error)?;
        if self.options.json {
            print(&format!("{}\n", self.document(&board)?))?;
        } else if !board.is_empty() {
            print(&table::leaderboard(&board, self.options.top))?;
        }
        screen.say(&self.summary());
        self.unfinished(&exports).await?;
        for (file, format) in self.options.output.iter().zip(formats) {
            let text = output::text(&exports, self.experiment, None, *format).await?;
            output::write(file, &text)?;
            screen.say(&format!("wrote {}", file.display()));
        }
        self.gates(&board)
    }

    fn document(&self, board: &[Row]) -> Result<String, Failure> {
        let told = ReportDocument {
            experiment_id: id(self.experiment.bits()),
            sweep: Sweep::new(&self.view, SystemClock.now()),
            leaderboard: board.iter().map(LeaderboardRow::from).collect(),
        };
        serde_json::to_string(&told).map_err(Failure::error)
    }

    fn summary(&self) -> String {
        let SweepView { sweep, totals, .. } = &self.view;
        let mut parts = vec![format!("{} runs", totals.ended())];
        let counted = [("failed", totals.failed), ("cached", totals.cached), ("cancelled", totals.cancelled)];
        parts.extend(counted.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{n} {word}")));
        parts.push(format!("{} calls", totals.calls));
        parts.push(format!("{} from the cache", totals.hits));
        parts.push(format!("{} tokens", totals.tokens.total()));
        parts.extend(totals.cost.filter(|cost| *cost > NanoDollars::ZERO).map(|cost| cost.to_string()));
        if totals.unknown > 0 {
            parts.push(format!("{} calls of unknown outcome that may have been billed", totals.unknown));
        }
        let took = sweep.finished_at.map(|end| span(end.since(sweep.started_at)));
        parts.extend(took.map(|took| format!("took {took}")));
        parts.join(" · ")
    }

    /// A sweep that stands still says how to go on.
    async fn unfinished(&self, exports: &Exports) -> Result<(), Failure> {
        let again = "run the same command again";
        let said = match self.view.sweep.status {
            SweepStatus::Completed(Reason::AllFailed) => {
                let runs = exports.runs(self.experiment).await.map_err(Failure::error)?;
                let error = runs.into_iter().rev().find_map(|run| run.error);
                error.map_or_else(
                    || "every run failed".to_owned(),
                    |error| format!("every run failed, as with {}: {}", error.kind, error.message),
                )
            }
            SweepStatus::Completed(_) => return Ok(()),
            SweepStatus::Running => format!("stopped before the end: {again} to resume"),
            SweepStatus::Stopped => "the sweep was stopped".to_owned(),
            SweepStatus::Paused(PauseReason::Budget) => format!(
                "the sweep paused because its budget is used up: raise max_tokens or max_cost under `sweep`, and {again}"
            ),
            SweepStatus::Paused(PauseReason::Endpoint) => {
                format!(
                    "the sweep paused because an endpoint refuses every call (see above): fix it, and {again}"
                )
            }
            SweepStatus::Paused(PauseReason::Human) => format!(
                "the sweep paused because it needs a decision (see above): fix the cause, and {again}"
            ),
            SweepStatus::Paused(PauseReason::Manual) => format!("the sweep is paused: {again} to resume"),
        };
        Err(Failure::error(said))
    }

    fn gates(&self, board: &[Row]) -> Result<(), Failure> {
        let winner = board.first().filter(|row| row.standing.score.is_some());
        let missed: Vec<String> =
            self.options.gate.iter().filter_map(|gate| gate.missed_by(winner)).collect();
        if missed.is_empty() { Ok(()) } else { Err(Failure::GateMissed(missed)) }
    }
}
