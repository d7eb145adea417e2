//! What words mean: their stems, words that mean the same, and words that say nothing about the topic.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::lexicon::LEXICON;

/// Words that say nothing about the topic of a text.
const STOP_WORDS: &str = "a about after all also am an and any are as at be because been before but by can could did do \
     does each else ever for from get gets had has have he her here him his how i if in into is it its just may me might \
     more most must my no not of on once one only or other our out over per please shall she should so some someone something such than \
     that the their them then there these they this those to too under until up upon us very was we were what when where \
     whether which while who whom whose why will with within without would yes you your";

/// Words with nearly one meaning, in support desks, shops and handbooks.
const SYNONYMS: [&str; 35] = [
    "refund reimburse repay",
    "parcel package shipment",
    "courier carrier",
    "deliver delivery arrive ship shipping dispatch",
    "crash freeze hang fail failure break broken",
    "bug error fault defect problem issue",
    "charge bill invoice billed",
    "pay payment paid",
    "cost price fee euro dollar cheap expensive",
    "password passcode credential",
    "login log sign signin",
    "account profile",
    "lock block suspend locked",
    "delete remove erase deletion",
    "cancel terminate unsubscribe cancellation",
    "subscription plan membership",
    "fast quick express rapid speedy",
    "slow lag delay late overdue",
    "open opening start begin",
    "close closed shut end",
    "help support assist assistance desk",
    "buy purchase order bought",
    "customer client buyer shopper",
    "employee worker staff",
    "vacation holiday leave",
    "day date",
    "hour time clock",
    "keep kept store retain archive",
    "insure insurance cover insured",
    "email mail message",
    "phone call telephone",
    "change edit modify update",
    "damaged faulty defective broken",
    "app application program software",
    "hack phish breach suspicious attack security",
];

/// The topic of a word, and the group of words with its meaning, by stem.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) synonyms: Option<usize>,
    pub(super) topic: Option<usize>,
}

static STOPS: LazyLock<HashSet<&str>> = LazyLock::new(|| STOP_WORDS.split_whitespace().collect());

static MEANINGS: LazyLock<HashMap<String, Meaning>> = LazyLock::new(|| {
    let mut meanings: HashMap<String, Meaning> = HashMap::new();
    for (topic, (names, keywords)) in LEXICON.iter().enumerate() {
        for word in names.iter().chain(*keywords).filter(|word| !STOPS.contains(*word)) {
            meanings.entry(stem(word)).or_default().topic.get_or_insert(topic);
        }
    }
    for (group, words) in SYNONYMS.iter().enumerate() {
        for word in words.split_whitespace() {
            meanings.entry(stem(word)).or_default().synonyms.get_or_insert(group);
        }
    }
    meanings
});

/// Whether a word in lower case says nothing about a topic.
pub(super) fn is_stop(word: &str) -> bool {
    STOPS.contains(word)
}

/// What a stem means, as far as that is known.
pub(super) fn of(stem: &str) -> Meaning {
    MEANINGS.get(stem).copied().unwrap_or_default()
}

/// A word in lower case without its inflection: "returned", "returning" and "returns" have one stem.
pub(super) fn stem(word: &str) -> String {
    /// Endings, with what takes their place; the first that leaves at least three letters counts.
    const ENDINGS: [(&str, &str); 16] = [
        ("llations", "l"),
        ("llation", "l"),
        ("ations", ""),
        ("ation", ""),
        ("ments", "ment"),
        ("iness", "y"),
        ("ness", ""),
        ("ings", ""),
        ("ing", ""),
        ("ies", "y"),
        ("ied", "y"),
        ("ely", "e"),
        ("ly", ""),
        ("ed", ""),
        ("es", "e"),
        ("s", ""),
    ];
    if !word.is_ascii() || word.bytes().any(|byte| byte.is_ascii_digit()) || word.ends_with("ss") {
        return word.to_owned();
    }
    let shortened = ENDINGS.iter().find_map(|(ending, instead)| {
        let base = word.strip_suffix(ending).filter(|base| base.len() >= 3)?;
        Some(format!("{base}{instead}"))
    });
    bare(&shortened.unwrap_or_else(|| word.to_owned()))
}

/// A stem without a doubled last consonant and without a silent e: "shipp" and "ship", "charge" and "charg" are one.
fn bare(stem: &str) -> String {
    let stem = stem.strip_suffix('e').filter(|rest| rest.len() >= 3).unwrap_or(stem);
    let bytes = stem.as_bytes();
    let doubled = bytes.len() > 3
        && bytes[bytes.len() - 1] == bytes[bytes.len() - 2]
        && !b"aeioulsz".contains(&bytes[bytes.len() - 1]);
    let last = stem.len() - usize::from(doubled);
    let stem = &stem[..last];
    stem.strip_suffix('y').map_or_else(|| stem.to_owned(), |rest| format!("{rest}i"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflections_have_one_stem() {
        for forms in [
            &["return", "returns", "returned", "returning"][..],
            &["ship", "ships", "shipped", "shipping"],
            &["charge", "charges", "charged", "charging"],
            &["delivery", "deliveries"],
            &["cancel", "cancels", "cancellation", "cancellations"],
            &["crash", "crashes", "crashed", "crashing"],
            &["late", "lately"],
            &["pass", "passes"],
        ] {
            let stems: HashSet<String> = forms.iter().map(|word| stem(word)).collect();
            assert_eq!(stems.len(), 1, "{forms:?}: {stems:?}");
        }
        for (one, other) in [("return", "retail"), ("user", "use"), ("5001", "5002"), ("business", "bus")] {
            assert_ne!(stem(one), stem(other));
        }
    }

    #[test]
    fn words_with_one_meaning_are_known_in_every_form() {
        for (one, other) in [("refunded", "reimbursed"), ("parcels", "package"), ("crashes", "freezing")] {
            let meaning = of(&stem(one));
            assert!(
                meaning.synonyms.is_some() && meaning.synonyms == of(&stem(other)).synonyms,
                "{one} {other}"
            );
        }
        assert_eq!(of(&stem("glacier")), Meaning::default());
        assert!(is_stop("would") && !is_stop("refund"));
    }
}
