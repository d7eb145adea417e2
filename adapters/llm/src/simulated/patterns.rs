//! Finds dates, amounts, names and similar things in a text.

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const CURRENCIES: [(&str, &str); 9] = [
    ("$", "USD"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("¥", "JPY"),
    ("USD", "USD"),
    ("EUR", "EUR"),
    ("GBP", "GBP"),
    ("CHF", "CHF"),
    ("JPY", "JPY"),
];
/// Words that begin sentences or name things other than people.
const NO_NAMES: [&str; 26] = [
    "The", "This", "That", "Hello", "Hi", "Dear", "Please", "Thanks", "Thank", "Invoice", "Order", "Total",
    "Date", "Amount", "On", "In", "We", "I", "My", "Our", "It", "For", "From", "To", "Regards", "Best",
];

/// The first e-mail address.
pub(super) fn email(text: &str) -> Option<String> {
    let is =
        |word: &&str| word.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    pieces(text).find(is).map(str::to_owned)
}

/// The first word that looks like a reference number: at least three digits, possibly with letters and hyphens.
pub(super) fn reference(text: &str) -> Option<String> {
    let is = |word: &&str| {
        word.chars().filter(char::is_ascii_digit).count() >= 3
            && word.chars().all(|c| c.is_ascii_alphanumeric() || "-/#".contains(c))
            && iso_date(word).is_none()
    };
    let coded = |word: &&str| word.starts_with('#') || word.contains('-');
    let found = pieces(text).filter(is).find(coded).or_else(|| pieces(text).find(is));
    found.map(|word| word.trim_start_matches('#').to_owned())
}

/// The first amount of money, or else the first number with decimals.
pub(super) fn amount(text: &str) -> Option<f64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let beside = |at: usize| {
        let near = [at.checked_sub(1), Some(at), Some(at + 1)];
        near.into_iter().flatten().filter_map(|i| words.get(i)).any(|word| currency(word).is_some())
    };
    let numbers: Vec<(usize, f64)> =
        words.iter().enumerate().filter_map(|(at, word)| Some((at, number(word)?))).collect();
    let money = numbers.iter().find(|(at, _)| beside(*at));
    money.or_else(|| numbers.iter().find(|(_, n)| n.fract() != 0.0)).map(|(_, n)| *n)
}

fn number(word: &str) -> Option<f64> {
    let digits = word.trim_matches(|c: char| !c.is_ascii_digit()).replace(',', "");
    digits.parse().ok().filter(|_| word.chars().all(|c| !c.is_ascii_lowercase() && c != '#' && c != '-'))
}

/// The code of the first currency that is named.
pub(super) fn currency(text: &str) -> Option<String> {
    let found = CURRENCIES.iter().filter_map(|(sign, code)| Some((text.find(sign)?, code)));
    found.min().map(|(_, code)| (*code).to_owned())
}

/// The first date, as `2024-03-12`, of `2024-03-12`, `12 March 2024` and `March 12, 2024`.
pub(super) fn date(text: &str) -> Option<String> {
    let words: Vec<&str> = pieces(text).collect();
    words.iter().find_map(|word| iso_date(word)).or_else(|| words.windows(3).find_map(written_date))
}

fn iso_date(word: &str) -> Option<String> {
    let mut parts = word.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = year.len() == 4 && month.len() == 2 && day.len() == 2 && parts.next().is_none();
    (fits && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')).then(|| word.to_owned())
}

fn written_date(words: &[&str]) -> Option<String> {
    let [first, second, year] = words else { return None };
    let (day, month) = month(second).map(|month| (first, month)).or_else(|| Some((second, month(first)?)))?;
    let day: u8 = day.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse().ok()?;
    let year: u16 = year.parse().ok()?;
    ((1..=31).contains(&day) && year > 999).then(|| format!("{year}-{month:02}-{day:02}"))
}

/// The number of a month by its name or at least three letters of it.
fn month(word: &str) -> Option<usize> {
    let start = word.to_ascii_lowercase();
    MONTHS.iter().position(|month| start.len() >= 3 && month.starts_with(&start)).map(|at| at + 1)
}

/// The first name: at least two capitalised words in a row, or else one that does not begin a sentence.
pub(super) fn name(text: &str) -> Option<String> {
    let runs: Vec<Vec<&str>> = capitalised_runs(text);
    let best = runs.iter().find(|run| run.len() > 1).or_else(|| runs.first())?;
    Some(best.join(" "))
}

fn capitalised_runs(text: &str) -> Vec<Vec<&str>> {
    let mut runs: Vec<Vec<&str>> = vec![Vec::new()];
    for word in text.split_whitespace() {
        let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
        let capital = plain.chars().next().is_some_and(char::is_uppercase)
            && plain.chars().skip(1).all(|c| c.is_lowercase() || c == '\'' || c == '-');
        let joins = capital && !NO_NAMES.contains(&plain) && month(plain).is_none();
        match runs.last_mut() {
            Some(run) if joins => run.push(plain),
            _ => {}
        }
        if !joins || word.ends_with([',', '.', ':', ';', '!']) {
            runs.push(Vec::new());
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// The rest of a line after `key:`.
pub(super) fn line_value(text: &str, key: &str) -> Option<String> {
    let key = key.replace('_', " ").to_lowercase();
    let value = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim().to_lowercase() == key).then(|| value.trim())
    });
    value.filter(|value| !value.is_empty()).map(str::to_owned)
}

/// The words without the punctuation around them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let around = |c: char| !c.is_alphanumeric() && c != '#';
    text.split_whitespace().map(move |word| word.trim_matches(around)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "Hello, on March 3, 2024 Maria Lopez (maria@shop.example) paid $1,249.50 for order #A-10023.";

    #[test]
    fn things_are_found_in_a_text() {
        assert_eq!(date(TEXT).as_deref(), Some("2024-03-03"));
        assert_eq!(name(TEXT).as_deref(), Some("Maria Lopez"));
        assert_eq!(email(TEXT).as_deref(), Some("maria@shop.example"));
        assert_eq!(amount(TEXT), Some(1249.5));
        assert_eq!(currency(TEXT).as_deref(), Some("USD"));
        assert_eq!(reference(TEXT).as_deref(), Some("A-10023"));
    }

    #[test]
    fn other_spellings_are_found_too() {
        assert_eq!(date("due 12 April 2025.").as_deref(), Some("2025-04-12"));
        assert_eq!(date("(2025-04-12)").as_deref(), Some("2025-04-12"));
        assert_eq!(amount("99 EUR for 3 items"), Some(99.0));
        assert_eq!(currency("99 EUR for £3").as_deref(), Some("EUR"));
        assert_eq!(line_value("a: 1\nDue Date: soon", "due_date").as_deref(), Some("soon"));
        assert_eq!((date("none"), amount("none"), email("a@b"), name("none")), (None, None, None, None));
    }
}
