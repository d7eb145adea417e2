//! What `run` prints at the end.

use std::collections::BTreeSet;

use application::exports::Exports;
use application::failures::{FailureGroup, ScoreFailureGroup};
use application::leaderboard::Row;
use application::ports::Clock as _;
use application::sweeps::SweepView;
use domain::id::{ExperimentId, RunId};
use domain::money::NanoDollars;
use domain::strategy::Reason;
use domain::sweep::{PauseReason, SweepStatus};
use serde::Serialize;
use system::SystemClock;
use wire::api::{LeaderboardRow, Sweep, id};

use crate::cli::{Format, RunOptions};
use crate::commands::print;
use crate::failure::{ErrorDocument, Failure};
use crate::output;
use crate::progress::{Screen, count, span};
use crate::table;
use crate::wiring::Wired;

/// The one document of `--json`.
#[derive(Serialize)]
struct ReportDocument<'a> {
    experiment_id: uuid::Uuid,
    sweep: Sweep,
    leaderboard: Vec<LeaderboardRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<FailureRow<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed_scores: Vec<ScoreFailureRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDocument<'a>>,
}

/// Why samples failed.
#[derive(Serialize)]
struct FailureRow<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'a str>,
    count: u64,
    message: &'a str,
}

impl<'a> From<&'a FailureGroup> for FailureRow<'a> {
    fn from(group: &'a FailureGroup) -> Self {
        Self {
            kind: group.kind.as_str(),
            stage: group.stage.as_deref(),
            count: group.count,
            message: &group.example,
        }
    }
}

/// Why scores failed.
#[derive(Serialize)]
struct ScoreFailureRow<'a> {
    scorer: &'a str,
    count: u64,
    message: &'a str,
}

impl<'a> From<&'a ScoreFailureGroup> for ScoreFailureRow<'a> {
    fn from(group: &'a ScoreFailureGroup) -> Self {
        Self { scorer: &group.scorer, count: group.count, message: &group.example }
    }
}

/// What failed in the sweep.
struct SweepFailures {
    groups: Vec<FailureGroup>,
    scores: Vec<ScoreFailureGroup>,
}

/// What is said when the sweep is over or stands still.
pub(super) struct RunReport<'a> {
    pub(super) wired: &'a Wired,
    pub(super) options: &'a RunOptions,
    pub(super) experiment: ExperimentId,
    pub(super) view: SweepView,
    /// Somebody pressed Ctrl-C.
    pub(super) is_interrupted: bool,
}

impl RunReport<'_> {
    pub(super) async fn print(&self, screen: &Screen, formats: &[Format]) -> Result<(), Failure> {
        let exports = self.wired.exports();
        let board = self.board(&exports).await?;
        let failures = self.failures(&exports).await?;
        if !self.options.json && !board.is_empty() && self.options.top > 0 {
            print(&table::leaderboard(&board, self.options.top, table::terminal_width()))?;
        }
        for line in failures.told() {
            screen.say(&line);
        }
        let sweep = Some(self.view.sweep.id);
        let odd = exports.odd_answers(self.experiment, sweep).await.map_err(Failure::error)?;
        for advice in odd.advice() {
            screen.say(&format!("note: {advice}"));
        }
        screen.say(&self.summary());
        let ended = match self.unfinished(&failures.groups) {
            Some(failure) => Err(failure),
            None => self.write(&exports, screen, formats).await.and_then(|()| self.gates(&board)),
        };
        if self.options.json {
            print(&format!("{}\n", self.document(&board, &failures, ended.as_ref().err())?))?;
            return ended.map_err(|failure| Failure::Reported(Box::new(failure)));
        }
        ended
    }

    async fn failures(&self, exports: &Exports) -> Result<SweepFailures, Failure> {
        let (experiment, sweep) = (self.experiment, Some(self.view.sweep.id));
        let groups = exports.failures(experiment, sweep).await.map_err(Failure::error)?;
        let scores = exports.failed_scores(experiment, sweep).await.map_err(Failure::error)?;
        Ok(SweepFailures { groups, scores })
    }

    /// The leaderboard. A sweep that came to nothing, or not to its end, is not shown the runs of another.
    async fn board(&self, exports: &Exports) -> Result<Vec<Row>, Failure> {
        let mut board = exports.board(self.experiment).await.map_err(Failure::error)?;
        let status = self.view.sweep.status;
        if !matches!(status, SweepStatus::Completed(reason) if reason != Reason::AllFailed) {
            let runs = exports.runs(self.experiment).await.map_err(Failure::error)?;
            let own = runs.iter().filter(|run| run.sweep == Some(self.view.sweep.id));
            let own: BTreeSet<RunId> = own.map(|run| run.id).collect();
            board.retain(|row| own.contains(&row.run.id));
        }
        Ok(board)
    }

    async fn write(&self, exports: &Exports, screen: &Screen, formats: &[Format]) -> Result<(), Failure> {
        for (file, format) in self.options.output.iter().zip(formats) {
            let text = output::text(exports, self.experiment, None, *format).await?;
            output::write(file, &text)?;
            screen.say(&format!("wrote {}", file.display()));
        }
        Ok(())
    }

    fn document(
        &self,
        board: &[Row],
        failures: &SweepFailures,
        failure: Option<&Failure>,
    ) -> Result<String, Failure> {
        let told = ReportDocument {
            experiment_id: id(self.experiment.bits()),
            sweep: Sweep::new(&self.view, SystemClock.now()),
            leaderboard: board.iter().map(LeaderboardRow::from).collect(),
            failures: failures.groups.iter().map(FailureRow::from).collect(),
            failed_scores: failures.scores.iter().map(ScoreFailureRow::from).collect(),
            error: failure.map(Failure::document),
        };
        serde_json::to_string(&told).map_err(Failure::error)
    }

    fn summary(&self) -> String {
        let SweepView { sweep, totals, .. } = &self.view;
        let mut parts = vec![count(totals.ended(), "run")];
        let counted = [("failed", totals.failed), ("cached", totals.cached), ("cancelled", totals.cancelled)];
        parts.extend(counted.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{n} {word}")));
        parts.push(count(totals.calls, "call"));
        parts.push(format!("{} from the cache", totals.hits));
        parts.push(count(totals.tokens.total(), "token"));
        parts.extend(totals.cost.filter(|cost| *cost > NanoDollars::ZERO).map(|cost| cost.to_string()));
        if totals.unknown > 0 {
            let calls = count(totals.unknown, "call");
            parts.push(format!("{calls} of unknown outcome that may have been billed"));
        }
        let took = sweep.finished_at.map(|end| span(end.since(sweep.started_at)));
        parts.extend(took.map(|took| format!("took {took}")));
        parts.join(" · ")
    }

    /// Why the sweep stands still, or came to nothing, and how to go on.
    fn unfinished(&self, failures: &[FailureGroup]) -> Option<Failure> {
        let again = "run the same command again";
        let (code, message) = match self.view.sweep.status {
            SweepStatus::Completed(Reason::AllFailed) => {
                let why = failures.first().map_or_else(String::new, |group| format!(": {}", told(group)));
                ("all_failed", format!("every run failed{why}"))
            }
            SweepStatus::Completed(_) => return None,
            SweepStatus::Running if self.is_interrupted => {
                let message = format!("what is done is stored: {again} to resume");
                return Some(Failure::Interrupted(message));
            }
            SweepStatus::Running => ("stopped", format!("stopped before the end: {again} to resume")),
            SweepStatus::Stopped => ("stopped", "the sweep was stopped".to_owned()),
            SweepStatus::Paused(PauseReason::Budget) => (
                "budget_exhausted",
                format!(
                    "the sweep paused because its budget is used up: raise max_tokens or max_cost under `sweep`, and {again}"
                ),
            ),
            SweepStatus::Paused(PauseReason::Endpoint) => (
                "endpoint_refuses",
                format!(
                    "the sweep paused because an endpoint refuses every call (see above): fix it, and {again}"
                ),
            ),
            SweepStatus::Paused(PauseReason::Human) => (
                "human_needed",
                format!(
                    "the sweep paused because it needs a decision (see above): fix the cause, and {again}"
                ),
            ),
            SweepStatus::Paused(PauseReason::Manual) => {
                ("paused", format!("the sweep is paused: {again} to resume"))
            }
        };
        Some(Failure::Sweep { code, message })
    }

    fn gates(&self, board: &[Row]) -> Result<(), Failure> {
        let winner = board.first().filter(|row| row.standing.score.is_some());
        let missed: Vec<String> =
            self.options.gate.iter().filter_map(|gate| gate.missed_by(winner)).collect();
        if missed.is_empty() { Ok(()) } else { Err(Failure::GateMissed(missed)) }
    }
}

impl SweepFailures {
    /// A line for each group.
    fn told(&self) -> impl Iterator<Item = String> {
        self.groups.iter().map(told).chain(self.scores.iter().map(score_failures))
    }
}

/// Why samples failed, on one line.
fn told(group: &FailureGroup) -> String {
    let stage = group.stage.as_ref().map_or_else(String::new, |stage| format!(" in stage `{stage}`"));
    let example = on_one_line(&group.example);
    format!("{} failed with `{}`{stage}, such as: {example}", group.counted(), group.kind.as_str())
}

/// Why scores failed, on one line.
fn score_failures(group: &ScoreFailureGroup) -> String {
    let (scorer, example) = (&group.scorer, on_one_line(&group.example));
    format!("{} of `{scorer}` failed{}: {example}", group.counted(), group.lead())
}

/// Control characters could drive the terminal.
fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
