//! What a person sees while a sweep runs.

mod repeats;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use application::sweeps::SweepView;
use domain::time::Timestamp;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::repeats::RecentLines;

/// The terminal, where log lines and a progress bar share the last line.
#[derive(Clone)]
pub(crate) struct Screen {
    bars: MultiProgress,
    /// Log lines that were written a moment ago, where repeats of them are left out.
    recent: Option<Arc<Mutex<RecentLines>>>,
}

impl Screen {
    /// `once`: a log line that was written a moment ago is not written again, so that what every run of a sweep meets is
    /// said once.
    pub(crate) fn new(once: bool) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { bars, recent: once.then(Arc::default) }
    }

    /// Writes a log line above the bar.
    pub(crate) fn log(&self, line: &[u8]) -> io::Result<usize> {
        let recent = self.recent.as_ref().and_then(|recent| recent.lock().ok());
        if recent.is_some_and(|mut recent| recent.is_repeat(line)) {
            return Ok(line.len());
        }
        self.above(|| io::stderr().write(line))
    }

    /// Writes something above the bar.
    pub(crate) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bars.suspend(write)
    }

    /// A line for a person, above the bar.
    pub(crate) fn say(&self, line: &str) {
        // Where stderr is closed nobody can be told.
        self.above(|| drop(writeln!(io::stderr(), "{line}")));
    }
}

/// How often a line is printed where there is no terminal to draw on.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// A sweep's progress.
pub(crate) struct ProgressDisplay {
    screen: Screen,
    bar: Option<ProgressBar>,
    samples: u64,
    begun: (Timestamp, u64),
    next_line: Timestamp,
}

impl ProgressDisplay {
    /// Progress of a sweep over so many samples a run, of which some may have been done before now.
    pub(crate) fn new(screen: &Screen, samples: u64, now: Timestamp, done: u64) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:24.cyan/dim} {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            screen.bars.add(ProgressBar::new(1).with_style(style.progress_chars("━━─")))
        });
        Self { screen: screen.clone(), bar, samples, begun: (now, done), next_line: now }
    }

    pub(crate) fn show(&mut self, view: &SweepView, best: Option<f64>, now: Timestamp) {
        let line = self.line(view, best, now);
        match &self.bar {
            Some(bar) => {
                bar.set_length(view.total.unwrap_or(1).saturating_mul(self.samples).max(1));
                bar.set_position(view.totals.samples);
                bar.set_message(line);
            }
            None if now >= self.next_line => {
                self.next_line = now.after(LINE_EVERY);
                self.screen.say(&line);
            }
            None => {}
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, view: &SweepView, best: Option<f64>, now: Timestamp) -> String {
        let totals = &view.totals;
        let of = view.total.map(|total| format!("/{total}")).unwrap_or_default();
        let runs =
            if of.is_empty() { count(totals.ended(), "run") } else { format!("{}{of} runs", totals.ended()) };
        let mut line = format!("{runs} · {}", count(totals.calls, "call"));
        let mut add = |part: String| line.extend([" · ", &part]);
        if totals.hits > 0 {
            add(format!("{} cached", totals.hits));
        }
        let tokens = totals.tokens.total();
        add(format!("{} token{}", short(tokens), plural(tokens)));
        if let Some(cost) = totals.cost.filter(|cost| cost.nanos() > 0) {
            add(cost.to_string());
        }
        if totals.failed > 0 {
            add(format!("{} failed", totals.failed));
        }
        if let Some(best) = best {
            add(format!("best {best:.3}"));
        }
        if let Some(left) = self.left(view, now) {
            add(format!("{} left", span(left)));
        }
        line
    }

    /// Time left, at the pace since this process began.
    fn left(&self, view: &SweepView, now: Timestamp) -> Option<Duration> {
        let (since, before) = self.begun;
        let done = view.totals.samples.checked_sub(before).filter(|done| *done > 0)?;
        let all = view.total?.saturating_mul(self.samples);
        let left = all.checked_sub(view.totals.samples).filter(|left| *left > 0)?;
        Some(now.since(since).mul_f64(left as f64 / done as f64))
    }
}

/// So many of a thing.
pub(crate) fn count(n: u64, thing: &str) -> String {
    format!("{n} {thing}{}", plural(n))
}

const fn plural(n: u64) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// A count with three digits or so.
fn short(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{:.1}k", count as f64 / 1e3),
        _ => format!("{:.1}M", count as f64 / 1e6),
    }
}

pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!([count(0, "run"), count(1, "run"), count(2, "call")], ["0 runs", "1 run", "2 calls"]);
    }

    #[test]
    fn counts_and_spans_are_short() {
        assert_eq!([short(0), short(999), short(12_345), short(2_500_000)], ["0", "999", "12.3k", "2.5M"]);
        let secs = Duration::from_secs;
        assert_eq!([span(secs(5)), span(secs(65)), span(secs(7300))], ["5 s", "1 min 5 s", "2 h 1 min"]);
    }
}
