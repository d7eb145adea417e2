//! What an experiment came to, as a text for people.

use std::collections::BTreeMap;

use domain::export::Export;
use domain::run::RunStatus;
use domain::value::Map;

use crate::leaderboard::Row;
use crate::ports::{RunSummary, StoredExperiment};

/// Rows of the leaderboard that are shown.
const TOP: usize = 20;

/// A report in Markdown. Texts of users and models stand in code spans and blocks, so that none is read as Markdown.
#[must_use]
pub fn markdown(
    experiment: &StoredExperiment,
    best: Option<&Export>,
    board: &[Row],
    runs: &[RunSummary],
) -> String {
    let mut out = String::new();
    let definition = &experiment.definition;
    line(&mut out, &format!("# {}", plain(definition.name())));
    if let Some(description) = definition.description() {
        line(&mut out, &plain(description));
    }
    setup(&mut out, experiment, runs);
    best_configuration(&mut out, best, board.first());
    ranking(&mut out, board);
    cost(&mut out, runs);
    failures(&mut out, runs);
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
            "- {} samples{}, {}\n- stages: {}\n- scorers: {}\n- {} runs",
            experiment.samples,
            if experiment.held_out > 0 {
                format!(" ({} more held out)", experiment.held_out)
            } else {
                String::new()
            },
            if definition.repeats() == 1 {
                "1 repeat".to_owned()
            } else {
                format!("{} repeats", definition.repeats())
            },
            stages.join(", "),
            scorers.join(", "),
            runs.len()
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
        line(out, &format!("### Stage {}", code(&stage.name)));
        let mut facts = Vec::new();
        facts.extend(stage.model.iter().map(|model| format!("- model: {}", code(model))));
        facts.extend(stage.endpoint.iter().map(|endpoint| format!("- endpoint: {}", code(endpoint))));
        facts.extend(
            stage.parameters.iter().map(|(name, value)| format!("- {name}: {}", code(&value.to_text()))),
        );
        line(out, &facts.join("\n"));
        if let Some(system) = &stage.system_prompt {
            line(out, &format!("System prompt:\n\n{}", block(system)));
        }
        if let Some(prompt) = &stage.prompt {
            line(out, &format!("Prompt:\n\n{}", block(prompt)));
        }
    }
    if !best.params.is_empty() {
        line(out, &format!("Template variables: {}", values(&best.params)));
    }
}

fn ranking(out: &mut String, board: &[Row]) {
    line(out, "## Leaderboard");
    if board.is_empty() {
        return line(out, "No run has finished.");
    }
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
            values(&row.run.values).replace('|', "\\|"),
        ];
        table.push_str(&["| ", &cells.join(" | "), " |\n"].concat());
    }
    line(out, table.trim_end());
    if board.len() > TOP {
        line(out, &format!("{} more are not shown.", board.len() - TOP));
    }
    line(
        out,
        "= marks runs that are not significantly different from #1 at the 5 % level (paired, Holm-corrected).",
    );
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

fn failures(out: &mut String, runs: &[RunSummary]) {
    let failed = runs.iter().filter(|run| run.status == RunStatus::Failed);
    let mut kinds: BTreeMap<String, (u32, String)> = BTreeMap::new();
    for error in failed.filter_map(|run| run.error.as_ref()) {
        kinds.entry(error.kind.clone()).or_insert_with(|| (0, error.message.clone())).0 += 1;
    }
    let samples: u32 = runs.iter().map(|run| run.failed).sum();
    line(out, "## Failures");
    if kinds.is_empty() && samples == 0 {
        return line(out, "None.");
    }
    line(out, &format!("{samples} samples failed over all runs."));
    for (kind, (count, message)) in kinds {
        line(out, &format!("- {count} runs failed with {}, as in {}", code(&kind), code(&message)));
    }
}

fn score(score: Option<f64>) -> String {
    score.map_or_else(|| "none".to_owned(), |score| format!("{score:.3}"))
}

fn interval(row: &Row) -> String {
    row.standing
        .interval
        .map_or_else(String::new, |i| format!(" (95 % interval {:.3} to {:.3})", i.low, i.high))
}

fn values(values: &Map) -> String {
    values
        .iter()
        .map(|(name, value)| format!("{name}={}", code(&shortened(&value.to_text()))))
        .collect::<Vec<_>>()
        .join(", ")
}

fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        text.to_owned()
    } else {
        text.chars().take(MOST - 1).chain(['…']).collect()
    }
}

/// On one line, without what Markdown or HTML would read.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' => vec!['\\', c],
            c if c.is_control() => vec![' '],
            c => vec![c],
        })
        .collect()
}

/// A code span that nothing in the text can end.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let fence = "`".repeat(longest_run(&text) + 1);
    if fence.len() == 1 { format!("`{text}`") } else { format!("{fence} {text} {fence}") }
}

/// A code block that nothing in the text can end.
fn block(text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}text\n{}\n{fence}", text.trim_end_matches('\n'))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_code() {
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("a\nb"), "`a b`");
        assert_eq!(block("```\nx"), "````text\n```\nx\n````");
        assert_eq!(plain("<b>*x*\n# y"), "\\<b\\>\\*x\\* \\# y");
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(shortened(&"é".repeat(80)).chars().count(), 60);
    }
}
