//! Limits repeated log lines.

use std::time::Duration;

use tokio::time::Instant;

/// The least time between two log lines about the same kind of error.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Decides when an error is logged again.
#[derive(Debug, Default)]
pub(super) struct LogThrottle {
    last: Option<Instant>,
    unsaid: u64,
}

impl LogThrottle {
    /// Counts an error. Returns the count since the last log line, if it is to be logged now.
    pub(super) fn due(&mut self) -> Option<u64> {
        self.unsaid += 1;
        if self.last.is_some_and(|last| last.elapsed() < LOG_INTERVAL) {
            return None;
        }
        self.last = Some(Instant::now());
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_errors_are_logged_at_intervals() {
        let mut throttle = LogThrottle::default();
        let said: Vec<_> = (0..3).map(|_| throttle.due()).collect();
        assert_eq!(said, [Some(1), None, None]);
        throttle.last = Instant::now().checked_sub(LOG_INTERVAL);
        assert_eq!(throttle.due(), Some(3));
    }
}
