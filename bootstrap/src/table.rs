//! Tables for terminals.

use application::leaderboard::Row;
use domain::value::Value;

/// The widest cell, in characters.
const WIDEST: usize = 28;

/// A leaderboard's first rows.
pub(crate) fn leaderboard(board: &[Row], top: usize) -> String {
    let shown: Vec<&Row> = board.iter().take(top).collect();
    let dimensions = dimensions(&shown);
    let priced = shown.iter().any(|row| row.run.cost.is_some_and(|cost| cost.nanos() > 0));
    let mut header = vec!["", "score", "95 % interval", "samples"];
    if priced {
        header.push("$/sample");
    }
    header.push("ms/sample");
    header.extend(dimensions.iter().map(String::as_str));
    let mut lines = vec![header.into_iter().map(str::to_owned).collect()];
    lines.extend(shown.iter().map(|row| cells(row, priced, &dimensions)));
    let mut text = aligned(&lines);
    if board.len() > shown.len() {
        let more = (board.len() - shown.len()).to_string();
        text.extend(["… and ", &more, " more\n"]);
    }
    if shown.iter().any(|row| row.standing.ties_best) {
        text.push_str("= not significantly different from #1 (5 % level)\n");
    }
    if shown.iter().any(|row| row.standing.partial) {
        text.push_str("~ under nine tenths of its samples have a score\n");
    }
    text
}

fn dimensions(rows: &[&Row]) -> Vec<String> {
    let mut names: Vec<String> = rows.iter().flat_map(|row| row.run.values.keys().cloned()).collect();
    names.sort();
    names.dedup();
    names
}

fn cells(row: &Row, priced: bool, dimensions: &[String]) -> Vec<String> {
    let standing = &row.standing;
    let mark = if standing.partial {
        "~"
    } else if standing.ties_best {
        "="
    } else {
        " "
    };
    let score = standing.score.map_or_else(|| "none".to_owned(), |score| format!("{score:.3}"));
    let interval = standing.interval.map_or_else(String::new, |i| format!("{:.3} – {:.3}", i.low, i.high));
    let mut cells = vec![
        format!("{mark}{}", row.rank.map_or_else(String::new, |rank| rank.to_string())),
        score,
        interval,
        format!("{}/{}", standing.n, standing.n_total),
    ];
    if priced {
        cells.push(row.cost_per_sample().map_or_else(String::new, |cost| format!("{cost:.6}")));
    }
    cells.push(row.latency_per_sample().map_or_else(String::new, |latency| format!("{latency:.0}")));
    let values = dimensions.iter().map(|name| row.run.values.get(name).map_or_else(|| "–".to_owned(), shown));
    cells.extend(values);
    cells
}

/// A value on one line, cut to a cell. Control characters could drive the terminal.
pub(crate) fn shown(value: &Value) -> String {
    let text: String = value.to_text().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= WIDEST { text } else { text.chars().take(WIDEST - 1).chain(['…']).collect() }
}

fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_on_one_short_line() {
        assert_eq!(shown(&Value::from("a\n  b\u{1b}[31m")), "a b [31m");
        assert_eq!(shown(&Value::from("é".repeat(40).as_str())).chars().count(), WIDEST);
        assert_eq!(shown(&Value::number(0.5)), "0.5");
    }

    #[test]
    fn columns_line_up() {
        let line = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(aligned(&[line("", "score"), line("10", "é")]), "    score\n10  é\n");
    }
}
