//! Measures how long it takes to read 10 MB of samples, in each format.
//!
//! `cargo bench -p promptlooper-tests --bench samples`. Each must take less than [`MARK`].

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use application::samples::{self, Columns, Reading};
use serde_json::json;
use wire::experiment::{SampleDocument, checks};
use wire::yaml::{self, Shape};

/// The approximate size of each file in bytes.
const SIZE: usize = 10_000_000;

/// The file that stands for a list of samples inside an experiment file.
const YAML: &str = "samples.yaml";

/// The longest time that people wait without complaint.
const MARK: Duration = Duration::from_secs(3);

type Failed = Box<dyn std::error::Error>;

/// Lines of about 250 bytes, each made from its number.
fn lines(head: &str, line: impl Fn(usize) -> String) -> String {
    let mut text = head.to_owned();
    for number in 0.. {
        if text.len() >= SIZE {
            break;
        }
        text.push_str(&line(number));
        text.push('\n');
    }
    text
}

fn files() -> Vec<(&'static str, String)> {
    let question =
        |number: usize| format!("Ticket {number}: \"it, and that\" broke; {}", "what now? ".repeat(15));
    let object =
        |number: usize| json!({"input": question(number), "reference": "12.50", "lang": "en", "n": number});
    let quoted = |number: usize| question(number).replace('"', "\"\"");
    let list = lines("[", |number| format!("{},", object(number)));
    let chat = |number: usize| {
        json!({"messages": [{"role": "system", "content": "Sort."}, {"role": "user", "content": question(number)},
            {"role": "assistant", "content": "12.50"}]})
    };
    vec![
        ("samples.csv", lines("input,reference,lang,n\n", |n| format!("\"{}\",12.50,en,{n}", quoted(n)))),
        (
            "samples.tsv",
            lines("input\treference\tlang\tn\n", |n| format!("\"{}\"\t12.50\ten\t{n}", quoted(n))),
        ),
        ("samples.json", format!("{}]", list.trim_end().trim_end_matches(','))),
        ("samples.jsonl", lines("", |n| object(n).to_string())),
        ("chats.jsonl", lines("", |n| chat(n).to_string())),
        ("samples.txt", lines("", question)),
        (
            YAML,
            lines("", |n| {
                format!("- input: {}\n  reference: 12.50\n  meta: {{lang: no, n: {n}}}", json!(question(n)))
            }),
        ),
    ]
}

fn read(name: &str, text: &str) -> Result<usize, Failed> {
    if name == YAML {
        return Ok(yaml::read::<Vec<SampleDocument>>(text, Shape::Texts)?.len());
    }
    let reading = Reading { name: name.to_owned(), format: None, columns: Columns::default(), checks };
    Ok(samples::read(text.as_bytes(), &reading)?.samples.len())
}

fn main() -> Result<(), Failed> {
    // `cargo test --benches` passes an argument, and measures nothing.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let mut out = io::stdout();
    let mut slow = Vec::new();
    for (name, text) in files() {
        let begun = Instant::now();
        let count = read(name, &text)?;
        let taken = begun.elapsed();
        writeln!(
            out,
            "{name:<14} {:>5.1} MB, {count:>6} samples: {:.2} s",
            text.len() as f64 / 1e6,
            taken.as_secs_f64()
        )?;
        if taken > MARK {
            slow.push(name);
        }
    }
    if slow.is_empty() { Ok(()) } else { Err(format!("slower than {MARK:?}: {}", slow.join(", ")).into()) }
}
