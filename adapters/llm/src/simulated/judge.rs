//! Grades an output, as a model does that is asked to judge.
//!
//! It knows no more than words: those that the output has in common with the reference, or else with the input and the
//! criteria. It answers with the object that the prompt asks for.

mod grading;

use std::collections::BTreeSet;

use domain::call::{ChatCall, ResponseFormat};
use domain::value::{Map, Value};

use self::grading::{Grade, grade};
use super::dice::Dice;
use super::sections::{section, text_of, without};
use super::skill::Model;

/// What marks the prompt of a judge, beside the output.
const DEMAND: &str = "Answer with one JSON object";
const SECTIONS: [&str; 6] = ["input", "output", "reference", "criteria", "rubric", "labels"];

/// A prompt that asks to judge an output.
pub(super) struct JudgeTask {
    input: String,
    pub(super) output: String,
    reference: Option<String>,
    /// What the output is judged by, in words.
    criteria: String,
    form: Form,
    /// The lowest and the highest score.
    scale: (f64, f64),
}

/// The object that is asked for.
enum Form {
    /// `{"reason", "score"}`
    Score,
    /// `{"pass", "score", "reason"}`
    Pass,
    /// `{"criteria": {NAME: score}, "reason"}`, with what each name stands for.
    Criteria(Vec<(String, String)>),
    /// `{"label", "reason"}`
    Label(Vec<(String, String)>),
}

impl JudgeTask {
    /// The task of a call; `None` if it asks for something else.
    pub(super) fn of(call: &ChatCall) -> Option<Self> {
        let text = text_of(call);
        let output = section(&text, "output")?.to_owned();
        let demand = without(&text, &SECTIONS);
        if !demand.contains(DEMAND) {
            return None;
        }
        let of = |name| section(&text, name).map(str::to_owned);
        let criteria = [of("criteria"), of("rubric")].into_iter().flatten().collect::<Vec<_>>().join("\n");
        let form = Form::of(&demand, &text, &call.response_format);
        Some(Self {
            input: of("input").unwrap_or_default(),
            output,
            reference: of("reference"),
            criteria,
            form,
            scale: scale(&demand),
        })
    }

    /// The judgement. Now and then a code fence is around it, unless the call asks for JSON.
    pub(super) fn answer(&self, model: Model, call: &ChatCall) -> String {
        let mut dice = Dice::of_answer(call);
        let grade = grade(&self.input, &self.output, self.reference.as_deref(), &self.criteria);
        let quality = noisy(grade.quality, model, &mut dice);
        let reason = ("reason", Value::from(grade.reason.as_str()));
        let fields = match &self.form {
            Form::Score => vec![("score", self.scaled(quality)), reason],
            Form::Pass => {
                vec![("pass", Value::Bool(quality >= 0.5)), ("score", self.scaled(quality)), reason]
            }
            Form::Criteria(names) => {
                let scores = names.iter().map(|(name, words)| {
                    let own = self.by(words, &grade);
                    (name.clone(), self.scaled(noisy(own, model, &mut dice)))
                });
                vec![("criteria", Value::Map(scores.collect::<Map>())), reason]
            }
            Form::Label(labels) => vec![("label", Value::from(chosen(labels, quality))), reason],
        };
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
        let json = Value::Map(fields.collect()).canonical();
        let fenced = call.response_format == ResponseFormat::Text && dice.chance(model.fences());
        if fenced { format!("```json\n{json}\n```") } else { json }
    }

    /// The quality by one criterion: mostly that of the whole, with its own words in place of all criteria.
    fn by(&self, words: &str, whole: &Grade) -> f64 {
        let own = grade(&self.input, &self.output, self.reference.as_deref(), words);
        0.7 * whole.quality + 0.3 * own.quality
    }

    /// A number of the scale: a whole one, unless the scale is too short for that.
    fn scaled(&self, quality: f64) -> Value {
        let (low, high) = self.scale;
        let score = low + quality * (high - low);
        Value::number(if high - low > 1.0 { score.round() } else { (score * 10.0).round() / 10.0 })
    }
}

impl Form {
    /// The form of the object that the demand describes, or the schema of the answer.
    fn of(demand: &str, text: &str, format: &ResponseFormat) -> Self {
        let schema = match format {
            ResponseFormat::JsonSchema { schema, .. } => schema.canonical(),
            _ => String::new(),
        };
        let wants = |name: &str| [demand, &schema].iter().any(|text| text.contains(&format!("\"{name}\"")));
        if wants("criteria") {
            let listed = named(section(text, "criteria").unwrap_or_default());
            return Self::Criteria(if listed.is_empty() { keys(demand) } else { listed });
        }
        if wants("label") {
            return Self::Label(named(section(text, "labels").unwrap_or_default()));
        }
        if wants("pass") { Self::Pass } else { Self::Score }
    }
}

/// The entries of a list, one on each line, with what is said about each: `- NAME: DESCRIPTION`.
fn named(list: &str) -> Vec<(String, String)> {
    let lines = list.lines().map(|line| line.trim().trim_start_matches(['-', '*', '•', ' ']));
    let entries = lines.filter(|line| !line.is_empty()).map(|line| {
        let (name, about) = line.split_once([':', '=']).unwrap_or((line, ""));
        let name = name.split(" (").next().unwrap_or(name);
        (
            name.trim_matches(|c: char| c.is_whitespace() || "\"'`*[]".contains(c)).to_owned(),
            about.trim().to_owned(),
        )
    });
    entries.filter(|(name, _)| !name.is_empty()).collect()
}

/// The names in the object behind `"criteria"`.
fn keys(demand: &str) -> Vec<(String, String)> {
    let inside = demand.split_once("\"criteria\"").and_then(|(_, rest)| rest.split_once('{'));
    let object = inside.and_then(|(_, rest)| rest.split_once('}')).map_or("", |(object, _)| object);
    let names: BTreeSet<&str> = object.split('"').skip(1).step_by(2).collect();
    names.into_iter().map(|name| (name.to_owned(), String::new())).collect()
}

/// The scale that the demand states as `from A to B`; from 1 to 5 where it states none.
fn scale(demand: &str) -> (f64, f64) {
    let stated = demand.match_indices("from ").find_map(|(at, from)| {
        let mut words = demand[at + from.len()..].split_whitespace();
        let number =
            |word: &str| word.trim_matches(|c: char| !c.is_ascii_digit() && c != '-').parse::<f64>().ok();
        let low = number(words.next()?)?;
        let high = (words.next()? == "to").then(|| words.next()).flatten().and_then(number)?;
        (low < high).then_some((low, high))
    });
    stated.unwrap_or((1.0, 5.0))
}

fn noisy(quality: f64, model: Model, dice: &mut Dice) -> f64 {
    (quality + model.misjudges() * (2.0 * dice.unit() - 1.0)).clamp(0.0, 1.0)
}

/// The label for outputs of this quality. Labels that say neither good nor bad are taken to be listed best first.
fn chosen(labels: &[(String, String)], quality: f64) -> &str {
    let known: Vec<Option<f64>> =
        labels.iter().map(|(name, about)| merit(name).or_else(|| merit(about))).collect();
    let last = labels.len().saturating_sub(1).max(1) as f64;
    let by_place = |place: usize| 1.0 - place as f64 / last;
    let some_known = known.iter().any(Option::is_some);
    let merits = known
        .into_iter()
        .enumerate()
        .map(|(place, known)| known.unwrap_or_else(|| if some_known { 0.5 } else { by_place(place) }));
    let distances = merits.map(|merit| (merit - quality).abs());
    let best = labels.iter().zip(distances).min_by(|(_, one), (_, other)| one.total_cmp(other));
    best.map_or("", |((name, _), _)| name)
}

/// How good an output is that is called so, from 0 to 1; `None` where the words do not tell.
fn merit(words: &str) -> Option<f64> {
    const BAD: [&str; 12] = [
        "no",
        "not",
        "bad",
        "incorrect",
        "wrong",
        "disagrees",
        "disagree",
        "contradicts",
        "irrelevant",
        "unfaithful",
        "fail",
        "poor",
    ];
    const PARTLY: [&str; 6] = ["partly", "partial", "partially", "subset", "superset", "some"];
    const GOOD: [&str; 12] = [
        "yes",
        "good",
        "correct",
        "same",
        "right",
        "relevant",
        "faithful",
        "fully",
        "pass",
        "equal",
        "agrees",
        "consistent",
    ];
    let said: Vec<String> = super::words::of(words).collect();
    let says = |list: &[&str]| said.iter().any(|word| list.contains(&word.as_str()));
    if says(&PARTLY) {
        Some(0.5)
    } else if says(&BAD) {
        Some(0.0)
    } else {
        says(&GOOD).then_some(1.0)
    }
}

#[cfg(test)]
mod tests;
