//! Columns of a table, fitted into a width.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

/// Between two columns.
const GAP: &str = "  ";

/// How wide a column should stay, and how wide it stays in any case.
const NARROW: usize = 16;
const NARROWEST: usize = 4;

/// What becomes of a column where there is no room for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Importance {
    Always,
    /// Its cells are cut.
    Shrinks,
    DroppedFirst,
    DroppedNext,
}

#[derive(Debug)]
pub(super) struct Column {
    importance: Importance,
    /// The title, and a cell for each row.
    cells: Vec<String>,
    width: usize,
}

impl Column {
    pub(super) fn new(title: &str, importance: Importance, rows: Vec<String>) -> Self {
        let mut cells = vec![title.to_owned()];
        cells.extend(rows);
        let width = cells.iter().map(|cell| cell.width()).max().unwrap_or(0);
        Self { importance, cells, width }
    }
}

/// The lines of a table, each at most so wide.
pub(super) fn aligned(mut columns: Vec<Column>, width: Option<usize>) -> String {
    if let Some(width) = width {
        fit(&mut columns, width);
    }
    let mut text = String::new();
    for row in 0..columns.first().map_or(0, |column| column.cells.len()) {
        let cells = columns.iter().filter_map(|column| Some((column.cells.get(row)?, column.width)));
        let line = cells.map(|(cell, width)| padded(cell, width)).collect::<Vec<_>>().join(GAP);
        text.push_str(&cut(line.trim_end(), width.unwrap_or(usize::MAX)));
        text.push('\n');
    }
    text
}

/// Columns are dropped where the others could not be even narrow; then the longest shrink.
fn fit(columns: &mut Vec<Column>, width: usize) {
    for dropped in [Importance::DroppedFirst, Importance::DroppedNext] {
        if total(columns, NARROW) > width {
            columns.retain(|column| column.importance != dropped);
        }
    }
    while total(columns, usize::MAX) > width {
        let widest = columns
            .iter_mut()
            .filter(|column| column.importance == Importance::Shrinks && column.width > NARROWEST);
        let Some(widest) = widest.max_by_key(|column| column.width) else { return };
        widest.width -= 1;
    }
}

/// The width of a table whose columns are at most so wide, if they can shrink.
fn total(columns: &[Column], widest: usize) -> usize {
    let width = |column: &Column| match column.importance {
        Importance::Shrinks => column.width.min(widest),
        _ => column.width,
    };
    columns.iter().map(width).sum::<usize>() + columns.len().saturating_sub(1) * GAP.len()
}

fn padded(cell: &str, width: usize) -> String {
    let mut cell = cut(cell, width);
    let blanks = width.saturating_sub(cell.width());
    cell.extend(std::iter::repeat_n(' ', blanks));
    cell
}

/// A text that is at most so wide, with a mark where something is left out.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let fits = |c: &char| match left.checked_sub(c.width().unwrap_or(0)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        let column = |title, importance, cells: [&str; 2]| {
            Column::new(title, importance, cells.map(str::to_owned).into())
        };
        let long = "Answer with one word, and nothing else";
        vec![
            column("", Importance::Always, ["=1", " 2"]),
            column("score", Importance::Always, ["1.000", "0.500"]),
            column("samples", Importance::DroppedFirst, ["9/9", "9/9"]),
            column("ms/sample", Importance::DroppedNext, ["12", "13"]),
            column("model", Importance::Shrinks, ["qwen2.5-7b", "é"]),
            column("prompt", Importance::Shrinks, [long, "短い短い短い短い短い短い短い"]),
        ]
    }

    fn widths(text: &str) -> usize {
        text.lines().map(UnicodeWidthStr::width).max().unwrap()
    }

    #[test]
    fn nothing_is_cut_where_there_is_no_terminal() {
        assert_eq!(
            aligned(columns(), None),
            "    score  samples  ms/sample  model       prompt\n\
             =1  1.000  9/9      12         qwen2.5-7b  Answer with one word, and nothing else\n \
             2  0.500  9/9      13         é           短い短い短い短い短い短い短い\n"
        );
    }

    #[test]
    fn a_table_fits_whatever_the_width() {
        for width in 1..100 {
            assert!(widths(&aligned(columns(), Some(width))) <= width, "{width}");
        }
        assert_eq!(
            aligned(columns(), Some(60)),
            "    score  samples  ms/sample  model       prompt\n\
             =1  1.000  9/9      12         qwen2.5-7b  Answer with one …\n \
             2  0.500  9/9      13         é           短い短い短い短い…\n"
        );
        assert_eq!(
            aligned(columns(), Some(42)),
            "    score  model       prompt\n\
             =1  1.000  qwen2.5-7b  Answer with one wo…\n \
             2  0.500  é           短い短い短い短い短…\n"
        );
    }
}
