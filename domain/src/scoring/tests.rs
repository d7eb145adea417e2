use proptest::prelude::*;

use super::*;

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
        let reference = reference.map(Value::from);
        let judged = scorer.evaluate(&Value::from(*output), reference.as_ref()).unwrap();
        let value = judged.map(|judgement| judgement.value.value());
        assert_eq!(value, *expected, "{scorer:?} of {output:?} against {reference:?}");
    }
}

#[test]
fn length_falls_off_outside() {
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
fn keywords_count_what_is_as_it_should_be() {
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
    let judged = scorer.evaluate(&Value::from("sorry"), None).unwrap().unwrap();
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
    assert_eq!(scorer.evaluate(&output, Some(&reference)), Ok(Some(Judgement::new(Score::ONE))));
    assert_eq!(
        scorer.evaluate(&Value::from("5"), Some(&Value::from(5_i64))),
        Ok(Some(Judgement::new(Score::ONE)))
    );
}

#[test]
fn similarity_is_between_nothing_and_all() {
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
            let judged = scorer.evaluate(&Value::from(output.as_str()), Some(&Value::from(reference.as_str())));
            let judged = judged.unwrap().unwrap();
            prop_assert!((0.0..=1.0).contains(&judged.value.value()));
        }
    }
}
