//! Time, ids, chance and waiting as the operating system and the runtime have them.

mod waiting;

use std::time::SystemTime;

use application::ports::{Chance, Clock, Ids};
use domain::time::Timestamp;

pub use waiting::{BlockingThreads, TokioTasks, TokioTimer};

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that all others ask")]
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

/// UUIDs of version 7: they begin with the time, and within a process each is larger than the one before.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    fn next(&self) -> u128 {
        #[expect(clippy::disallowed_methods, reason = "this is where all ids come from")]
        let id = uuid::Uuid::now_v7();
        id.as_u128()
    }
}

/// Random numbers of the operating system; one half where it has none to give.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn unit(&self) -> f64 {
        const HALF: u64 = 1 << 63;
        let bits = getrandom::u64().unwrap_or(HALF);
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_that_of_this_century() {
        let year = SystemClock.now().to_string()[..4].parse::<u16>().unwrap();
        assert!((2024..2100).contains(&year));
    }

    #[test]
    fn ids_are_of_version_7_and_grow() {
        let ids: Vec<u128> = (0..10_000).map(|_| SystemIds.next()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(ids.iter().all(|id| id >> 76 & 0xf == 7));
    }

    #[test]
    fn chance_is_even() {
        let all: Vec<f64> = (0..10_000).map(|_| SystemChance.unit()).collect();
        assert!(all.iter().all(|unit| (0.0..1.0).contains(unit)));
        let mean = all.iter().sum::<f64>() / 10_000.0;
        assert!((0.48..0.52).contains(&mean), "{mean}");
    }
}
