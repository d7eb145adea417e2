//! Plans what a running sweep evaluates: asks its guide for as many trials as there is room for, and ensures that
//! every run ends.

use crate::strategy::{Proposal, Reason, Step, Trial, TrialChange, TrialCounts, Work};

/// A fact.
#[derive(Debug, Clone, PartialEq)]
pub enum SweepFact {
    /// The guide's proposal.
    Proposed(Proposal),
    /// The current state of the sweep.
    Looked {
        /// The numbers of its trials, by state.
        counts: TrialCounts,
        /// Whether a trial has new results since the last state.
        told: bool,
    },
}

/// What comes next. The sweep continues only after this has been stored or reported.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Ask the guide.
    Ask {
        /// At most so many further trials may be in progress.
        want: usize,
    },
    /// Store this as a whole, and read the state again.
    Launch(Plan),
    /// The sweep ends.
    Complete(Reason),
}

/// Decisions on a sweep's trials that are stored together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Trials that begin, in the order of their numbers, which follow those of the sweep.
    pub new: Vec<Work>,
    /// Open trials that continue with more samples.
    pub extend: Vec<Work>,
    /// Open trials that end with their present samples.
    pub end: Vec<(u64, TrialEnd)>,
}

/// The end of a trial by decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrialEnd {
    /// It has enough.
    Completed,
    /// It is behind.
    Pruned {
        /// Its mean score minus the leader's on the same samples.
        diff: f64,
    },
}

/// A running sweep, which can be rebuilt from stored data at any time.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    window: u64,
    samples: usize,
    counts: TrialCounts,
    /// The guide has nothing to propose until there are new results.
    waiting: bool,
    exhausted: Option<Reason>,
}

impl Sweep {
    /// A running sweep over this many samples, with at most `window` trials in progress at once (at least 1).
    #[must_use]
    pub fn new(counts: TrialCounts, window: u64, samples: usize) -> Self {
        Self { window: window.max(1), samples, counts, waiting: false, exhausted: None }
    }

    /// The numbers of its trials in the last known state.
    #[must_use]
    pub const fn counts(&self) -> TrialCounts {
        self.counts
    }

    /// Takes a fact. `trials` are the trials that the guide sees: none if it does not learn.
    pub fn observe(&mut self, outcome: SweepFact, trials: &[Trial]) -> Option<Next> {
        match outcome {
            SweepFact::Proposed(Proposal::Steps(steps)) => {
                let plan = self.plan(steps, trials);
                self.waiting = plan.is_empty();
                if self.waiting { None } else { Some(Next::Launch(plan)) }
            }
            SweepFact::Proposed(Proposal::Wait) => {
                self.waiting = true;
                None
            }
            SweepFact::Proposed(Proposal::Done(reason)) => {
                self.exhausted = Some(reason);
                self.next(trials)
            }
            SweepFact::Looked { counts, told } => {
                self.waiting &= !told && counts == self.counts;
                self.counts = counts;
                self.next(trials)
            }
        }
    }

    fn next(&self, trials: &[Trial]) -> Option<Next> {
        match self.exhausted {
            Some(_) if self.counts.resting > 0 => Some(Next::Launch(completed(trials))),
            Some(reason) if self.counts.open() == 0 => Some(Next::Complete(self.at_end(reason))),
            None if self.room() > 0 && !self.waiting => Some(Next::Ask { want: self.room() }),
            _ => None,
        }
    }

    const fn at_end(&self, reason: Reason) -> Reason {
        let all_failed = self.counts.ended > 0 && self.counts.failed == self.counts.ended;
        if all_failed { Reason::AllFailed } else { reason }
    }

    /// How many further trials may have samples in progress.
    fn room(&self) -> usize {
        usize::try_from(self.window.saturating_sub(self.counts.pending())).unwrap_or(usize::MAX)
    }

    /// The valid steps, as far as there is room.
    fn plan(&self, steps: Vec<Step>, trials: &[Trial]) -> Plan {
        let mut plan = Plan::default();
        let mut room = self.room();
        for step in steps {
            match step {
                Step::Evaluate(work) => self.evaluate(work, trials, &mut room, &mut plan),
                Step::Complete { trial } => plan.end(trial, TrialEnd::Completed, trials),
                Step::Prune { trial, diff } => plan.end(trial, TrialEnd::Pruned { diff }, trials),
            }
        }
        plan
    }

    fn evaluate(&self, work: Work, trials: &[Trial], room: &mut usize, plan: &mut Plan) {
        let work = Work { up_to: work.up_to.min(self.samples), ..work };
        if work.trial == self.counts.asked + plan.new.len() as u64 {
            if *room > 0 && work.up_to > 0 {
                *room -= 1;
                plan.new.push(work);
            }
            return;
        }
        let Some(trial) = trial(trials, work.trial).filter(|_| !plan.names(work.trial)) else { return };
        let goes_on = (trial.is_resting() || trial.is_pending()) && work.up_to > trial.asked;
        let takes = usize::from(trial.is_resting());
        if goes_on && takes <= *room {
            *room -= takes;
            plan.extend.push(Work { point: trial.point.clone(), ..work });
        }
    }
}

/// Ends every resting trial.
fn completed(trials: &[Trial]) -> Plan {
    let resting = (0..).zip(trials).filter(|(_, trial)| trial.is_resting());
    Plan { end: resting.map(|(no, _)| (no, TrialEnd::Completed)).collect(), ..Plan::default() }
}

fn trial(trials: &[Trial], no: u64) -> Option<&Trial> {
    trials.get(usize::try_from(no).ok()?)
}

impl Plan {
    /// Whether there are no decisions.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.new.is_empty() && self.extend.is_empty() && self.end.is_empty()
    }

    /// The change of each trial when the plan is stored. `duplicates` are the new trials without a run of their own,
    /// and `ended` gives the status with which each end was stored.
    pub fn changes<'a>(
        &'a self,
        duplicates: &'a [u64],
        ended: &'a [crate::run::RunStatus],
    ) -> impl Iterator<Item = (u64, TrialChange)> + 'a {
        let new = self.new.iter().map(move |work| {
            let duplicate = duplicates.contains(&work.trial);
            let (point, up_to) = (work.point.clone(), work.up_to);
            (work.trial, TrialChange::Begin { point, up_to, duplicate })
        });
        let extend = self.extend.iter().map(|work| (work.trial, TrialChange::Extend { up_to: work.up_to }));
        let end = self.end.iter().zip(ended).map(|((trial, _), status)| (*trial, TrialChange::End(*status)));
        new.chain(extend).chain(end)
    }

    fn names(&self, trial: u64) -> bool {
        self.extend.iter().any(|work| work.trial == trial) || self.end.iter().any(|(no, _)| *no == trial)
    }

    fn end(&mut self, no: u64, end: TrialEnd, trials: &[Trial]) {
        if trial(trials, no).is_some_and(Trial::is_resting) && !self.names(no) {
            self.end.push((no, end));
        }
    }
}
