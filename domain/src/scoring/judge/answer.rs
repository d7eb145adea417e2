//! Reads what a judge answered.

use std::collections::BTreeMap;

use super::{Criterion, Grading, Scale};
use crate::scoring::{Judgement, Score, ScorerError};
use crate::value::{Map, Value};

/// Characters of an answer that an error shows.
const EXCERPT: usize = 200;

pub(super) fn judgement(
    grading: &Grading,
    text: &str,
    read_json: impl Fn(&str) -> Option<Value>,
) -> Result<Judgement, ScorerError> {
    let object = read_json(text).and_then(|value| match value {
        Value::Map(fields) => Some(fields),
        _ => None,
    });
    let judged = match (object, grading) {
        (Some(fields), _) => of_fields(grading, &fields)?,
        (None, Grading::Scale(scale)) => {
            lone_number(text).map(|number| scaled(*scale, number)).transpose()?
        }
        (None, Grading::Labels(labels)) => lone_label(labels, text).map(labelled),
        (None, Grading::Criteria(..) | Grading::Rubric(_)) => None,
    };
    judged.ok_or_else(|| nothing(grading, text))
}

fn of_fields(grading: &Grading, fields: &Map) -> Result<Option<Judgement>, ScorerError> {
    let judged = match grading {
        Grading::Scale(scale) => number(fields, "score").map(|score| scaled(*scale, score)).transpose()?,
        Grading::Criteria(scale, criteria) => of_criteria(*scale, criteria, fields)?,
        Grading::Rubric(_) => of_rubric(fields)?,
        Grading::Labels(labels) => {
            let label = fields.get("label").map(|label| label.to_text().trim().to_owned());
            label.and_then(|label| labels.get_key_value(&label)).map(labelled)
        }
    };
    let reason = fields.get("reason").filter(|reason| **reason != Value::Null);
    Ok(judged.map(|judged| match reason {
        Some(reason) => judged.with("reason", Value::from(reason.to_text().into_owned())),
        None => judged,
    }))
}

/// The weighted mean of the criteria, each of which has to be there.
fn of_criteria(scale: Scale, criteria: &[Criterion], fields: &Map) -> Result<Option<Judgement>, ScorerError> {
    let Some(scores) = fields.get("criteria").and_then(Value::as_map) else { return Ok(None) };
    let (mut sum, mut weights, mut said) = (0.0, 0.0, Map::new());
    for Criterion { name, weight, .. } in criteria {
        let Some(score) = number(scores, name) else {
            return Err(ScorerError::new(format!("the judge gave no number for criterion `{name}`")));
        };
        sum += weight * share(scale, score)?;
        weights += weight;
        said.insert(name.clone(), Value::number(score));
    }
    let value = Score::try_new((sum / weights).clamp(0.0, 1.0)).unwrap_or(Score::ZERO);
    Ok(Some(Judgement::new(value).with("criteria", Value::Map(said))))
}

/// The score, or what `pass` says where there is none.
fn of_rubric(fields: &Map) -> Result<Option<Judgement>, ScorerError> {
    let pass = match fields.get("pass") {
        Some(Value::Bool(pass)) => Some(*pass),
        _ => None,
    };
    let score = number(fields, "score").map(|score| share(Scale::UNIT, score)).transpose()?;
    let value = score.or(pass.map(|pass| if pass { 1.0 } else { 0.0 }));
    let judged = value.map(|value| Judgement::new(Score::try_new(value).unwrap_or(Score::ZERO)));
    Ok(judged.map(|judged| match pass {
        Some(pass) => judged.with("pass", Value::Bool(pass)),
        None => judged,
    }))
}

fn labelled((label, value): (&String, &f64)) -> Judgement {
    let value = Score::try_new(*value).unwrap_or(Score::ZERO);
    Judgement::new(value).with("label", Value::from(label.as_str()))
}

fn scaled(scale: Scale, number: f64) -> Result<Judgement, ScorerError> {
    let value = Score::try_new(share(scale, number)?).unwrap_or(Score::ZERO);
    Ok(Judgement::new(value).with("score", Value::number(number)))
}

fn share(scale: Scale, number: f64) -> Result<f64, ScorerError> {
    scale.share(number).ok_or_else(|| {
        let Scale { low, high } = scale;
        ScorerError::new(format!("the judge gave {number}, which is not from {low} to {high}"))
    })
}

/// A number, also where it is written as a text.
fn number(fields: &Map, name: &str) -> Option<f64> {
    match fields.get(name)? {
        Value::Number(number) => Some(number.as_f64()),
        Value::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// The number that an answer without JSON consists of, perhaps after `score:` and before `/5`.
fn lone_number(text: &str) -> Option<f64> {
    let last = text.trim().lines().next_back()?.trim().trim_matches(['*', '_', '`', '.']);
    let named = last.rsplit([':', '=']).next()?.trim();
    let number = named.split('/').next()?.trim().trim_matches(['*', '_', '`']);
    number.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The label that an answer without JSON consists of, perhaps in brackets.
fn lone_label<'a>(labels: &'a BTreeMap<String, f64>, text: &str) -> Option<(&'a String, &'a f64)> {
    let text = text.trim().trim_matches(['(', ')', '"', '`', '*', '.']);
    labels.get_key_value(text)
}

fn nothing(grading: &Grading, text: &str) -> ScorerError {
    let wanted = match grading {
        Grading::Scale(_) => "`score`",
        Grading::Criteria(..) => "`criteria`",
        Grading::Rubric(_) => "`pass` and `score`",
        Grading::Labels(_) => "a known `label`",
    };
    let excerpt: String = text.trim().chars().take(EXCERPT).collect();
    ScorerError::new(match excerpt.as_str() {
        "" => format!("the judge answered nothing where JSON with {wanted} was asked for"),
        excerpt => format!("the judge answered no JSON with {wanted}: {}", excerpt.escape_debug()),
    })
}
