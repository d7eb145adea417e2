//! Words of a text.

/// The words in lower case, without punctuation.
pub(super) fn of(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// Whether two words are likely forms of one: equal, or alike in all but a short ending.
pub(super) fn akin(a: &str, b: &str) -> bool {
    let common = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let longest = a.chars().count().max(b.chars().count());
    a == b || (common >= 4 && longest - common <= 3)
}
