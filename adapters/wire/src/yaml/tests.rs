use domain::value::Value;

use super::*;
use crate::experiment::SampleDocument;
use crate::file::{FileDocument, SampleSource};
use crate::value::Any;

fn texts(text: &str) -> Result<Value, String> {
    read::<Any>(text, Shape::Texts).map(|value| value.0)
}

/// A valid experiment file in which one line is replaced.
fn file(line: &str, instead: &str) -> Result<FileDocument, String> {
    let sound = "name: x
endpoints: [{label: m, kind: openai, url: \"http://h/v1\"}]
sample_data: [{input: a}]
pipeline_stages:
  - name: s
    kind: llm
    endpoint: m
    model: m1
    prompt: \"{{ sample.input }}\"
    parameters: {temperature: 0.5}
    extra: {}
scoring_config: [{scorer: exact_match}]
parameter_space: {}
repeats: 1
sweep: {kind: grid}
";
    assert!(sound.contains(line), "{line}");
    read(&sound.replace(line, instead), Shape::File)
}

fn sample(text: &str) -> SampleDocument {
    let SampleSource::Inline(mut samples) = file("[{input: a}]", text).unwrap().sample_data else {
        panic!("{text}")
    };
    samples.remove(0)
}

#[test]
fn scalars_are_read_as_they_are_written() {
    for written in [
        "no",
        "yes",
        "NO",
        "on",
        "off",
        "y",
        "n",
        "True",
        "FALSE",
        "Null",
        "007",
        "0o17",
        "0x1F",
        "1.10",
        "12.50",
        "5.0",
        "1_000",
        "1e3",
        "12:30:45",
        "2024-01-02",
        ".5",
        "+1",
        "=",
        "0.1e1",
        "-0",
        "123456789012345678901",
        "!!str 12.5",
        "'12.5'",
        "\"null\"",
    ] {
        let text = written.trim_start_matches("!!str ").trim_matches(['\'', '"']);
        assert_eq!(
            texts(&format!("[{written}]")).unwrap(),
            Value::List(vec![Value::from(text)]),
            "{written}"
        );
        let sample =
            sample(&format!("[{{input: {written}, reference: {written}, meta: {{{written}: {written}}}}}]"));
        assert_eq!(sample.input.0, Value::from(text), "{written}");
        assert_eq!(sample.reference.unwrap().0, Value::from(text), "{written}");
        assert_eq!(sample.meta.get(text).unwrap().0, Value::from(text), "{written}");
    }
    let expected = "[true,false,null,null,12.5,-1,1e-7,3]";
    assert_eq!(texts("[true, false, null, ~, 12.5, -1, 1e-7, !!int 3]").unwrap().canonical(), expected);
}

#[test]
fn numbers_stand_where_only_numbers_can() {
    let read = file("temperature: 0.5", "temperature: 0.50, top_p: 1.0, stop: [5.0]").unwrap();
    let parameters = &read.pipeline_stages[0].parameters;
    assert_eq!(parameters["temperature"].0, Value::number(0.5));
    assert_eq!(parameters["top_p"].0, Value::from(1_i64));
    assert_eq!(parameters["stop"].0, Value::List(vec![Value::from("5.0")]));
    assert_eq!(file("repeats: 1", "repeats: 2.0").unwrap().repeats, 2);
    assert_eq!(file("repeats: 1", "repeats: 1\nholdout: +.5").unwrap().holdout, 0.5);
    let scored = file(
        "scorer: exact_match",
        "scorer: length, weight: 2.50, negate: False, options: {max: 5.0, unit: 1.0}",
    );
    let scoring = scored.unwrap().scoring_config.remove(0);
    assert_eq!((scoring.weight, scoring.negate), (Some(2.5), false));
    assert_eq!(scoring.options["max"].0, Value::from(5_i64));
    assert_eq!(scoring.options["unit"].0, Value::from("1.0"));
}

#[test]
fn choices_are_what_their_target_takes() {
    let space = "parameter_space:
  t: {target: s.temperature, type: choice, values: [0.0, 0.50], default: 1.0}
  v: {type: choice, values: [1.10, 1.1, yes, 'yes', 0, 0.0, 1e3, 1000, true, 'true', True]}
  model: {target: s.model, type: choice, values: [1.10, 2.0]}
  w: {type: choice, values: [a], when: {t: 0.50, model: [2.0], v: 1.10}}";
    let space = file("parameter_space: {}", space).unwrap().parameter_space;
    let values = |name: &str| {
        let values = space[name].values.iter().flatten();
        Value::List(values.map(|value| value.0.clone()).collect()).canonical()
    };
    assert_eq!(values("t"), "[0,0.5]");
    assert_eq!(values("v"), r#"["1.10",1.1,"yes","yes",0,"0.0","1e3",1000,true,"true","True"]"#);
    assert_eq!(values("model"), r#"["1.10","2.0"]"#);
    let when = serde_json::to_string(&space["w"].when).unwrap();
    assert_eq!(when, r#"{"model":["2.0"],"t":0.5,"v":"1.10"}"#);
}

#[test]
fn ambiguous_scalars_are_refused() {
    for (line, instead, told) in [
        (
            "extra: {}",
            "extra: {penalty: 1.10}",
            "line 11, column 22: `1.10` would become 1.1: write 1.1, or quote it as \"1.10\"",
        ),
        (
            "temperature: 0.5",
            "temperature: 007",
            "line 10, column 31: `007` is not clear as a number: write 7, or quote it",
        ),
        ("repeats: 1", "repeats: 0x1F", "line 14, column 10: `0x1F` is not clear as a number: write 31"),
        ("repeats: 1", "repeats: 1_000", "write 1000"),
        ("repeats: 1", "repeats: 99999999999999999999", "does not fit into 64 bits: quote it"),
        (
            "repeats: 1",
            "repeats: many",
            "line 14, column 10: this takes a whole number from 0 to 4294967295, not the text \"many\"",
        ),
        ("repeats: 1", "repeats: '1'", "not the text \"1\""),
        (
            "{input: a}",
            "{input: .nan}",
            "line 3, column 23: `.nan` is not a number that JSON and models know: quote it",
        ),
        ("{input: a}", "{input: -.inf}", "`-.inf` is not a number"),
        ("{input: a}", "{input: !env A}", "line 3, column 23: the tag !env is not known here"),
        ("{input: a}", "{input: !!int a}", "`a` is not what its tag !!int says"),
    ] {
        let error = file(line, instead).expect_err(instead);
        assert!(error.contains(told), "{instead}: {error}");
    }
}

#[test]
fn names_that_stand_twice_are_refused() {
    for (text, told) in [
        ("a: 1\nb: {c: 1,\n  c: 2}", "line 3, column 3: the name `c` stands twice, first in line 2"),
        ("no: 1\n'no': 2", "line 2, column 1: the name `no` stands twice"),
        ("{a: 1}: 2", "a name is a text"),
        (": 2", "line 1, column 1: a name is missing"),
    ] {
        let error = texts(text).unwrap_err();
        assert!(error.starts_with(told) || error.contains(told), "{text}: {error}");
    }
    let twice = file("name: x", "name: x\nname: y").unwrap_err();
    assert!(twice.starts_with("line 2, column 1: the name `name` stands twice, first in line 1"), "{twice}");
}

#[test]
fn fields_are_taken_over() {
    let text = "base: &base {a: 1, b: 2}\nown: {<<: *base, b: 3}\nboth:\n  <<: [{c: 4}, *base]";
    let expected = r#"{"base":{"a":1,"b":2},"both":{"a":1,"b":2,"c":4},"own":{"a":1,"b":3}}"#;
    assert_eq!(texts(text).unwrap().canonical(), expected);
    assert!(texts("a: {<<: 5}").unwrap_err().contains("`<<` takes over the fields of an object"));
}

#[test]
fn errors_use_the_terms_of_the_document() {
    for (line, instead, told) in [
        (
            "prompt: \"{{ sample.input }}\"",
            "prompt: {{ sample.input }}",
            "line 9, column 13: a text that begins with `{` must stand in quotes",
        ),
        (
            "prompt: \"{{ sample.input }}\"",
            "prompt: {% if x %}",
            "line 9, column 13: a text that begins with `{`",
        ),
        (
            "prompt: \"{{ sample.input }}\"",
            "prompt: Answer: {{ sample.input }}",
            "line 9, column 19: a text that holds `: ` must stand in quotes",
        ),
        (
            "prompt: \"{{ sample.input }}\"",
            "prompt: @all {{ x }}",
            "line 9, column 13: a text that begins with `@`",
        ),
        (
            "prompt: \"{{ sample.input }}\"",
            "prompt: *bold* x",
            "line 9, column 13: a text that begins with `*`",
        ),
        ("prompt: \"{{ sample.input }}\"", "prompt: \"a\" and b", "text follows a closing quote"),
        ("prompt: \"{{ sample.input }}\"", "prompt: \"\\d+\"", "`\\` does not go with what follows"),
        ("    kind: llm", "\tkind: llm", "line 6, column 1: a tab cannot indent: use spaces"),
        ("    kind: llm", "   kind: llm", "this does not line up"),
        (
            "url: \"http://h/v1\"",
            "url: ${HOST}/v1",
            "line 2, column 43: a text that holds `${…}` must stand in quotes",
        ),
        (
            "sample_data: [{input: a}]",
            "sample_data: [{input: a}",
            "line 3, column 14: the `[` that opens here is not closed",
        ),
        (
            "sample_data: [{input: a}]",
            "sample_data: [{input: a},\n  {input: b]",
            "line 4, column 3: the list or object that opens here is not closed",
        ),
        (
            "sample_data: [{input: a}]",
            "sample_data: [{input: a b}, c]]",
            "a `]` or `}` closes what was not opened",
        ),
        ("sample_data: [{input: a}]", "sample_data: [{input: a} {input: b}]", "a comma is missing"),
        ("sample_data: [{input: a}]", "sample_data: - input: a", "a list begins on a line of its own"),
        ("name: x", "name: \"x", "or close the quote before"),
        ("name: x", "x", "line 2, column 10: a name and its value stand as `name: value`"),
        ("name: x", "name: x\n---\nname: y", "line 2, column 1: a second document begins here"),
        ("kind: grid", "kind: griddy", "line 15, column 15: unknown value `griddy`. Known: grid"),
        ("name: x", "nmae: x", "line 1, column 1: unknown field `nmae`"),
        ("scorer: exact_match", "name: x", "missing field `scorer`"),
        (
            "sample_data: [{input: a}]",
            "sample_data: 5",
            "line 3, column 14: this takes a list of samples, or {file: …}, not the number 5",
        ),
        ("pipeline_stages:", "pipeline_stages: 5\nx:", "this takes a list, not the number 5"),
    ] {
        let error = file(line, instead).expect_err(instead);
        assert!(error.contains(told), "{instead}: {error}");
        for word in
            ["scalar", "mapping", "sequence", "expected", "token", "struct ", "policy", "u32", "<input>"]
        {
            assert!(!error.contains(word), "{instead}: {error}");
        }
        assert_eq!(error.matches('^').count(), 1, "{error}");
    }
}

#[test]
fn bombs_are_refused_in_bounded_time() {
    let began = std::time::Instant::now();
    let line = |i: usize| format!("a{i}: &a{i} [{}]\n", format!("*a{}, ", i - 1).repeat(10));
    let laughs = (1..20).map(line).collect::<Vec<_>>().concat();
    let bomb = format!("a0: &a0 lol\n{laughs}");
    assert!(texts(&bomb).unwrap_err().contains("aliases repeat more than 16 MiB"));
    let wide = format!("a: &a {}\nb: [{}]", "x".repeat(1 << 20), "*a, ".repeat(1 << 10));
    assert!(texts(&wide).unwrap_err().contains("aliases repeat more than 16 MiB"));
    assert!(texts("a: &a [*a]").unwrap_err().contains("stands inside what it repeats"));
    for deep in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000), "&a [".repeat(100_000)] {
        assert!(texts(&deep).is_err());
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
}
