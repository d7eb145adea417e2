//! What an experiment came to, as a text for people.

mod markdown;
mod texts;

use domain::export::{Export, ExportedStage};
use domain::value::{Map, Value};

use self::markdown::{block, code, is_inline, plain};
use self::texts::LongTexts;
use crate::failures::{FailureGroup, ScoreFailureGroup};
use crate::leaderboard::Row;
use crate::ports::{OddAnswers, RunSummary, StoredExperiment};

/// Rows of the leaderboard that are shown.
const TOP: usize = 20;

/// What an experiment came to.
#[derive(Debug, Clone, Copy)]
pub struct Findings<'a> {
    /// The configuration to show: the best one, unless somebody asked for another.
    pub best: Option<&'a Export>,
    /// The leaderboard.
    pub board: &'a [Row],
    /// Every run.
    pub runs: &'a [RunSummary],
    /// Why samples and runs failed.
    pub failures: &'a [FailureGroup],
    /// Why scores failed.
    pub failed_scores: &'a [ScoreFailureGroup],
    /// What is odd about the answers.
    pub odd: OddAnswers,
}

/// A report in Markdown. Texts of users and models stand in code spans and blocks, so that none is read as Markdown; none is
/// cut.
#[must_use]
pub fn markdown(experiment: &StoredExperiment, findings: &Findings<'_>) -> String {
    let mut out = String::new();
    let definition = &experiment.definition;
    line(&mut out, &format!("# {}", plain(definition.name())));
    if let Some(description) = definition.description() {
        line(&mut out, &plain(description));
    }
    setup(&mut out, experiment, findings.runs);
    best_configuration(&mut out, findings.best, findings.board.first());
    ranking(&mut out, findings.board);
    cost(&mut out, findings.runs);
    failures(&mut out, findings);
    out
}

/// A paragraph and the empty line after it.
fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push_str("\n\n");
}

fn setup(out: &mut String, experiment: &StoredExperiment, runs: &[RunSummary]) {
    let definition = &experiment.definition;
    let stages: Vec<String> = definition.stages().iter().map(|stage| code(stage.name.as_str())).collect();
    let scorers: Vec<String> = definition
        .scoring()
        .iter()
        .map(|entry| format!("{} (weight {})", code(&entry.name), entry.weight))
        .collect();
    line(out, "## Setup");
    line(
        out,
        &format!(
            "- {}{}, {}\n- stages: {}\n- scorers: {}\n- {}",
            count(experiment.samples.into(), "sample"),
            if experiment.held_out > 0 {
                format!(" ({} more held out)", experiment.held_out)
            } else {
                String::new()
            },
            count(definition.repeats().into(), "repeat"),
            stages.join(", "),
            scorers.join(", "),
            count(runs.len() as u64, "run"),
        ),
    );
}

fn best_configuration(out: &mut String, best: Option<&Export>, row: Option<&Row>) {
    line(out, "## Best configuration");
    let (Some(best), Some(row)) = (best, row) else { return line(out, "No run has finished with a score.") };
    line(out, &format!("Score **{}**{}.", score(row.standing.score), interval(row)));
    if row.standing.ties_best {
        line(
            out,
            "It is not significantly different from the runs marked with = below: add samples to separate more.",
        );
    }
    for stage in &best.stages {
        stage_configuration(out, stage);
    }
    if !best.variables.is_empty() {
        let variables: Vec<String> = best.variables.iter().map(|variable| code(variable)).collect();
        line(out, &format!("The application fills in: {}.", variables.join(", ")));
    }
    if !best.params.is_empty() {
        line(out, "The prompts hold these template variables:");
        fields(out, &best.params);
    }
}

fn stage_configuration(out: &mut String, stage: &ExportedStage) {
    line(out, &format!("### Stage {}", code(&stage.name)));
    let called = [("model", &stage.model), ("endpoint", &stage.endpoint)];
    let called = called.into_iter().filter_map(|(name, text)| Some((name, Value::from(text.as_deref()?))));
    let format = stage.response_format.iter().map(|format| ("response_format", format.clone()));
    let named = called.chain(format).map(|(name, value)| (name.to_owned(), value));
    let extra = stage.extra.iter().map(|(name, value)| (format!("extra.{name}"), value.clone()));
    fields(out, &named.chain(stage.parameters.clone()).chain(extra).collect());
    let system = stage.system_prompt.iter().map(|text| ("System prompt".to_owned(), text.as_str()));
    let messages = stage.messages.iter().filter_map(|message| {
        let text = |field| message.as_map()?.get(field)?.as_text();
        Some((format!("Message of the {}", text("role")?), text("content")?))
    });
    let prompt = stage.prompt.iter().map(|text| ("Prompt".to_owned(), text.as_str()));
    for (name, text) in system.chain(messages).chain(prompt) {
        line(out, &format!("{name}:\n\n{}", block(text)));
    }
}

/// Names with their values: short ones in a list, long ones in blocks behind it.
fn fields(out: &mut String, fields: &Map) {
    let texts = fields.iter().map(|(name, value)| (name, value.to_text()));
    let (short, long): (Vec<_>, Vec<_>) = texts.partition(|(_, text)| is_inline(text));
    if !short.is_empty() {
        let short = short.iter().map(|(name, text)| format!("- {}: {}", plain(name), code(text)));
        line(out, &short.collect::<Vec<_>>().join("\n"));
    }
    for (name, text) in long {
        line(out, &format!("{}:\n\n{}", plain(name), block(&text)));
    }
}

fn ranking(out: &mut String, board: &[Row]) {
    line(out, "## Leaderboard");
    if board.is_empty() {
        return line(out, "No run has finished.");
    }
    let mut long = LongTexts::default();
    let mut table = String::from(
        "| rank | score | 95 % interval | shrunk | P(best) | samples | cost/sample | latency | configuration |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for row in board.iter().take(TOP) {
        let standing = &row.standing;
        let tie = if standing.ties_best { " =" } else { "" };
        let ends = standing.interval.map_or_else(String::new, |i| format!("{:.3} to {:.3}", i.low, i.high));
        let cells = [
            format!("{}{tie}", row.rank.map_or_else(String::new, |rank| rank.to_string())),
            score(standing.score),
            ends,
            score(standing.score_shrunk),
            standing.p_best.map_or_else(String::new, |p| format!("{p:.2}")),
            format!("{}/{}", standing.n, standing.n_total),
            row.cost_per_sample().map_or_else(String::new, |cost| format!("${cost:.6}")),
            row.latency_per_sample().map_or_else(String::new, |latency| format!("{latency:.0} ms")),
            values(&row.run.values, &mut long).replace('|', "\\|"),
        ];
        table.push_str(&["| ", &cells.join(" | "), " |\n"].concat());
    }
    line(out, table.trim_end());
    if board.len() > TOP {
        line(out, &format!("{} not shown.", count((board.len() - TOP) as u64, "more run")));
    }
    line(
        out,
        "= marks runs that are not significantly different from #1 at the 5 % level (paired, Holm-corrected).",
    );
    for (n, text) in long.iter() {
        line(out, &format!("Text {n}:\n\n{}", block(text)));
    }
}

fn cost(out: &mut String, runs: &[RunSummary]) {
    let sum = |of: fn(&RunSummary) -> u64| runs.iter().map(of).sum::<u64>();
    line(out, "## Cost");
    line(
        out,
        &format!(
            "- tokens paid: {} in, {} out\n- tokens with cached answers: {} in, {} out",
            sum(|run| run.paid.input),
            sum(|run| run.paid.output),
            sum(|run| run.tokens.input),
            sum(|run| run.tokens.output),
        ),
    );
    match runs.iter().map(|run| run.paid_cost).sum::<Option<domain::money::NanoDollars>>() {
        Some(paid) => line(out, &format!("Paid: {paid}.")),
        None => line(out, "What was paid is not known: some models have no price."),
    }
}

fn failures(out: &mut String, findings: &Findings<'_>) {
    line(out, "## Failures");
    for advice in findings.odd.advice() {
        line(out, &format!("{advice}."));
    }
    if findings.failures.is_empty() {
        line(out, "No sample failed.");
    }
    for group in findings.failures {
        let stage =
            group.stage.as_ref().map_or_else(String::new, |stage| format!(" in stage {}", code(stage)));
        let failed = format!("{} failed with {}{stage}", group.counted(), code(group.kind.as_str()));
        example(out, &failed, ", such as", &group.example);
    }
    for group in findings.failed_scores {
        let failed = format!("{} of {} failed", group.counted(), code(&group.scorer));
        example(out, &failed, group.lead(), &group.example);
    }
}

/// What failed, and as what: on one line where that has one.
fn example(out: &mut String, failed: &str, lead: &str, text: &str) {
    if is_inline(text) {
        let colon = if lead.is_empty() { ":" } else { "" };
        line(out, &format!("{failed}{lead}{colon} {}.", code(text)));
    } else {
        line(out, &format!("{failed}{lead}:\n\n{}", block(text)));
    }
}

/// So many of a thing.
fn count(n: u64, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}

fn score(score: Option<f64>) -> String {
    score.map_or_else(|| "none".to_owned(), |score| format!("{score:.3}"))
}

fn interval(row: &Row) -> String {
    row.standing
        .interval
        .map_or_else(String::new, |i| format!(" (95 % interval {:.3} to {:.3})", i.low, i.high))
}

fn values(values: &Map, long: &mut LongTexts) -> String {
    values
        .iter()
        .map(|(name, value)| {
            let text = value.to_text();
            let shown = if is_inline(&text) { code(&text) } else { format!("text {}", long.number(&text)) };
            format!("{}={shown}", plain(name))
        })
        .collect::<Vec<_>>()
        .join(", ")
}
