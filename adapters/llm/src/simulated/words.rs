//! Words of a text.

/// The words in lower case, without punctuation.
pub(super) fn of(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// A number from 1, as digits or as a word up to ten.
pub(super) fn count(word: &str) -> Option<usize> {
    const WORDS: [&str; 10] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let said = WORDS.iter().position(|known| *known == word).map(|at| at + 1);
    said.or_else(|| if word == "single" { Some(1) } else { word.parse().ok() }).filter(|count| *count > 0)
}

/// Whether two words are likely forms of one: equal, or alike in all but a short ending.
pub(super) fn akin(a: &str, b: &str) -> bool {
    let common = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let longest = a.chars().count().max(b.chars().count());
    a == b || (common >= 4 && longest - common <= 3)
}
