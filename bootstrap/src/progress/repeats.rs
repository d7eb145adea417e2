//! Recognizes log lines that say what was said a moment ago.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A line is a repeat for so long.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(1);

/// Lines of the last while, without their times, and when they were first written.
#[derive(Debug, Default)]
pub(crate) struct RecentLines {
    lines: HashMap<Vec<u8>, Instant>,
}

impl RecentLines {
    /// Whether this line was written a moment ago. If not, it is remembered.
    pub(crate) fn is_repeat(&mut self, line: &[u8]) -> bool {
        self.is_repeat_at(line, Instant::now())
    }

    fn is_repeat_at(&mut self, line: &[u8], now: Instant) -> bool {
        self.lines.retain(|_, written| now.duration_since(*written) < FORGOTTEN_AFTER);
        let said = without_time(line);
        let is_repeat = self.lines.contains_key(said);
        if !is_repeat {
            self.lines.insert(said.to_owned(), now);
        }
        is_repeat
    }
}

/// A line begins with its time. As JSON it does not, but its time stands at its beginning too.
fn without_time(line: &[u8]) -> &[u8] {
    let end = if line.starts_with(b"{") { b',' } else { b' ' };
    line.iter().position(|byte| *byte == end).and_then(|end| line.get(end..)).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_once_a_minute() {
        let (mut recent, now) = (RecentLines::default(), Instant::now());
        for (seconds, line, repeats) in [
            (0, "12:00:00  WARN it is down", false),
            (1, "12:00:01  WARN it is down", true),
            (2, "12:00:02  WARN it is up", false),
            (61, "12:01:01  WARN it is down", false),
        ] {
            let at = now + Duration::from_secs(seconds);
            assert_eq!(recent.is_repeat_at(line.as_bytes(), at), repeats, "{line}");
        }
        assert!(!recent.is_repeat_at(b"{\"timestamp\":\"1\",\"m\":\"a\"}", now));
        assert!(recent.is_repeat_at(b"{\"timestamp\":\"2\",\"m\":\"a\"}", now));
    }
}
