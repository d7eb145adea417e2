use proptest::prelude::*;

use super::*;

/// Rules for ASCII only.
#[derive(Debug)]
struct Ascii;

impl TextRules for Ascii {
    fn nfc<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        text.into()
    }

    fn fold_case(&self, text: &str) -> String {
        text.to_lowercase()
    }

    fn tokens<'a>(&self, text: &'a str) -> Vec<Token<'a>> {
        text.split_whitespace().map(Token::Word).collect()
    }

    fn read_json(&self, text: &str) -> Option<Value> {
        text.parse().ok().map(|number: f64| Value::number(number))
    }
}

fn options(fields: &[(&str, Value)]) -> Map {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn texts(texts: &[&str]) -> Value {
    Value::List(texts.iter().map(|text| Value::from(*text)).collect())
}

#[track_caller]
fn check(scorer: &str, given: &[(&str, Value)], rows: &[(&str, Option<&str>, Option<f64>)]) {
    let scorer = Scorer::try_new(scorer, &options(given)).unwrap();
    for (output, reference, expected) in rows {
        let references: Vec<Value> = reference.iter().map(|reference| Value::from(*reference)).collect();
        let judged = scorer.evaluate(&Value::from(*output), &references, &Ascii).unwrap();
        let value = judged.map(|judgement| judgement.value.value());
        assert_eq!(value, *expected, "{scorer:?} of {output:?} against {reference:?}");
    }
}

#[test]
fn the_score_of_a_length_falls_outside_its_bounds() {
    let given = [("unit", Value::from("words")), ("min", Value::from(2_i64)), ("max", Value::from(4_i64))];
    check(
        "length",
        &given,
        &[
            ("", None, Some(0.0)),
            ("one", None, Some(0.5)),
            ("one two", None, Some(1.0)),
            (" a b  c d ", None, Some(1.0)),
            ("1 2 3 4 5 6 7 8", None, Some(0.5)),
        ],
    );
    check("length", &[("max", Value::from(0_i64))], &[("é", None, Some(0.0)), ("", None, Some(1.0))]);
    check(
        "length",
        &[("unit", Value::from("tokens")), ("max", Value::from(2_i64))],
        &[("12345678", None, Some(1.0))],
    );
}

#[test]
fn keywords_count_satisfied_terms() {
    let given = [("required", texts(&["Refund", "days"])), ("forbidden", texts(&["sorry"]))];
    check(
        "keyword",
        &given,
        &[
            ("refund in 5 DAYS", None, Some(1.0)),
            ("Sorry, refund", None, Some(1.0 / 3.0)),
            ("", None, Some(1.0 / 3.0)),
        ],
    );
    let whole = [("required", texts(&["cat"])), ("whole_word", Value::from(true))];
    check("keyword", &whole, &[("concatenate", None, Some(0.0)), ("a cat.", None, Some(1.0))]);
    let scorer = Scorer::try_new("keyword", &options(&given)).unwrap();
    let judged = scorer.evaluate(&Value::from("sorry"), &[], &Ascii).unwrap().unwrap();
    assert_eq!(
        Value::Map(judged.metadata).canonical(),
        r#"{"forbidden":["sorry"],"missing":["Refund","days"]}"#
    );
}

#[test]
fn matching_is_against_the_reference_or_a_value() {
    check(
        "exact_match",
        &[],
        &[(" bug\n", Some("bug"), Some(1.0)), ("Bug", Some("bug"), Some(0.0)), ("bug", None, None)],
    );
    check("exact_match", &[("trim", Value::from(false))], &[("bug ", Some("bug"), Some(0.0))]);
    check(
        "exact_match",
        &[("ignore_case", Value::from(true)), ("value", Value::from("OK"))],
        &[("ok", None, Some(1.0))],
    );
    check(
        "contains",
        &[],
        &[("It is a Bug.", Some("bug"), Some(1.0)), ("no", Some("bug"), Some(0.0)), ("x", None, None)],
    );
    check("contains", &[("ignore_case", Value::from(false))], &[("It is a Bug.", Some("bug"), Some(0.0))]);
}

#[test]
fn json_compares_by_its_one_spelling() {
    let scorer = Scorer::try_new("exact_match", &Map::new()).unwrap();
    let output = Value::from([("b", Value::number(1.0)), ("a", Value::Null)]);
    let reference = Value::from([("a", Value::Null), ("b", Value::from(1_i64))]);
    assert_eq!(scorer.evaluate(&output, &[reference], &Ascii), Ok(Some(Judgement::new(Score::ONE))));
    assert_eq!(
        scorer.evaluate(&Value::from("5.0"), &[Value::from(5_i64)], &Ascii),
        Ok(Some(Judgement::new(Score::ONE)))
    );
}

#[test]
fn similarity_is_between_0_and_1() {
    check(
        "similarity",
        &[],
        &[
            ("abcd", Some("abcd"), Some(1.0)),
            ("abcd", Some("abxd"), Some(0.75)),
            ("", Some(""), Some(1.0)),
            ("a", None, None),
        ],
    );
    check(
        "similarity",
        &[("method", Value::from("token_f1"))],
        &[
            ("The cat sat", Some("the cat"), Some(0.8)),
            ("dog", Some("cat"), Some(0.0)),
            ("", Some(""), Some(1.0)),
        ],
    );
    let long = "word ".repeat(4_000);
    check("similarity", &[], &[(&long, Some(&long), Some(1.0))]);
}

#[test]
fn wrong_options_are_named_with_what_is_right() {
    for (scorer, given, code, pointer) in [
        ("sentiment", vec![], "unknown_scorer", "/scorer"),
        ("length", vec![], "missing", "/options/max"),
        (
            "length",
            vec![("min", Value::from(3_i64)), ("max", Value::from(1_i64))],
            "out_of_range",
            "/options/min",
        ),
        ("length", vec![("max", Value::from(-1_i64))], "wrong_value", "/options/max"),
        (
            "length",
            vec![("max", Value::from(1_i64)), ("unit", Value::from("lines"))],
            "wrong_value",
            "/options/unit",
        ),
        ("exact_match", vec![("ignorecase", Value::from(true))], "unknown_option", "/options/ignorecase"),
        ("exact_match", vec![("trim", Value::from("yes"))], "wrong_value", "/options/trim"),
        ("keyword", vec![], "missing", "/options/required"),
        ("keyword", vec![("required", texts(&[""]))], "wrong_value", "/options/required"),
        ("contains", vec![("value", texts(&["a"]))], "missing", "/options/match"),
        ("contains", vec![("match", Value::from("any"))], "wrong_value", "/options/match"),
        ("format", vec![], "missing", "/options/type"),
        ("format", vec![("type", Value::from("toml"))], "wrong_value", "/options/type"),
        ("format", vec![("type", Value::from("json_schema"))], "missing", "/options/schema"),
        (
            "format",
            vec![("type", Value::from("regex")), ("pattern", Value::Null)],
            "wrong_value",
            "/options/pattern",
        ),
        (
            "format",
            vec![("type", Value::from("json")), ("headings", texts(&["a"]))],
            "unknown_option",
            "/options/headings",
        ),
        ("similarity", vec![("method", Value::from("cosine"))], "wrong_value", "/options/method"),
    ] {
        let problems = Scorer::try_new(scorer, &options(&given)).unwrap_err();
        let found = problems.iter().any(|problem| problem.code == code && problem.pointer == pointer);
        assert!(found, "{scorer} {given:?}: {problems:?}");
    }
}

#[test]
fn a_failed_entry_leaves_the_sample_without_a_score() {
    let good = Entry::Value(Score::ONE);
    let bad = Entry::Value(Score::ZERO);
    assert_eq!(weighted(&[(2.0, good), (1.0, bad)]), Some(2.0 / 3.0));
    assert_eq!(weighted(&[(2.0, good), (1.0, Entry::Absent)]), Some(1.0));
    assert_eq!(weighted(&[(2.0, good), (1.0, Entry::Failed)]), None);
    assert_eq!(weighted(&[(2.0, good), (0.0, Entry::Failed)]), Some(1.0));
    assert_eq!(weighted(&[(1.0, Entry::Absent)]), None);
    assert_eq!(weighted(&[]), None);
}

#[test]
fn scores_stay_in_their_range() {
    for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(Score::try_new(wrong).is_err(), "{wrong} was accepted");
    }
    assert_eq!(Score::share(0, 0), Score::ONE);
}

#[test]
fn formats_read_back_from_their_options() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    for format in [
        Format::Json,
        Format::JsonSchema(Value::from([("type", Value::from("object"))])),
        Format::Markdown { headings: texts(&["A"]) },
        Format::Regex("a+".into()),
        Format::Xml,
        Format::Yaml,
        Format::Csv { columns: texts(&["a", "b"]) },
    ] {
        assert_eq!(Scorer::try_new("format", &format.options()), Ok(Scorer::Format(format)));
    }
}

proptest! {
    #[test]
    fn any_output_gets_a_score(output in ".{0,60}", reference in ".{0,60}") {
        for (name, given) in [
            ("length", vec![("min", Value::from(3_i64)), ("max", Value::from(9_i64))]),
            ("keyword", vec![("required", texts(&["a", "é"])), ("whole_word", Value::from(true))]),
            ("exact_match", vec![]),
            ("contains", vec![]),
            ("similarity", vec![]),
            ("similarity", vec![("method", Value::from("token_f1"))]),
        ] {
            let scorer = Scorer::try_new(name, &options(&given)).unwrap();
            let judged = scorer.evaluate(&Value::from(output.as_str()), &[Value::from(reference.as_str())], &Ascii);
            let value = judged.ok().flatten().map(|judged| judged.value.value());
            // Characters that nobody sees are not compared.
            let blank = reference.chars().all(|c| matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}'));
            prop_assert!(value.is_some_and(|value| (0.0..=1.0).contains(&value)) || blank);
        }
    }
}

fn entry(draft: &ScoringDraft) -> ScoringEntry {
    ScoringEntry::try_new(draft, &[]).unwrap()
}

#[test]
fn values_are_inverted_and_then_compared_with_the_threshold() {
    let draft = |negate, pass_at| ScoringDraft {
        scorer: "similarity".into(),
        negate,
        pass_at,
        ..ScoringDraft::default()
    };
    for (negate, pass_at, value, concluded) in [
        (false, None, 0.25, 0.25),
        (true, None, 0.25, 0.75),
        (false, Some(0.25), 0.25, 1.0),
        (false, Some(0.3), 0.25, 0.0),
        (true, Some(0.75), 0.25, 1.0),
        (true, Some(0.8), 0.25, 0.0),
    ] {
        let said = Judgement::new(Score::try_new(value).unwrap());
        let judged = entry(&draft(negate, pass_at)).conclude(said);
        assert_eq!(judged.value.value(), concluded, "{negate} {pass_at:?}");
        assert_eq!(judged.metadata.contains_key("value"), negate || pass_at.is_some());
    }
}

#[test]
fn the_best_reference_counts() {
    for (scorer, output, value) in
        [("exact_match", "b", 1.0), ("similarity", "bx", 0.5), ("contains", "ab", 1.0)]
    {
        let scorer = Scorer::try_new(scorer, &Map::new()).unwrap();
        let references = [Value::from("c"), Value::from("b")];
        let judged = scorer.evaluate(&Value::from(output), &references, &Ascii).unwrap().unwrap();
        assert_eq!(judged.value.value(), value, "{scorer:?}");
    }
}

#[test]
fn lists_are_contained_in_part_or_as_a_whole() {
    let list = |how: &str| [("value", texts(&["a", "b"])), ("match", Value::from(how))];
    check("contains", &list("any"), &[("xa", None, Some(1.0)), ("x", None, Some(0.0))]);
    check("contains", &list("all"), &[("ab", None, Some(1.0)), ("xa", None, Some(0.0))]);
    let scorer = Scorer::try_new("contains", &options(&list("all"))).unwrap();
    let judged = scorer.evaluate(&Value::from("a"), &[], &Ascii).unwrap().unwrap();
    assert_eq!(Value::Map(judged.metadata).canonical(), r#"{"missing":["b"]}"#);
}

#[test]
fn nothing_to_look_for_is_no_match() {
    let scorer = Scorer::try_new("contains", &Map::new()).unwrap();
    assert!(scorer.evaluate(&Value::from("a"), &[Value::from("")], &Ascii).is_err());
}

#[test]
fn options_are_rendered_for_each_sample() {
    let templated = |scorer: &str, given: &[(&str, Value)]| {
        let draft =
            ScoringDraft { scorer: scorer.into(), options: options(given), ..ScoringDraft::default() };
        match entry(&draft).scorer {
            EntryScorer::Templated(scorer) => scorer,
            EntryScorer::Fixed(scorer) => panic!("{scorer:?}"),
        }
    };
    let meta = Value::from([
        ("words", texts(&["x", "y"])),
        ("most", Value::from(3_i64)),
        ("word", Value::from("x")),
    ]);
    let sample = Value::from([("meta", meta)]);
    let scope = crate::template::Scope::new().with("sample", &sample);
    let of = |name: &str| Value::from(format!("{{{{ sample.meta.{name} }}}}"));
    for (scorer, given, same) in [
        ("contains", vec![("value", of("word"))], vec![("value", Value::from("x"))]),
        ("keyword", vec![("required", of("words"))], vec![("required", texts(&["x", "y"]))]),
        ("keyword", vec![("required", Value::List(vec![of("word")]))], vec![("required", texts(&["x"]))]),
        ("length", vec![("max", of("most"))], vec![("max", Value::from(3_i64))]),
        (
            "contains",
            vec![("value", Value::from("<{{ sample.meta.word }}>"))],
            vec![("value", Value::from("<x>"))],
        ),
    ] {
        let expected = Scorer::try_new(scorer, &options(&same));
        assert_eq!(templated(scorer, &given).render(&scope).ok(), expected.ok(), "{given:?}");
    }
    let missing = templated("contains", &[("value", of("other"))]).render(&scope).unwrap_err();
    assert!(missing.contains("option `value`") && missing.contains("other"), "{missing}");
    let wrong = templated("length", &[("max", of("word"))]).render(&scope).unwrap_err();
    assert!(wrong.starts_with("option `max`: takes a whole number"), "{wrong}");
    let draft = ScoringDraft {
        scorer: "contains".into(),
        options: options(&[("value", Value::from("{{ sample. }}"))]),
        ..ScoringDraft::default()
    };
    let problems = ScoringEntry::try_new(&draft, &[]).unwrap_err();
    assert_eq!((problems[0].code, problems[0].pointer.as_str()), ("invalid_template", "/options/value"));
}

#[test]
fn checks_of_one_name_are_one_score() {
    let judged = |value: f64| Judgement::new(Score::try_new(value).unwrap());
    assert_eq!(combined(vec![]), None);
    assert_eq!(combined(vec![(2.0, judged(0.5))]), Some(judged(0.5)));
    let both = combined(vec![(3.0, judged(1.0)), (1.0, judged(0.0))]).unwrap();
    assert_eq!(both.value.value(), 0.75);
    let scorers = [("a".to_owned(), 2.0), ("b".to_owned(), 1.0), ("c".to_owned(), 0.0)];
    let check = |name: &str, weight| ScoringDraft { scorer: name.into(), weight, ..ScoringDraft::default() };
    let checks = [check("b", Some(3.0)), check("c", None), check("c", Some(2.0))];
    assert_eq!(sample_weights(&scorers, &checks), [2.0, 3.0, 3.0]);
    assert_eq!(sample_weights(&scorers, &[]), [2.0, 1.0, 0.0]);
}

proptest! {
    #[test]
    fn the_score_of_a_sample_does_not_depend_on_the_order_of_its_entries(
        entries in proptest::collection::vec((0.0..=10.0_f64, proptest::option::of(0.0..=1.0_f64)), 1..12),
        seed in any::<u64>(),
    ) {
        let entry = |(weight, value): &(f64, Option<f64>)| {
            let value = value.map_or(Entry::Absent, |value| Entry::Value(Score::try_new(value).unwrap()));
            (*weight, value)
        };
        let parts: Vec<(f64, Entry)> = entries.iter().map(entry).collect();
        let order = crate::random::shuffled(seed, parts.len());
        let mixed: Vec<(f64, Entry)> = order.into_iter().map(|place| parts[place as usize]).collect();
        let (one, other) = (weighted(&parts), weighted(&mixed));
        prop_assert_eq!(one.is_some(), other.is_some());
        prop_assert!(one.zip(other).is_none_or(|(one, other)| (one - other).abs() < 1e-12));
        // A failed entry that counts leaves the sample without a score, wherever it stands.
        let failed: Vec<_> = mixed.into_iter().chain([(1.0, Entry::Failed)]).collect();
        prop_assert_eq!(weighted(&failed), None);
    }
}
