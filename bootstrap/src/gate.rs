//! Conditions that a winner must meet.

use std::fmt;
use std::str::FromStr;

use application::leaderboard::Row;
use domain::problem::unknown;

/// A condition such as `score>=0.85`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gate {
    subject: String,
    operator: Operator,
    bound: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtLeast,
    AtMost,
    Above,
    Below,
    Equal,
}

impl Operator {
    /// Longer signs first, so that `>=` is not read as `>`.
    const SIGNS: [(&'static str, Self); 5] = [
        (">=", Self::AtLeast),
        ("<=", Self::AtMost),
        ("==", Self::Equal),
        (">", Self::Above),
        ("<", Self::Below),
    ];

    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::AtLeast => value >= bound,
            Self::AtMost => value <= bound,
            Self::Above => value > bound,
            Self::Below => value < bound,
            Self::Equal => (value - bound).abs() < 1e-12,
        }
    }
}

impl FromStr for Gate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is not a condition: write one like score>=0.85, latency_ms<500 or SCORER>0.9")
        };
        let split =
            Operator::SIGNS.iter().find_map(|(sign, operator)| Some((text.split_once(sign)?, *operator)));
        let ((subject, bound), operator) = split.ok_or_else(wrong)?;
        let bound = bound.trim().parse::<f64>().ok().filter(|bound| bound.is_finite()).ok_or_else(wrong)?;
        let subject = subject.trim().to_owned();
        if subject.is_empty() { Err(wrong()) } else { Ok(Self { subject, operator, bound }) }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = Operator::SIGNS
            .iter()
            .find(|(_, operator)| *operator == self.operator)
            .map_or("", |(sign, _)| sign);
        write!(f, "{} {sign} {}", self.subject, self.bound)
    }
}

impl Gate {
    /// Whether the name is one that a winner has: one of its own figures, or a scorer's.
    pub(crate) fn check(&self, scorers: &[&str]) -> Result<(), String> {
        let figures = ["score", "ci_low", "cost", "latency_ms"];
        let known = figures.iter().chain(scorers).any(|name| *name == self.subject);
        if known {
            return Ok(());
        }
        let names = figures.iter().chain(scorers).copied();
        Err(format!("--gate: {}", unknown("figure", &self.subject, names)))
    }

    /// Why the winner misses it, where it does.
    pub(crate) fn missed_by(&self, winner: Option<&Row>) -> Option<String> {
        let Some(row) = winner else { return Some(format!("{self}: there is no winner")) };
        match self.value(row) {
            Some(value) if self.operator.holds(value, self.bound) => None,
            Some(value) => Some(format!("{self}: it is {value:.4}")),
            None => Some(format!("{self}: it is not known")),
        }
    }

    fn value(&self, row: &Row) -> Option<f64> {
        match self.subject.as_str() {
            "score" => row.standing.score,
            "ci_low" => row.standing.interval.map(|interval| interval.low),
            "cost" => row.cost_per_sample(),
            "latency_ms" => row.latency_per_sample(),
            name => row.run.scores.iter().find(|total| total.name == name)?.value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_read_back() {
        for (text, shown) in
            [("score>=0.85", "score >= 0.85"), (" latency_ms < 500", "latency_ms < 500"), ("a==1", "a == 1")]
        {
            assert_eq!(text.parse::<Gate>().unwrap().to_string(), shown);
        }
        for wrong in ["", "score", "score=1", ">=1", "score>=x", "score>=NaN"] {
            assert!(wrong.parse::<Gate>().is_err(), "{wrong} was accepted");
        }
    }

    #[test]
    fn operators_mean_what_they_say() {
        for (operator, below, equal, above) in [
            (Operator::AtLeast, false, true, true),
            (Operator::AtMost, true, true, false),
            (Operator::Above, false, false, true),
            (Operator::Below, true, false, false),
            (Operator::Equal, false, true, false),
        ] {
            assert_eq!([0.1, 0.5, 0.9].map(|value| operator.holds(value, 0.5)), [below, equal, above]);
        }
    }
}
