//! Edit distances and common subsequences of two sequences, in a bounded number of steps.

use std::collections::BTreeMap;

/// The most steps of one comparison. Each handles 64 characters of one text and one of the other; all together take
/// about two seconds.
const MAX_STEPS: usize = 500_000_000;
/// The rows in one machine word.
const ROWS: usize = 64;

/// The lengths of the differing parts of two texts that are too long to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong(pub(crate) usize, pub(crate) usize);

/// The smallest number of insertions, deletions and substitutions that turn one text into the other (Levenshtein
/// 1966). The common beginning and end are skipped. Returns an error where that would take too many steps.
pub(crate) fn edit_distance(a: &[char], b: &[char]) -> Result<usize, TooLong> {
    let begin = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[begin..], &b[begin..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    let (shorter, longer) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if shorter.len().div_ceil(ROWS).saturating_mul(longer.len()) > MAX_STEPS {
        return Err(TooLong(a.len(), b.len()));
    }
    let columns = Columns::new(longer);
    // The distance from the empty text to a prefix is the prefix's length.
    let mut distances = Distances { steps: vec![1; longer.len()] };
    columns.blocks(shorter, |equal, rows| distances.add_rows(&columns.columns, equal, rows)).for_each(drop);
    let across = distances.steps.iter().map(|step| isize::from(*step)).sum();
    Ok(shorter.len().saturating_add_signed(across))
}

/// The length of the longest common subsequence. Returns an error where that would take too many steps.
pub(crate) fn common_subsequence<T: Ord + Copy>(a: &[T], b: &[T]) -> Result<usize, TooLong> {
    let (shorter, longer) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if shorter.len().div_ceil(ROWS).saturating_mul(longer.len()) > MAX_STEPS {
        return Err(TooLong(a.len(), b.len()));
    }
    let columns = Columns::new(longer);
    let mut carries = vec![false; longer.len()];
    Ok(columns.blocks(shorter, |equal, rows| columns.common_rows(equal, rows, &mut carries)).sum())
}

/// The columns of a matrix whose rows are processed 64 at a time, one bit for each.
struct Columns<T> {
    /// For each item, the number of its value.
    columns: Vec<usize>,
    numbers: BTreeMap<T, usize>,
}

impl<T: Ord + Copy> Columns<T> {
    fn new(items: &[T]) -> Self {
        let mut numbers = BTreeMap::new();
        let mut number = |item: &T| {
            let next = numbers.len();
            *numbers.entry(*item).or_insert(next)
        };
        let columns = items.iter().map(&mut number).collect();
        Self { columns, numbers }
    }

    /// Processes the rows block by block. Each call gets, for each value, the rows that are equal to it, and the
    /// number of rows.
    fn blocks<'a, R>(
        &'a self,
        rows: &'a [T],
        mut work: impl FnMut(&[u64], usize) -> R + 'a,
    ) -> impl Iterator<Item = R> + 'a {
        let mut equal = vec![0; self.numbers.len()];
        rows.chunks(ROWS).map(move |block| {
            let numbers =
                || block.iter().enumerate().filter_map(|(row, item)| Some((row, *self.numbers.get(item)?)));
            numbers().for_each(|(row, number)| equal[number] |= 1 << row);
            let done = work(&equal, block.len());
            numbers().for_each(|(_, number)| equal[number] = 0);
            done
        })
    }

    /// By how much the longest common subsequence grows with at most 64 more rows (Hyyrö 2004, "Bit-parallel
    /// LCS-length computation revisited"). `carries` holds the carry of each column into the next block.
    fn common_rows(&self, equal: &[u64], rows: usize, carries: &mut [bool]) -> usize {
        let mut vector = u64::MAX;
        for (number, carry) in self.columns.iter().zip(carries) {
            let matches = vector & equal[*number];
            let (sum, first) = vector.overflowing_add(matches);
            let (sum, second) = sum.overflowing_add(u64::from(*carry));
            *carry = first || second;
            vector = sum | (vector & !equal[*number]);
        }
        let used = u64::MAX >> (ROWS - rows);
        (!vector & used).count_ones() as usize
    }
}

/// The distances between prefixes of two sequences, in the last row so far.
struct Distances {
    /// For each column, the difference from the previous one.
    steps: Vec<i8>,
}

impl Distances {
    /// Adds at most 64 rows, stored as differences between neighbours (Myers 1999; Hyyrö 2003, "A bit-vector
    /// algorithm for computing Levenshtein and Damerau edit distances"). `up` and `down` mark the rows whose distance
    /// is one more or one less than that of the row above.
    fn add_rows(&mut self, columns: &[usize], equal: &[u64], rows: usize) {
        let last = 1_u64 << (rows - 1);
        let (mut up, mut down) = (u64::MAX, 0_u64);
        for (number, step) in columns.iter().zip(&mut self.steps) {
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

    /// The whole matrix, cell by cell.
    fn common_by_cells(a: &[char], b: &[char]) -> usize {
        let mut row = vec![0; b.len() + 1];
        for x in a {
            let mut diagonal = 0;
            for (j, y) in b.iter().enumerate() {
                let extended = if x == y { diagonal + 1 } else { row[j + 1].max(row[j]) };
                diagonal = std::mem::replace(&mut row[j + 1], extended);
            }
        }
        row[b.len()]
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
        fn common_subsequences_are_those_of_cells(a in "[abcé]{0,300}", b in "[abcé]{0,300}") {
            let (a, b) = (chars(&a), chars(&b));
            prop_assert_eq!(common_subsequence(&a, &b), Ok(common_by_cells(&a, &b)));
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
