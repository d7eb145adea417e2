use super::*;

fn file(name: &str, text: &str, format: Option<&str>, columns: Columns) -> Result<SampleFile, SampleError> {
    let checks: ReadChecks = |value| match value {
        Value::List(entries) => Ok(entries
            .iter()
            .map(|entry| domain::scoring::ScoringDraft {
                scorer: entry.to_text().into_owned(),
                ..Default::default()
            })
            .collect()),
        other => Err(format!("not {}", other.kind())),
    };
    let reading = Reading { name: name.into(), format: format.map(str::to_owned), columns, checks };
    read(text.as_bytes(), &reading)
}

#[track_caller]
fn check(name: &str, text: &str, format: &str, samples: &[&str]) -> SampleFile {
    let read = file(name, text, None, Columns::default()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let found: Vec<String> = read.samples.iter().map(|sample| sample.to_value().canonical()).collect();
    assert_eq!(found, samples, "{text:?}");
    assert_eq!(read.format.as_str(), format, "{text:?}");
    read
}

#[track_caller]
fn refused(name: &str, text: &str, told: &str) {
    let error = file(name, text, None, Columns::default()).expect_err(text);
    assert!(error.to_string().starts_with(told), "{text:?}: {:?} instead of {told:?}", error.to_string());
}

#[test]
fn the_same_data_gives_the_same_samples_in_every_format() {
    let samples = [r#"{"input":"a, \"b\"","meta":{"hint":"","lang":"en"},"reference":"12.50"}"#];
    let rows = [
        ("x.csv", "\u{feff}input,reference,hint,lang\n\"a, \"\"b\"\"\",12.50,,en\n", "csv"),
        ("x.csv", "input; reference ;meta.hint;lang\r\n\"a, \"\"b\"\"\";12.50;;en\r\n\r\n", "csv"),
        ("x.tsv", "input\treference\thint\tlang\n\"a, \"\"b\"\"\"\t12.50\t\ten\n", "tsv"),
        ("x.json", r#"[{"input": "a, \"b\"", "reference": "12.50", "hint": "", "lang": "en"}]"#, "json"),
        (
            "x.jsonl",
            "\n{\"input\": \"a, \\\"b\\\"\", \"reference\": \"12.50\", \"meta\": {\"hint\": \"\", \"lang\": \"en\"}}\r\n",
            "jsonl",
        ),
        (
            "x.json",
            "{\"input\": \"a, \\\"b\\\"\", \"reference\": \"12.50\", \"hint\": \"\", \"lang\": \"en\"}\n",
            "jsonl",
        ),
        (
            "upload",
            r#"{"name": "set", "data": [{"input": "a, \"b\"", "reference": "12.50", "hint": "", "lang": "en"}]}"#,
            "jsonl",
        ),
    ];
    for (name, text, format) in &rows[..6] {
        check(name, text, format, &samples);
    }
    let (_, text, _) = rows[6];
    check("set.json", &text.replace("{\"name\"", "{\n\"name\""), "json", &samples);
}

#[test]
fn empty_cells_and_null_are_alike() {
    let samples = [
        r#"{"input":"a","meta":{"hint":""},"reference":""}"#,
        r#"{"input":"","meta":{"hint":"x"},"reference":"b"}"#,
    ];
    let csv = check("x.csv", "input,reference,hint\na,,\n\n,b,x\n", "csv", &samples);
    assert_eq!(
        csv.warnings,
        [
            "line 4: the input is empty in 1 of 2 samples (this is the first): the prompt is made with empty text",
            "line 2: the reference is empty in 1 of 2 samples (this is the first): outputs are compared with empty text; \
             in JSON lines it can be left out",
        ]
    );
    let jsonl = "{\"input\": \"a\", \"reference\": null, \"hint\": \"\"}\n{\"input\": null, \"reference\": \"b\", \"hint\": \"x\"}\n";
    check("x.jsonl", jsonl, "jsonl", &samples);
    check(
        "x.jsonl",
        "{\"input\": \"a\", \"hint\": null}",
        "jsonl",
        &[r#"{"input":"a","meta":{"hint":null}}"#],
    );
}

#[test]
fn exports_of_other_products_are_read() {
    for (name, text, format, sample) in [
        (
            "batch.jsonl",
            r#"{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}}"#,
            "openai_batch",
            r#"{"input":"Hi","meta":{"custom_id":"1","system":"S"}}"#,
        ),
        (
            "batch.jsonl",
            r#"{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]}}"#,
            "openai_batch",
            r#"{"input":[{"content":"a","role":"user"},{"content":"b","role":"assistant"},{"content":"c","role":"user"}],"meta":{"custom_id":"1"}}"#,
        ),
        (
            "batch.jsonl",
            r#"{"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": {"input": "Hi", "instructions": "I"}}"#,
            "openai_batch",
            r#"{"input":"Hi","meta":{"custom_id":"1","instructions":"I"}}"#,
        ),
        (
            "evals.jsonl",
            r#"{"item": {"question": "q", "answer": "a"}, "sample": {"output_text": "o"}}"#,
            "openai_evals",
            r#"{"input":{"answer":"a","question":"q"},"meta":{"sample":{"output_text":"o"}}}"#,
        ),
        (
            "match.jsonl",
            r#"{"input": "q", "ideal": ["a", "b"]}"#,
            "jsonl",
            r#"{"input":"q","references":["a","b"]}"#,
        ),
        ("match.jsonl", r#"{"input": "q", "ideal": "a"}"#, "jsonl", r#"{"input":"q","reference":"a"}"#),
        (
            "tune.jsonl",
            r#"{"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}"#,
            "openai_chat",
            r#"{"input":"q","meta":{"system":"S"},"reference":"a"}"#,
        ),
        (
            "inspect.json",
            r#"[{"input": "q", "target": ["a", "A"], "choices": ["x", "y"], "id": 7, "metadata": {"k": 1}}]"#,
            "json",
            r#"{"input":"q","meta":{"choices":["x","y"],"id":7,"k":1},"references":["a","A"]}"#,
        ),
        (
            "phoenix.csv",
            "input,output,metadata\n\"{\"\"question\"\": \"\"q\"\"}\",\"{\"\"a\"\": 1}\",{}\n",
            "csv",
            r#"{"input":{"question":"q"},"reference":{"a":1}}"#,
        ),
        (
            "langsmith.jsonl",
            r#"{"inputs": {"q": "x"}, "outputs": {"a": "y"}, "metadata": {"k": 1}}"#,
            "jsonl",
            r#"{"input":{"q":"x"},"meta":{"k":1},"reference":{"a":"y"}}"#,
        ),
        (
            "goldens.csv",
            "input,actual_output,expected_output,context\nq,o,e,c\n",
            "csv",
            r#"{"input":"q","meta":{"actual_output":"o","context":"c"},"reference":"e"}"#,
        ),
        (
            "braintrust.json",
            r#"[{"input": "q", "expected": ["a"], "metadata": null, "tags": ["t"]}]"#,
            "json",
            r#"{"input":"q","meta":{"tags":["t"]},"reference":["a"]}"#,
        ),
        (
            "rows.json",
            r#"{"features": [{"name": "text"}], "rows": [{"row_idx": 0, "row": {"text": "q", "label": 1}, "truncated_cells": []}]}"#,
            "hugging_face",
            r#"{"input":"q","reference":1}"#,
        ),
        (
            "x.jsonl",
            r#"{"input": "q", "checks": ["length"]}"#,
            "jsonl",
            r#"{"checks":[{"scorer":"length"}],"input":"q"}"#,
        ),
    ] {
        let text = if name == "rows.json" { text.replacen('{', "{\n", 1) } else { text.to_owned() };
        check(name, &text, format, &[sample]);
    }
}

#[test]
fn what_is_left_out_is_told() {
    let langfuse = r#"[
        {"id": "1", "status": "ACTIVE", "input": {"q": "x"}, "expectedOutput": "y", "metadata": {"k": 1}},
        {"id": "2", "status": "ARCHIVED", "input": "z", "expectedOutput": null}
    ]"#;
    let sample = r#"{"input":{"q":"x"},"meta":{"id":"1","k":1,"status":"ACTIVE"},"reference":"y"}"#;
    let read = check("x.json", langfuse, "json", &[sample]);
    assert_eq!(read.warnings, ["archived items are left out: 1"]);
    assert_eq!(read.columns.reference.as_deref(), Some("expectedOutput"));
    let read = check("x.csv", ",input\n0,a\n", "csv", &[r#"{"input":"a"}"#]);
    assert_eq!(read.warnings, ["column 1 has no name and is left out"]);
}

#[test]
fn plain_text_is_a_sample_or_one_a_line() {
    check("x.txt", "a\r\n\r\n b \n", "lines", &[r#"{"input":"a"}"#, r#"{"input":" b "}"#]);
    check("x.md", "a\n\nb\n", "text", &[r#"{"input":"a\n\nb\n"}"#]);
    let whole = file("x.txt", "a\nb", Some("text"), Columns::default()).unwrap();
    assert_eq!(whole.samples.len(), 1);
}

#[test]
fn several_columns_are_several_answers() {
    let columns = |names: &[&str]| Columns {
        references: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..Columns::default()
    };
    for (text, names) in [
        ("input,a,b\nq,x,y\n", &["a", "b"][..]),
        ("input,a,b\nq,x,\n", &["a"]),
        ("input,list\nq,\"[\"\"x\"\", \"\"y\"\"]\"\n", &["list"]),
    ] {
        let read = file("x.csv", text, None, columns(names)).unwrap();
        let expected: &[&str] = if names.len() == 1 && names[0] == "a" { &["x"] } else { &["x", "y"] };
        assert_eq!(
            read.samples[0].references,
            expected.iter().map(|answer| Value::from(*answer)).collect::<Vec<_>>()
        );
    }
    let both = "input,reference,references\nq,x,\nr,,\"[\"\"y\"\"]\"\n";
    check("x.csv", both, "csv", &[r#"{"input":"q","reference":"x"}"#, r#"{"input":"r","references":["y"]}"#]);
    refused(
        "x.csv",
        "input,reference,references\nq,x,\"[\"\"y\"\"]\"\n",
        "line 2: both `reference` and `references`",
    );
}

#[test]
fn names_may_lead_into_objects() {
    let columns = Columns {
        input: Some("item.question".into()),
        reference: Some("item.answer".into()),
        ..Columns::default()
    };
    let text = r#"{"item": {"question": "q", "answer": "a"}}"#;
    let read = file("x.jsonl", text, None, columns).unwrap();
    assert_eq!(
        (&read.samples[0].input, &read.samples[0].reference),
        (&Value::from("q"), &Some(Value::from("a")))
    );
}

#[test]
fn a_bad_row_is_reported_with_its_line() {
    let good = "\"one\ntwo\",x\n".repeat(5);
    for (name, text, told) in [
        (
            "x.csv",
            format!("input,reference\n{good}a,b,c\n"),
            "line 12: the row has 3 cells and the header 2: quote",
        ),
        (
            "x.csv",
            "input,reference,lang\n\n\na,b\n".into(),
            "line 4: the row has 2 cells and the header 3: write empty",
        ),
        ("x.csv", "input,reference\r\na,a\r\n\r\n\r\nb,c,d\r\n".into(), "line 5: the row has 3 cells"),
        ("x.csv", "input,reference\r\"a\rb\",c\rd\r".into(), "line 4: the row has 1 cells"),
        (
            "x.csv",
            "\n\ninput, Input ,input\na,b,c".into(),
            "line 3: the columns 1 and 3 both have the name `input`",
        ),
        ("x.csv", "frage\nx\n".into(), "no column is the input: say which"),
        ("x.csv", "question,prompt\nx,y\n".into(), "the input could be `question` or `prompt`"),
        ("x.csv", "input\n".into(), "there are no samples in it"),
        ("x.csv", "\n".into(), "there are no samples in it"),
        ("x.csv", "input\n\"a".into(), "line 2: the quote that opens a cell here is not closed"),
        (
            "x.jsonl",
            format!("{}{{\"input\": }}\n", "{\"input\": 1}\n".repeat(16)),
            "line 17: column 11: the comma before",
        ),
        ("x.jsonl", "{\"input\": 1}\n[1]\n".into(), "line 2: a sample is an object"),
        (
            "x.jsonl",
            "{\"input\": 1}\r{\"input\": 12345678901234567890123}\r".into(),
            "line 2: column 11: the whole number",
        ),
        ("x.jsonl", "{\"input\": 1}\n\u{feff}{\"input\": 1}\n".into(), "line 2: a byte order mark stands"),
        (
            "x.jsonl",
            "{\"input\": 1}\n{\"input\": 1, \"input\": 2}\n".into(),
            "line 2: column 14: the name `input` stands twice",
        ),
        ("x.jsonl", "{\"input\": 1}\n{\"reference\": 2}\n".into(), "line 2: `input` is missing"),
        ("x.jsonl", "{\"input\": 1, \"a\": 1, \"meta\": {\"a\": 2}}\n".into(), "line 1: `a` stands twice"),
        ("x.json", "[{\"input\": 1},\n {\"reference\": 1}]".into(), "line 2: `input` is missing"),
        (
            "x.json",
            "{\"features\": [],\n \"rows\": [\n{\"row\": {\"input\": 1}},\n{\"row\": 1}]}".into(),
            "line 4: a sample is an object",
        ),
        ("x.json", "{\n\"input\": 1}".into(), "line 1: the file must hold a list"),
        ("x.json", "[\n{]".into(), "line 2: column 2: "),
        (
            "x.json",
            "[{\"input\": 1,\n\"target\": 1, \"sandbox\": \"docker\"}]".into(),
            "line 1: `sandbox` makes this an evaluation of agents",
        ),
        ("x.yaml", "- input: 1".into(), "samples in YAML stand in the experiment file"),
    ] {
        refused(name, &text, told);
    }
    let error = file("x.csv", "a", Some("xls"), Columns::default()).unwrap_err();
    assert!(error.to_string().starts_with("there is no format `xls`. Known: csv, tsv"), "{error}");
}

#[test]
fn columns_that_exports_fill_with_json_are_read_as_such() {
    let text = "input,metadata\na,\"{\"\"k\"\": [1]}\"\nb,\n";
    let read = check("x.csv", text, "csv", &[r#"{"input":"a","meta":{"k":[1]}}"#, r#"{"input":"b"}"#]);
    assert_eq!(read.warnings, ["column `metadata` holds JSON in every row and is read as such"]);
    // A text that only begins like JSON, and a column of another name.
    check(
        "x.csv",
        "input,note\n\"{\"\"a\"\": 1}\",{}\n{braces},[1]\n",
        "csv",
        &[r#"{"input":"{\"a\": 1}","meta":{"note":"{}"}}"#, r#"{"input":"{braces}","meta":{"note":"[1]"}}"#],
    );
}

#[test]
fn bombs_are_refused_in_bounded_time() {
    let began = std::time::Instant::now();
    refused("x.json", &"[".repeat(100_000), "line 1: ");
    refused("x.jsonl", &("{\"input\":".repeat(100_000) + "1" + &"}".repeat(100_000)), "line 1: ");
    refused("x.csv", &format!("input\n\"{}", "\"\"".repeat(1_000_000)), "line 2: the quote");
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
}
