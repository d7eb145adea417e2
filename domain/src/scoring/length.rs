//! Judges the length of an output.

use super::options::Options;
use super::{Judgement, Score};
use crate::text_unit::TextUnit;
use crate::value::Value;

/// Bounds of the length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Length {
    /// The unit.
    pub unit: TextUnit,
    /// The shortest accepted length.
    pub min: Option<u64>,
    /// The longest accepted length.
    pub max: Option<u64>,
}

impl Length {
    pub(super) fn read(options: &mut Options<'_>) -> Option<Self> {
        let unit = options.word("unit", &TextUnit::WORDS, Some("characters"));
        let (min, max) = (options.count("min"), options.count("max"));
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            options.wrong("min", "out_of_range", format!("min {min} is above max {max}: swap them"));
        }
        if min.is_none() && max.is_none() && !options.may_come(&["min", "max"]) {
            options.wrong("max", "missing", "give min, max or both: any length would do otherwise");
        }
        let unit = TextUnit::parse(unit?)?;
        Some(Self { unit, min, max })
    }

    /// 1 within the bounds; outside them length / min or max / length.
    pub(super) fn evaluate(&self, output: &str) -> Judgement {
        let length = self.unit.count(output);
        let ratio = |part: u64, whole: u64| Score::try_new(part as f64 / whole as f64).unwrap_or(Score::ZERO);
        let value = match (self.min, self.max) {
            (Some(min), _) if length < min => ratio(length, min),
            (_, Some(max)) if length > max => ratio(max, length),
            _ => Score::ONE,
        };
        Judgement::new(value).with("length", Value::from(length))
    }
}
