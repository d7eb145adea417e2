//! Tables for terminals. In a terminal a table fits its width; elsewhere nothing is cut.

mod columns;

use std::io::{self, IsTerminal as _};

use application::leaderboard::Row;
use domain::value::Value;

use self::columns::{Column, Importance};

/// The width of a terminal that does not say its own.
const USUAL_WIDTH: usize = 80;

/// How wide the terminal is that stdout goes to; `None` where it goes elsewhere.
pub(crate) fn terminal_width() -> Option<usize> {
    let stdout = io::stdout();
    let size = terminal_size::terminal_size_of(&stdout);
    stdout.is_terminal().then(|| size.map_or(USUAL_WIDTH, |(width, _)| width.0.into()))
}

/// A leaderboard's first rows, in lines of at most so many characters.
pub(crate) fn leaderboard(board: &[Row], top: usize, width: Option<usize>) -> String {
    let shown: Vec<&Row> = board.iter().take(top).collect();
    let mut text = columns::aligned(table(&shown), width);
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

fn table(rows: &[&Row]) -> Vec<Column> {
    let column = |title: &str, importance, cell: &dyn Fn(&Row) -> String| {
        Column::new(title, importance, rows.iter().map(|row| cell(row)).collect())
    };
    let mut columns = vec![
        column("", Importance::Always, &mark),
        column("score", Importance::Always, &|row| {
            row.standing.score.map_or_else(|| "none".to_owned(), |score| format!("{score:.3}"))
        }),
        column("95 % interval", Importance::Always, &|row| {
            row.standing.interval.map_or_else(String::new, |i| format!("{:.3} – {:.3}", i.low, i.high))
        }),
        column("samples", Importance::DroppedFirst, &|row| {
            format!("{}/{}", row.standing.n, row.standing.n_total)
        }),
    ];
    if rows.iter().any(|row| row.run.cost.is_some_and(|cost| cost.nanos() > 0)) {
        columns.push(column("$/sample", Importance::Always, &|row| {
            row.cost_per_sample().map_or_else(String::new, |cost| format!("{cost:.6}"))
        }));
    }
    columns.push(column("ms/sample", Importance::DroppedNext, &|row| {
        row.latency_per_sample().map_or_else(String::new, |latency| format!("{latency:.0}"))
    }));
    columns.extend(dimensions(rows).iter().map(|name| {
        column(name, Importance::Shrinks, &|row| {
            row.run.values.get(name).map_or_else(|| "–".to_owned(), on_one_line)
        })
    }));
    columns
}

fn dimensions(rows: &[&Row]) -> Vec<String> {
    let mut names: Vec<String> = rows.iter().flat_map(|row| row.run.values.keys().cloned()).collect();
    names.sort();
    names.dedup();
    names
}

fn mark(row: &Row) -> String {
    let mark = if row.standing.partial {
        "~"
    } else if row.standing.ties_best {
        "="
    } else {
        " "
    };
    format!("{mark}{}", row.rank.map_or_else(String::new, |rank| rank.to_string()))
}

/// A value on one line. Control characters could drive the terminal.
fn on_one_line(value: &Value) -> String {
    let text: String = value.to_text().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_on_one_line() {
        assert_eq!(on_one_line(&Value::from("a\n  b\u{1b}[31m")), "a b [31m");
        assert_eq!(on_one_line(&Value::number(0.5)), "0.5");
    }
}
