//! Tests that the same samples, written in different formats, are read as the same samples.

use application::samples::{self, Columns, Reading};
use domain::sample::Sample;
use domain::value::{Map, Value};
use proptest::prelude::*;

use crate::experiment::{SampleDocument, checks};
use crate::yaml::{self, Shape};

/// Texts that some readers misinterpret.
const WORDS: [&str; 24] = [
    "",
    "no",
    "on",
    "y",
    "True",
    "null",
    "~",
    "NULL",
    "12.50",
    "5.0",
    "007",
    "1_000",
    "0x1F",
    "+1",
    ".5",
    "1e3",
    "-0",
    "123456789012345678901",
    ".nan",
    "\"",
    "''",
    "a;b,c\td",
    "line\r\nbreaks\n\nand\rmore",
    " padded ",
];

/// Texts that YAML documents hold without quotes.
const PLAIN: [&str; 14] = [
    "no",
    "on",
    "y",
    "True",
    "NULL",
    "12.50",
    "5.0",
    "007",
    "1_000",
    "0x1F",
    "+1",
    ".5",
    "1e3",
    "123456789012345678901",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned),
        2 => "[a-c\"',;:#&*!|>%@`{}\\[\\]\\\\\n\r\t -]{0,12}",
        1 => any::<String>(),
    ]
    // Databases do not store NUL, and a byte order mark at the beginning of a line is treated as a trace of joined
    // files.
    .prop_map(|text| text.replace(['\0', '\u{feff}'], ""))
}

/// A text that is not a JSON object or list, which exports write into some columns.
fn plain_text() -> impl Strategy<Value = String> {
    text().prop_map(|text| if text.trim_start().starts_with(['{', '[']) { format!("x{text}") } else { text })
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let sample =
        (plain_text(), plain_text(), text(), text()).prop_map(|(input, reference, hint, note)| Sample {
            input: Value::from(input.as_str()),
            reference: Some(Value::from(reference.as_str())),
            meta: Map::from([("hint".into(), hint.as_str().into()), ("note".into(), note.as_str().into())]),
            ..Sample::default()
        });
    prop::collection::vec(sample, 1..6)
}

/// The texts of a sample, with the names of their columns.
fn cells(sample: &Sample) -> Vec<(&'static str, &str)> {
    vec![
        ("input", sample.input.as_text().unwrap_or_default()),
        ("reference", sample.reference.as_ref().and_then(Value::as_text).unwrap_or_default()),
        ("hint", sample.meta["hint"].as_text().unwrap_or_default()),
        ("note", sample.meta["note"].as_text().unwrap_or_default()),
    ]
}

fn csv(samples: &[Sample], separator: u8) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
    writer.write_record(["input", "reference", "hint", "note"]).unwrap();
    for sample in samples {
        writer.write_record(cells(sample).into_iter().map(|(_, text)| text)).unwrap();
    }
    writer.into_inner().unwrap()
}

fn objects(samples: &[Sample]) -> Vec<serde_json::Value> {
    samples.iter().map(|sample| cells(sample).into_iter().collect()).collect()
}

/// The samples as YAML: the plain texts without quotes, and all others quoted as in JSON.
fn yaml_by_hand(samples: &[Sample]) -> String {
    let spelled = |text: &str| {
        if PLAIN.contains(&text) { text.to_owned() } else { serde_json::to_string(text).unwrap() }
    };
    let item = |sample: &Sample| {
        let cells: Vec<String> = cells(sample).iter().map(|(_, text)| spelled(text)).collect();
        let [input, reference, hint, note] = cells.as_slice() else { panic!("{cells:?}") };
        format!("- input: {input}\n  reference: {reference}\n  meta: {{hint: {hint}, note: {note}}}\n")
    };
    samples.iter().map(item).collect::<Vec<_>>().concat()
}

fn read(name: &str, bytes: &[u8]) -> Vec<Sample> {
    let reading = Reading { name: name.into(), format: None, columns: Columns::default(), checks };
    samples::read(bytes, &reading).unwrap_or_else(|error| panic!("{name}: {error}: {bytes:?}")).samples
}

fn read_yaml(text: &str) -> Vec<Sample> {
    let read: Vec<SampleDocument> =
        yaml::read(text, Shape::Texts).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    read.into_iter().map(SampleDocument::into_sample).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn samples_are_the_same_in_every_format(written in samples()) {
        let samples = written;
        for separator in [b',', b';'] {
            prop_assert_eq!(&read("x.csv", &csv(&samples, separator)), &samples);
        }
        prop_assert_eq!(&read("x.tsv", &csv(&samples, b'\t')), &samples);
        let objects = objects(&samples);
        prop_assert_eq!(&read("x.json", serde_json::to_string_pretty(&objects).unwrap().as_bytes()), &samples);
        let lines: Vec<String> = objects.iter().map(ToString::to_string).collect();
        prop_assert_eq!(&read("x.jsonl", lines.join("\n").as_bytes()), &samples);
        prop_assert_eq!(&read_yaml(&yaml_by_hand(&samples)), &samples);
        let documents: Vec<SampleDocument> = samples.iter().cloned().map(SampleDocument::of_sample).collect();
        prop_assert_eq!(&read_yaml(&serde_saphyr::to_string(&documents).unwrap()), &samples);
    }
}
