//! The edit distance of two texts, in a bounded number of steps.

use std::collections::BTreeMap;

/// Steps of one comparison, each of 64 characters by one: about two seconds.
const MAX_STEPS: usize = 500_000_000;
/// Rows that one word holds.
const ROWS: usize = 64;

/// How many characters differ in each of two texts, where they are too many to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong(pub(crate) usize, pub(crate) usize);

/// The fewest insertions, deletions and substitutions that make one text the other (Levenshtein 1966), with what both
/// begin and end with left out. An error where that would take too many steps: the lengths of what differs.
pub(crate) fn edit_distance(a: &[char], b: &[char]) -> Result<usize, TooLong> {
    let begin = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[begin..], &b[begin..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    let (shorter, longer) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if shorter.len().div_ceil(ROWS).saturating_mul(longer.len()) > MAX_STEPS {
        return Err(TooLong(a.len(), b.len()));
    }
    Ok(Matrix::new(longer).distance(shorter))
}

/// The matrix of distances between the beginnings of two texts, of which 64 rows are kept at once as differences between
/// neighbours: one bit each (Myers 1999; Hyyrö 2003, "A bit-vector algorithm for computing Levenshtein and Damerau edit
/// distances").
struct Matrix {
    /// For each character of the text along the columns its number.
    columns: Vec<usize>,
    numbers: BTreeMap<char, usize>,
    /// For each column the difference to the one before, in the last row so far.
    steps: Vec<i8>,
}

impl Matrix {
    fn new(text: &[char]) -> Self {
        let mut numbers = BTreeMap::new();
        let mut number = |character: &char| {
            let next = numbers.len();
            *numbers.entry(*character).or_insert(next)
        };
        let columns = text.iter().map(&mut number).collect();
        // The distance from nothing to the beginning of a text is its length.
        Self { columns, numbers, steps: vec![1; text.len()] }
    }

    fn distance(mut self, rows: &[char]) -> usize {
        let mut equal = vec![0; self.numbers.len()];
        for block in rows.chunks(ROWS) {
            self.mark(block, &mut equal);
            self.add_rows(&equal, block.len());
            self.unmark(block, &mut equal);
        }
        let across = self.steps.iter().map(|step| isize::from(*step)).sum();
        rows.len().saturating_add_signed(across)
    }

    /// Sets for each character the rows that are equal to it.
    fn mark(&self, block: &[char], equal: &mut [u64]) {
        for (row, character) in block.iter().enumerate() {
            if let Some(number) = self.numbers.get(character) {
                equal[*number] |= 1 << row;
            }
        }
    }

    fn unmark(&self, block: &[char], equal: &mut [u64]) {
        for number in block.iter().filter_map(|character| self.numbers.get(character)) {
            equal[*number] = 0;
        }
    }

    /// Goes on by at most 64 rows, through all columns. `up` and `down` are the rows whose distance is one more, or one
    /// less, than that of the row above.
    fn add_rows(&mut self, equal: &[u64], rows: usize) {
        let last = 1_u64 << (rows - 1);
        let (mut up, mut down) = (u64::MAX, 0_u64);
        for (number, step) in self.columns.iter().zip(&mut self.steps) {
            let matches = equal[*number];
            let from_above = u64::from(*step < 0);
            let vertical = matches | down;
            let matches = matches | from_above;
            let diagonal = (((matches & up).wrapping_add(up)) ^ up) | matches;
            let right = down | !(diagonal | up);
            let left = up & diagonal;
            let shifted_right = right << 1 | u64::from(*step > 0);
            let shifted_left = left << 1 | from_above;
            *step = i8::from(right & last != 0) - i8::from(left & last != 0);
            up = shifted_left | !(vertical | shifted_right);
            down = shifted_right & vertical;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    fn distance(a: &str, b: &str) -> usize {
        edit_distance(&chars(a), &chars(b)).unwrap()
    }

    /// The whole matrix, cell by cell (Wagner and Fischer 1974).
    fn by_cells(a: &[char], b: &[char]) -> usize {
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for (j, y) in b.iter().enumerate() {
                let substituted = diagonal + usize::from(x != y);
                diagonal = row[j + 1];
                row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
            }
        }
        row[b.len()]
    }

    #[test]
    fn edits_are_counted_in_characters() {
        for (a, b, edits) in
            [("", "", 0), ("kitten", "sitting", 3), ("abc", "", 3), ("über", "uber", 1), ("ab", "ba", 2)]
        {
            assert_eq!(distance(a, b), edits, "{a} → {b}");
        }
    }

    #[test]
    fn texts_that_take_too_long_are_refused_at_once() {
        let begun = Instant::now();
        let (a, b) = (vec!['a'; 1 << 20], vec!['b'; 1 << 20]);
        assert!(edit_distance(&a, &b).is_err());
        let mut similar = a.clone();
        similar[1 << 19] = 'b';
        assert_eq!(edit_distance(&a, &similar), Ok(1));
        assert!(begun.elapsed() < Duration::from_secs(30));
    }

    proptest! {
        #[test]
        fn words_of_bits_count_as_cells_do(a in "[abcé]{0,200}", b in "[abcé]{0,200}") {
            prop_assert_eq!(distance(&a, &b), by_cells(&chars(&a), &chars(&b)));
        }

        #[test]
        fn edit_distance_is_a_metric(a in "[abc]{0,8}", b in "[abc]{0,8}", c in "[abc]{0,8}") {
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            prop_assert_eq!(distance(&a, &b) == 0, a == b);
            prop_assert!(distance(&a, &c) <= distance(&a, &b) + distance(&b, &c));
            prop_assert!(distance(&a, &b) >= a.len().abs_diff(b.len()));
        }
    }
}
