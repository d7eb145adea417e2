//! Reads and writes ratings, and what outputs are made from again, as rows hold them.

use std::time::Duration;

use application::ports::Recall;
use domain::money::NanoDollars;
use domain::scoring::Score;
use domain::scoring::rating::{Rating, RatingValue, Stars};
use domain::value::{Map, Value};
use sea_orm::DbErr;

use crate::dialect::{Dialect, corrupt};
use crate::rows::Row;

/// Writes what a stage's output is made from again, as [`recall`] reads it.
pub(crate) fn recall_map(recall: &Recall) -> Map {
    let latency = u64::try_from(recall.latency.as_micros()).unwrap_or(u64::MAX);
    let cost = recall.cost.map(|cost| ("cost_nano", Value::from(cost.nanos())));
    let fields = [("output", recall.output.clone()), ("latency_us", Value::from(latency))];
    fields.into_iter().chain(cost).map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(crate) fn recall(value: &Value) -> Option<Recall> {
    let fields = value.as_map()?;
    let latency = fields.get("latency_us")?.as_number()?.as_u64()?;
    let cost = fields.get("cost_nano").and_then(Value::as_number).and_then(domain::value::Number::as_i64);
    Some(Recall {
        output: fields.get("output")?.clone(),
        latency: Duration::from_micros(latency),
        cost: cost.map(NanoDollars::new),
    })
}

/// A rating's kind, its scorer's name and its value, as they are stored.
pub(crate) fn rating_columns(value: &RatingValue) -> (&'static str, Option<String>, f64, Map) {
    match value {
        RatingValue::Thumb(_) => ("thumb", None, value.score().value(), Map::new()),
        RatingValue::Stars(stars) => ("stars", None, f64::from(stars.number()), Map::new()),
        RatingValue::Posted { scorer, score, metadata } => {
            ("posted", Some(scorer.clone()), score.value(), metadata.clone())
        }
    }
}

pub(crate) fn rating(row: Row<'_>, dialect: Dialect) -> Result<Rating, DbErr> {
    let value = row.maybe_real("value")?.unwrap_or_default();
    let stars =
        || (1_u32..=5).find(|stars| f64::from(*stars) >= value).map(u64::from).and_then(Stars::try_new);
    let value = match row.text("kind")?.as_str() {
        "thumb" => RatingValue::Thumb(value > 0.5),
        "stars" => RatingValue::Stars(stars().ok_or_else(|| corrupt("stars"))?),
        _ => RatingValue::Posted {
            scorer: row.maybe_text("scorer_name")?.unwrap_or_default(),
            score: Score::try_new(value).map_err(corrupt)?,
            metadata: row.maybe_json("metadata")?.and_then(|map| map.as_map().cloned()).unwrap_or_default(),
        },
    };
    Ok(Rating {
        sample: row.maybe_whole("sample_index")?.and_then(|index| u32::try_from(index).ok()),
        by: row.text("by_whom")?,
        value,
        comment: row.maybe_text("comment")?,
        at: dialect.read_time(row.0, "at")?.ok_or_else(|| corrupt("a rating without its time"))?,
    })
}
