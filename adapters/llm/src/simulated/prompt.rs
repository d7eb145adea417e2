//! Finds the task of a prompt, and the text that it is about.

use domain::call::{ChatCall, ResponseFormat, Role};
use domain::value::Value;

const LABELS: [&str; 6] = ["labels:", "categories:", "classes:", "one of:", "one of these:", "choose from:"];
const KEYS: [&str; 3] = ["keys:", "fields:", "with the keys"];
/// Words before the text that a prompt is about.
const ITEM: [&str; 11] = [
    "ticket:",
    "text:",
    "message:",
    "email:",
    "input:",
    "document:",
    "article:",
    "review:",
    "invoice:",
    "content:",
    "passage:",
];
/// Words at the end of a prompt that the model is to complete.
const CUE: [&str; 6] = ["label:", "answer:", "category:", "json:", "summary:", "output:"];

/// The allowed labels, in the prompt's order.
pub(super) fn labels(call: &ChatCall) -> Vec<String> {
    let lists = call.messages.iter().map(|message| list_after(&message.content, &LABELS));
    lists.max_by_key(Vec::len).unwrap_or_default()
}

/// The keys of the requested object: those of the schema, or those listed in a prompt about JSON.
pub(super) fn keys(call: &ChatCall) -> Vec<String> {
    if let ResponseFormat::JsonSchema { schema: Value::Map(schema), .. } = &call.response_format
        && let Some(Value::Map(properties)) = schema.get("properties")
    {
        return properties.keys().cloned().collect();
    }
    let about_json = |text: &str| text.to_ascii_lowercase().contains("json");
    if call.response_format == ResponseFormat::Text && !call.messages.iter().any(|m| about_json(&m.content)) {
        return Vec::new();
    }
    let lists = call.messages.iter().map(|message| list_after(&message.content, &KEYS));
    lists.max_by_key(Vec::len).unwrap_or_default()
}

/// The text that the user's last message is about: the part after its last `Text:` or the like, without the cue at
/// its end; or else the message without its lists.
pub(super) fn item(call: &ChatCall) -> String {
    let last = call.messages.iter().rev().find(|message| message.role == Role::User);
    let text = last.map_or("", |message| message.content.as_str());
    let lower = text.to_ascii_lowercase();
    let begins = ITEM.iter().filter_map(|mark| line_start(&lower, mark).map(|at| at + mark.len())).max();
    begins.map_or_else(|| without_lists(text), |at| without_cue(&text[at..])).trim().to_owned()
}

/// The question that is asked of the text: the last line before it that ends with a question mark, as far as no colon stands
/// before it.
pub(super) fn question(call: &ChatCall, item: &str) -> Option<String> {
    let last = call.messages.iter().rev().find(|message| message.role == Role::User)?;
    let (before, _) = last.content.split_once(item).filter(|_| !item.is_empty())?;
    let line = before.lines().rev().map(str::trim).find(|line| line.ends_with('?'))?;
    line.rsplit(": ").next().map(str::to_owned)
}

/// The beginning of the last line that starts with `mark`.
fn line_start(lower: &str, mark: &str) -> Option<usize> {
    let begins_line = |before: &str| before.is_empty() || before.ends_with('\n');
    let mut starts = lower.rmatch_indices(mark).map(|(at, _)| at);
    starts.find(|at| begins_line(lower[..*at].trim_end_matches([' ', '*', '#'])))
}

fn without_cue(text: &str) -> String {
    let trimmed = text.trim_end();
    let last = trimmed.rfind('\n').map_or(0, |at| at + 1);
    let is_cue = CUE.contains(&trimmed[last..].trim().to_ascii_lowercase().as_str());
    if is_cue { &trimmed[..last] } else { trimmed }.to_owned()
}

fn without_lists(text: &str) -> String {
    let listed = |line: &&str| {
        let lower = line.to_ascii_lowercase();
        !LABELS.iter().chain(&KEYS).chain(&CUE).any(|mark| lower.contains(mark))
    };
    text.lines().filter(listed).collect::<Vec<_>>().join("\n")
}

/// The names after one of these marks: on the same line, or as bullets below it.
fn list_after(text: &str, marks: &[&str]) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let after = |mark: &&str| lower.find(*mark).map(|at| &text[at + mark.len()..]);
    let lists = marks.iter().filter_map(after).map(|rest| {
        let line = rest.lines().next().unwrap_or_default();
        let inline: Vec<String> = line.split([',', '|', ';']).filter_map(name).collect();
        if inline.is_empty() { bullets(rest) } else { inline }
    });
    lists.max_by_key(Vec::len).unwrap_or_default()
}

fn bullets(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).skip_while(|line| line.is_empty());
    let bullets = lines.map_while(|line| line.strip_prefix(['-', '*', '•']));
    bullets.filter_map(|line| name(line.split([':', '(', '=']).next()?)).collect()
}

/// A listed name without decoration; `None` for a sentence.
fn name(text: &str) -> Option<String> {
    let plain = text.trim().trim_start_matches("and ").trim_start_matches("or ");
    let plain = plain.trim_matches(|c: char| c.is_whitespace() || "\"'`[](){}.*:".contains(c));
    (!plain.is_empty() && plain.split_whitespace().count() <= 4).then(|| plain.to_owned())
}
