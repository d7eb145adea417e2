//! Shows the lines around a place in a text.

use super::Place;

/// Lines that are shown before the place, and after it.
const LINES_BEFORE: usize = 2;
const LINES_AFTER: usize = 1;

/// Characters that are shown of a line, and of these the ones before the place.
const MAX_SHOWN: usize = 100;
const SHOWN_BEFORE: usize = 60;

/// A message about a place, with the lines around it and a mark below it.
pub(crate) fn excerpt(text: &str, at: Place, detail: &str) -> String {
    let width = (at.line + LINES_AFTER).to_string().len();
    let gutter = " ".repeat(width);
    let mut told = vec![format!("line {}, column {}: {detail}", at.line, at.column), format!(" {gutter} |")];
    // Long lines are cut at the same column, so that the mark is below its place.
    let cut = at.column.saturating_sub(SHOWN_BEFORE + 1);
    let first = at.line.saturating_sub(LINES_BEFORE + 1);
    for (index, line) in text.lines().enumerate().skip(first).take(at.line + LINES_AFTER - first) {
        let number = index + 1;
        let shown = line.chars().skip(cut).take(MAX_SHOWN).map(|c| if c.is_control() { ' ' } else { c });
        let shown: String = shown.collect();
        told.push(format!(" {number:>width$} | {shown}").trim_end().to_owned());
        if number == at.line {
            told.push(format!(" {gutter} | {}^", " ".repeat(at.column.saturating_sub(cut + 1))));
        }
    }
    told.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_below_its_place() {
        let told = excerpt("a\nb: ü x\nc\nd\n", Place { line: 2, column: 6 }, "wrong");
        assert_eq!(told, "line 2, column 6: wrong\n   |\n 1 | a\n 2 | b: ü x\n   |      ^\n 3 | c");
        let long = format!("{}x{}", "a".repeat(1_000), "b".repeat(1_000));
        let told = excerpt(&long, Place { line: 1, column: 1_001 }, "wrong");
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[2].find('x'), lines[3].find('^'));
    }
}
