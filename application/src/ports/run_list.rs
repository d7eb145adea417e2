use std::fmt;
use std::str::FromStr;

use domain::id::{ExperimentId, RunId, SweepId};
use domain::run::RunStatus;
use domain::value::Value;

/// Which runs are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFilter {
    /// Of this experiment.
    pub experiment: ExperimentId,
    /// Of one sweep.
    pub sweep: Option<SweepId>,
    /// With one status.
    pub status: Option<RunStatus>,
    /// For each of these dimensions with one of these values.
    pub values: Vec<(String, Vec<Value>)>,
}

impl RunFilter {
    /// All runs of an experiment.
    #[must_use]
    pub const fn all(experiment: ExperimentId) -> Self {
        Self { experiment, sweep: None, status: None, values: Vec::new() }
    }

    /// Whether it leaves any run out.
    #[must_use]
    pub const fn is_selective(&self) -> bool {
        self.sweep.is_some() || self.status.is_some() || !self.values.is_empty()
    }
}

/// A number that a run has once it has come to an end that can be ranked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metric {
    /// Mean weighted score.
    Score,
    /// The mean of one scorer, by its name.
    Scorer(String),
    /// US dollars, cached calls included.
    Cost,
    /// Latency of all calls together, in milliseconds.
    Latency,
    /// US dollars for one sample asked once.
    CostPerSample,
    /// Milliseconds for one sample asked once.
    LatencyPerSample,
}

/// What a list of runs is ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunKey {
    /// When they were made.
    Created,
    /// Their rank, best first: whole runs by score, then partial ones, then those without a score; older ones first among
    /// equals. It has one direction, and ranks nothing but what is listed on the board.
    Rank,
    /// A metric.
    Metric(Metric),
    /// The value of a dimension, by its name: numbers, then texts.
    Value(String),
}

/// The order of a list of runs. Those that have nothing to be ordered by come last either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOrder {
    /// What it goes by.
    pub by: RunKey,
    /// The largest first, and the last made first among equals.
    pub descending: bool,
}

impl RunOrder {
    /// The last made first.
    pub const NEWEST: Self = Self { by: RunKey::Created, descending: true };
    /// The best first.
    pub const RANK: Self = Self { by: RunKey::Rank, descending: true };
}

/// What a run is ordered by, at a place in a list.
#[derive(Debug, Clone, PartialEq)]
pub enum PlaceKey {
    /// A rank: class and score.
    Rank(i64, f64),
    /// A metric.
    Metric(f64),
    /// A value, as the store spells it.
    Value(String),
    /// Nothing: it stands among those that come last, or the list is ordered by age.
    Absent,
}

/// A place in a list of runs: right behind a run that stood there with this key, whatever has become of it since.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPlace {
    /// What it was ordered by.
    pub key: PlaceKey,
    /// The run.
    pub run: RunId,
}

/// A wish for a page of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunQuery {
    /// Which runs.
    pub filter: RunFilter,
    /// In which order.
    pub order: RunOrder,
    /// From which place on.
    pub after: Option<ListPlace>,
    /// The most runs to claim.
    pub limit: usize,
}

/// A page of runs. It may hold fewer than were asked for, even none, and yet not be the last one: a store looks at a bounded
/// number of runs for each page.
#[derive(Debug, Clone, PartialEq)]
pub struct RunListing<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins.
    pub next: Option<ListPlace>,
}

impl fmt::Display for ListPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            PlaceKey::Rank(class, score) => write!(f, "r{class}-{:x}", score.to_bits())?,
            PlaceKey::Metric(number) => write!(f, "m{:x}", number.to_bits())?,
            PlaceKey::Value(key) => {
                f.write_str("v")?;
                key.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))?;
            }
            PlaceKey::Absent => f.write_str("a")?,
        }
        write!(f, ".{}", self.run)
    }
}

/// A text that is no place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPlace;

impl FromStr for ListPlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (key, run) = text.split_once('.').ok_or(NoPlace)?;
        let run = run.parse().map_err(|_| NoPlace)?;
        Ok(Self { key: key_of(key).ok_or(NoPlace)?, run })
    }
}

fn key_of(text: &str) -> Option<PlaceKey> {
    let rest = text.get(1..)?;
    Some(match text.get(..1)? {
        "r" => {
            let (class, score) = rest.split_once('-')?;
            PlaceKey::Rank(class.parse().ok()?, real(score)?)
        }
        "m" => PlaceKey::Metric(real(rest)?),
        "v" => PlaceKey::Value(text_of(rest)?),
        "a" if rest.is_empty() => PlaceKey::Absent,
        _ => return None,
    })
}

fn real(hex: &str) -> Option<f64> {
    u64::from_str_radix(hex, 16).ok().map(f64::from_bits).filter(|number| number.is_finite())
}

fn text_of(hex: &str) -> Option<String> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(byte).collect();
    String::from_utf8(bytes?).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_back() {
        let keys = [
            PlaceKey::Rank(2, 0.75),
            PlaceKey::Metric(-0.1),
            PlaceKey::Value("té.x".to_owned()),
            PlaceKey::Value(String::new()),
            PlaceKey::Absent,
        ];
        for key in keys {
            let place = ListPlace { key, run: RunId::new(7) };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        let run = RunId::new(7);
        for wrong in ["", "x", "a", "ax.", "m.", "m7ff0000000000000.", "v0.", "vzz.", "r1."] {
            assert_eq!(wrong.parse::<ListPlace>(), Err(NoPlace), "{wrong}");
            assert_eq!(format!("{wrong}{run}x").parse::<ListPlace>(), Err(NoPlace), "{wrong}");
        }
        assert_eq!(format!("m7ff0000000000000.{run}").parse::<ListPlace>(), Err(NoPlace), "infinite");
    }
}
