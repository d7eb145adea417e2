//! The laws of a sweep, tested with arbitrary histories of workers, commands, takeovers and observations.

use proptest::prelude::*;

use super::super::*;
use crate::id::RunId;
use crate::run::RunStatus;
use crate::space::Point;
use crate::strategy::{BlockOutcome, Proposal, Step, Trial, TrialChange, Trials, Work};

const WINDOW: u64 = 4;
const SAMPLES: usize = 8;
/// The numbers of samples after which a trial is judged.
const RUNGS: [usize; 3] = [2, 5, SAMPLES];

/// The input of the guide, with the lengths of the logs that it is based on.
struct GuideView {
    trials: Trials,
    decisions: usize,
}

/// An independent model of a sweep: what is stored, and a conductor.
struct Model {
    status: SweepStatus,
    supply: u64,
    decisions: Vec<(u64, TrialChange)>,
    blocks: Vec<BlockOutcome>,
    stored: Trials,
    /// The conductor, while the sweep is running.
    sweep: Option<(Sweep, Trials)>,
    shown: Vec<GuideView>,
    /// The guide waits, and there is nothing new since.
    quiet: bool,
}

impl Model {
    fn new(supply: u64) -> Self {
        let mut model = Self {
            status: SweepStatus::Running,
            supply,
            decisions: Vec::new(),
            blocks: Vec::new(),
            stored: Trials::default(),
            sweep: None,
            shown: Vec::new(),
            quiet: false,
        };
        model.take_over();
        model
    }

    /// Another process takes over, and reads the logs from their beginning.
    fn take_over(&mut self) {
        if self.status != SweepStatus::Running {
            return;
        }
        let trials = replay(&self.decisions, &self.blocks);
        if let Some((_, held)) = &self.sweep {
            let news = self.blocks.iter().filter(|block| block.seq > held.seen());
            let mut held = held.clone();
            for block in news {
                held.told(block).unwrap();
            }
            assert_eq!(held, trials, "a recovered sweep differs from an undisturbed one");
        }
        self.sweep = Some((Sweep::new(trials.counts(), WINDOW, SAMPLES), trials));
        self.quiet = false;
        self.look(true);
    }

    /// The conductor observes the sweep; if `told`, it reads the log first.
    fn look(&mut self, told: bool) {
        let Some((mut sweep, mut trials)) = self.sweep.take() else { return };
        let news: Vec<&BlockOutcome> =
            self.blocks.iter().filter(|block| told && block.seq > trials.seen()).collect();
        let told = !news.is_empty();
        for block in news {
            trials.told(block).unwrap();
        }
        self.quiet &= !told;
        let mut next = sweep.observe(SweepFact::Looked { counts: trials.counts(), told }, trials.as_slice());
        while let Some(step) = next.take() {
            next = self.carry_out(step, &mut sweep, &mut trials);
        }
        if self.status == SweepStatus::Running {
            self.sweep = Some((sweep, trials));
        }
    }

    fn carry_out(&mut self, next: Next, sweep: &mut Sweep, trials: &mut Trials) -> Option<Next> {
        match next {
            Next::Ask { want } => {
                assert!(!self.quiet, "asked again though nothing happened");
                assert!(want > 0 && want as u64 <= WINDOW);
                self.shown.push(GuideView { trials: trials.clone(), decisions: self.decisions.len() });
                let proposal = propose(trials, self.supply);
                self.quiet = proposal == Proposal::Wait;
                sweep.observe(SweepFact::Proposed(proposal), trials.as_slice())
            }
            Next::Launch(plan) => {
                self.launch(&plan, trials);
                sweep.observe(SweepFact::Looked { counts: trials.counts(), told: false }, trials.as_slice())
            }
            Next::Complete(reason) => {
                self.status = SweepStatus::Completed(reason);
                None
            }
        }
    }

    fn launch(&mut self, plan: &Plan, trials: &mut Trials) {
        assert_eq!(self.status, SweepStatus::Running, "launched while nothing may begin");
        assert!(!plan.is_empty());
        let duplicates: Vec<u64> =
            plan.new.iter().map(|work| work.trial).filter(|trial| trial % 7 == 3).collect();
        let ended: Vec<RunStatus> = plan.end.iter().map(|(_, end)| status(*end)).collect();
        for (trial, change) in plan.changes(&duplicates, &ended) {
            if let TrialChange::End(_) = change {
                let stored = &self.stored.as_slice()[usize::try_from(trial).unwrap()];
                assert!(!stored.is_pending(), "ended while samples were under way");
            }
            self.stored.decided(trial, change.clone()).unwrap();
            trials.decided(trial, change.clone()).unwrap();
            self.decisions.push((trial, change));
        }
        assert!(self.stored.counts().pending() <= WINDOW, "more under way than the window");
    }

    /// A worker processes some samples of a trial, and ends its run with the last one.
    fn work(&mut self, which: usize, samples: usize, broken: bool) {
        let pending: Vec<u64> = (0..)
            .zip(self.stored.as_slice())
            .filter(|(_, trial)| trial.is_pending())
            .map(|(no, _)| no)
            .collect();
        let Some(no) = pending.get(which % pending.len().max(1)).copied() else { return };
        let trial = &self.stored.as_slice()[usize::try_from(no).unwrap()];
        let done = trial.scores.len();
        let upto = if broken { done } else { trial.asked.min(done + samples) };
        let end =
            if broken { Some(RunStatus::Failed) } else { (upto == SAMPLES).then_some(RunStatus::Completed) };
        let block = BlockOutcome {
            seq: self.blocks.len() as u64 + 1,
            run: RunId::new(u128::from(no)),
            trial: no,
            upto,
            scores: (done..upto).map(|sample| score(no, sample)).collect(),
            failures: 0,
            end,
        };
        self.stored.told(&block).unwrap();
        self.blocks.push(block);
    }

    fn store(&mut self, transition: Option<Transition>) {
        let Some(transition) = transition else { return };
        assert!(!self.status.is_over(), "moved after its end");
        self.status = transition.status;
        match self.status {
            SweepStatus::Running => self.take_over(),
            _ => self.sweep = None,
        }
    }

    fn step(&mut self, step: u8, which: usize) {
        match step {
            0..=3 => self.work(which, 1 + which % 3, false),
            4 => self.work(which, 0, true),
            5 => self.look(true),
            6 => self.look(false),
            7 => self.store(self.status.command(Command::Pause { now: false }).ok()),
            8 => self.store(self.status.command(Command::Resume).ok()),
            9 => self.take_over(),
            _ => self.store(self.status.interrupted(&Interruption::BudgetExhausted)),
        }
    }
}

/// The trials according to both logs, read from their beginning.
fn replay(decisions: &[(u64, TrialChange)], blocks: &[BlockOutcome]) -> Trials {
    let mut trials = Trials::default();
    for (trial, change) in decisions {
        trials.decided(*trial, change.clone()).unwrap();
    }
    for block in blocks {
        trials.told(block).unwrap();
    }
    trials
}

fn status(end: TrialEnd) -> RunStatus {
    match end {
        TrialEnd::Completed => RunStatus::Completed,
        TrialEnd::Pruned { .. } => RunStatus::Pruned,
    }
}

/// An arbitrary score, with as many digits as real ones.
fn score(trial: u64, sample: usize) -> f64 {
    crate::random::unit(trial, crate::random::Purpose::Coordinate, sample as u64)
}

/// A racing guide that sometimes proposes invalid steps too.
fn propose(trials: &Trials, supply: u64) -> Proposal {
    let trials = trials.as_slice();
    let work = |trial: u64, up_to| Work { trial, point: Point::default(), up_to, why: "race" };
    let mut steps = vec![
        Step::Evaluate(work(trials.len() as u64 + 5, 3)),
        Step::Evaluate(work(0, 1)),
        Step::Evaluate(work(trials.len() as u64, 0)),
    ];
    let begun = trials.len() as u64;
    for (no, trial) in (0..).zip(trials) {
        let mean = trial.scores.iter().sum::<f64>() / trial.scores.len() as f64;
        match RUNGS.iter().find(|rung| **rung > trial.asked) {
            // Some trials continue together once all have begun, and some never continue.
            _ if no % 8 == 6 || no % 2 == 0 && begun < supply => {}
            // Some trials continue before they have all requested samples.
            Some(rung) if trial.is_pending() && no % 3 == 0 => steps.push(Step::Evaluate(work(no, *rung))),
            Some(rung) if trial.is_resting() && (no % 2 == 0 || mean >= 0.5) => {
                steps.push(Step::Evaluate(work(no, *rung + 9)));
            }
            _ if no % 5 == 1 => steps.push(Step::Complete { trial: no }),
            _ => steps.push(Step::Prune { trial: no, diff: mean - 0.5 }),
        }
    }
    steps.extend((begun..supply).map(|trial| Step::Evaluate(work(trial, RUNGS[0]))));
    let undecided = (0..).zip(trials).any(|(no, trial)| trial.is_resting() && no % 8 != 6);
    match trials.iter().any(Trial::is_pending) {
        _ if begun < supply || undecided => Proposal::Steps(steps),
        true => Proposal::Wait,
        false => Proposal::Done(Reason::Converged),
    }
}

proptest! {
    #[test]
    fn any_history_keeps_the_window_and_begins_each_trial_once_and_ends(
        supply in 0_u64..30,
        steps in prop::collection::vec((0_u8..11, 0_usize..9), 0..160),
    ) {
        let mut model = Model::new(supply);
        for (step, which) in steps {
            model.step(step, which);
        }
        for round in 0..40 * supply + 4 {
            model.step(8, 0);
            model.work(usize::try_from(round).unwrap(), 3, false);
            model.look(true);
        }
        prop_assert!(matches!(model.status, SweepStatus::Completed(_)), "never ended: {:?}", model.sweep);
        let counts = model.stored.counts();
        prop_assert_eq!((counts.asked, counts.open()), (supply, 0), "a run was left open");
    }

    #[test]
    fn a_replay_shows_the_guide_what_it_saw(
        steps in prop::collection::vec((0_u8..11, 0_usize..9), 0..160),
    ) {
        let mut model = Model::new(20);
        for (step, which) in steps {
            model.step(step, which);
        }
        for shown in &model.shown {
            let seen = model.blocks.iter().filter(|block| block.seq <= shown.trials.seen()).cloned();
            let replayed = replay(&model.decisions[..shown.decisions], &seen.collect::<Vec<_>>());
            prop_assert_eq!(&replayed, &shown.trials);
        }
    }

    #[test]
    fn a_stopped_sweep_does_nothing_more(steps in prop::collection::vec((0_u8..11, 0_usize..9), 0..60)) {
        let mut model = Model::new(30);
        let stopped = model.status.command(Command::Stop).unwrap();
        prop_assert_eq!(stopped, Transition { status: SweepStatus::Stopped, recall: false, cancel: true });
        model.store(Some(stopped));
        let decisions = model.decisions.len();
        for (step, which) in steps {
            model.step(step, which);
        }
        prop_assert_eq!(model.decisions.len(), decisions);
    }
}
