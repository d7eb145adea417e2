//! The rules of Unicode and JSON that texts are compared by.

use std::borrow::Cow;

use domain::scoring::{TextRules, Token};
use domain::value::Value;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

use crate::json;

/// Unicode's tables, and a parser of JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnicodeRules;

impl TextRules for UnicodeRules {
    fn nfc<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match is_nfc_quick(text.chars()) {
            IsNormalized::Yes => Cow::Borrowed(text),
            IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
        }
    }

    fn fold_case(&self, text: &str) -> String {
        caseless::default_case_fold_str(text).nfc().collect()
    }

    fn tokens<'a>(&self, text: &'a str) -> Vec<Token<'a>> {
        let mut tokens = Vec::new();
        let mut segments = text.split_word_bounds().peekable();
        let mut before: Option<&str> = None;
        while let Some(segment) = segments.next() {
            let touches_number = segments.peek().is_some_and(|next| next.starts_with(char::is_numeric));
            let stands_free = before.is_none_or(|before| !before.ends_with(char::is_alphanumeric));
            let is_sign = segment == "-" && touches_number && stands_free;
            tokens.extend(match kind(segment) {
                Kind::Blank => None,
                Kind::Mark if !is_sign => Some(Token::Mark(segment)),
                Kind::Mark | Kind::Word => Some(Token::Word(segment)),
            });
            before = Some(segment);
        }
        tokens
    }

    fn read_json(&self, text: &str) -> Option<Value> {
        json::parse(text).ok()
    }
}

enum Kind {
    Blank,
    Word,
    Mark,
}

/// Marks that stand for something rather than part a sentence: `C#`, `5 %`, `R&D`, `@name`.
const MEANINGFUL: [&str; 4] = ["#", "%", "&", "@"];

fn kind(segment: &str) -> Kind {
    if segment.chars().all(char::is_whitespace) {
        return Kind::Blank;
    }
    let is_mark = |c: char| {
        let group = c.general_category_group();
        matches!(group, GeneralCategoryGroup::Punctuation | GeneralCategoryGroup::Other)
    };
    if segment.chars().all(is_mark) && !MEANINGFUL.contains(&segment) { Kind::Mark } else { Kind::Word }
}

#[cfg(test)]
mod tests {
    use domain::scoring::Scorer;
    use domain::value::Map;

    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let word = |token| if let Token::Word(word) = token { Some(word) } else { None };
        UnicodeRules.tokens(text).into_iter().filter_map(word).collect()
    }

    #[test]
    fn words_are_what_readers_take_for_words() {
        for (text, expected) in [
            ("Don't pay $3.14, e.g. -5 %!", &["Don't", "pay", "$", "3.14", "e.g", "-", "5", "%"][..]),
            ("C++ and C# (naïve)", &["C", "+", "+", "and", "C", "#", "naïve"]),
            ("北京。", &["北", "京"]),
            ("हिन्दी", &["हिन्दी"]),
            ("👍🏽 **yes** – no", &["👍🏽", "yes", "no"]),
            ("5-3", &["5", "3"]),
            ("…?", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[track_caller]
    fn value(scorer: &str, options: &str, output: &str, reference: &str) -> f64 {
        let Value::Map(options) = json::parse(options).unwrap() else { panic!("{options}") };
        let scorer = Scorer::try_new(scorer, &options as &Map).unwrap();
        let judged = scorer.evaluate(&Value::from(output), &[Value::from(reference)], &UnicodeRules);
        judged.unwrap().unwrap().value.value()
    }

    #[test]
    fn texts_that_are_the_same_for_a_reader_are_equal() {
        for (output, reference, exact, folded) in [
            ("cafe\u{301} Zu\u{308}rich", "café Zürich", 1.0, 1.0),
            ("line 1\r\nline 2\r", "line 1\nline 2", 1.0, 1.0),
            ("bil\u{200b}ling\u{feff}", "billing", 1.0, 1.0),
            ("a\u{a0}b", "a b", 1.0, 1.0),
            ("STRASSE", "straße", 0.0, 1.0),
            ("ΟΔΟΣ", "οδος", 0.0, 1.0),
            ("ΟΔΟΣ", "οδός", 0.0, 0.0),
            ("ﬁnal", "final", 0.0, 1.0),
            ("1000", "1000.0", 0.0, 0.0),
        ] {
            assert_eq!(value("exact_match", "{}", output, reference), exact, "{output} = {reference}");
            let ignoring = value("exact_match", r#"{"ignore_case": true}"#, output, reference);
            assert_eq!(ignoring, folded, "{output} = {reference}, whatever the case");
            assert_eq!(value("contains", "{}", &format!("<{output}>"), reference), folded, "{output}");
        }
    }

    #[test]
    fn texts_that_differ_are_never_wholly_alike() {
        for (output, reference, f1) in [
            ("👍", "👎", 0.0),
            ("+", "-", 0.0),
            ("...", "?", 0.0),
            ("👍 yes", "👎 yes", 0.5),
            ("北京是中国的首都", "北京", 0.4),
            ("-5", "5", 2.0 / 3.0),
            ("3.14", "314", 0.0),
            ("", "?", 0.0),
            ("?", "?", 1.0),
            ("", "", 1.0),
            ("The Cat", "the cat", 1.0),
        ] {
            for method in ["token_f1", "rouge_l"] {
                let found = value("similarity", &format!(r#"{{"method": "{method}"}}"#), output, reference);
                assert!((found - f1).abs() < 1e-12, "{method} of {output} and {reference}: {found}");
            }
        }
        for (output, reference) in
            [("北京", "北京。"), ("C++", "C#"), ("$5", "5 %"), ("b a", "a b"), ("Yes.", "yes")]
        {
            let found = value("similarity", r#"{"method": "token_f1"}"#, output, reference);
            assert!(found < 1.0, "{output} and {reference}: {found}");
        }
        assert!(value("similarity", r#"{"method": "token_f1"}"#, "Yes.", "yes") > 0.9);
        assert_eq!(value("similarity", r#"{"method": "rouge_l"}"#, "b a c", "a b c"), 2.0 / 3.0);
    }
}
