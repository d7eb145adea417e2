use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::space::Point;

/// What must hold of a sweep, kept apart from what the sweep says of itself.
struct Model {
    sweep: Sweep,
    may_launch: bool,
    supply: u64,
    launched: BTreeSet<u64>,
    ended: u64,
    over: Option<SweepStatus>,
}

const WINDOW: u64 = 4;

impl Model {
    fn new(supply: u64) -> Self {
        let sweep = Sweep::new(SweepStatus::Running, Counts::default(), WINDOW);
        let mut model =
            Self { sweep, may_launch: true, supply, launched: BTreeSet::new(), ended: 0, over: None };
        let actions = model.sweep.begin();
        model.carry_out(actions);
        model
    }

    fn ask(&self, want: usize) -> Ask {
        let next = self.launched.len() as u64;
        let left = self.supply - next;
        if left == 0 {
            return Ask::Done(Reason::AllRuns);
        }
        let work = |trial| Work { trial, point: Point::default(), up_to: 1 };
        Ask::Evaluate((next..next + left.min(want as u64)).map(work).collect())
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Ask { want } => {
                    let answer = self.ask(want);
                    let next = self.sweep.observe(Outcome::Asked(answer));
                    self.carry_out(next);
                }
                Action::Launch(work) => self.launch(&work),
                Action::Move(status) => self.moved(status),
                Action::Recall | Action::Cancel => {}
            }
        }
    }

    fn launch(&mut self, work: &[Work]) {
        assert!(self.may_launch, "launched while nothing may begin");
        for work in work {
            assert!(self.launched.insert(work.trial), "trial {} twice", work.trial);
        }
        assert!(self.launched.len() as u64 - self.ended <= WINDOW, "more open than the window");
        let next = self.sweep.begin();
        self.carry_out(next);
    }

    fn moved(&mut self, status: SweepStatus) {
        assert_eq!(self.over, None, "moved after its end");
        self.may_launch = status == SweepStatus::Running;
        self.over = status.is_over().then_some(status);
    }

    fn step(&mut self, step: u8) {
        let open = self.launched.len() as u64 - self.ended;
        let actions = match step {
            0..=3 if open > 0 => {
                self.ended += 1;
                self.sweep.observe(Outcome::Ended { runs: 1, failed: u64::from(step == 0) })
            }
            4 => self.sweep.command(Command::Pause { now: false }).unwrap_or_default(),
            5 => self.sweep.command(Command::Resume).unwrap_or_default(),
            6 => self.sweep.observe(Outcome::BudgetExhausted),
            7 => self.sweep.observe(Outcome::EndpointBroken),
            8 => self.sweep.observe(Outcome::Asked(self.ask(usize::MAX))),
            _ => Vec::new(),
        };
        self.carry_out(actions);
    }
}

proptest! {
    #[test]
    fn any_history_keeps_the_window_launches_once_and_a_fed_sweep_ends(
        supply in 0_u64..40,
        steps in prop::collection::vec(0_u8..10, 0..120),
    ) {
        let mut model = Model::new(supply);
        for step in steps {
            model.step(step);
        }
        for _ in 0..3 * supply + 3 {
            model.step(5);
            model.step(1);
        }
        prop_assert!(matches!(model.over, Some(SweepStatus::Completed(_))), "never ended: {:?}", model.sweep);
        prop_assert_eq!(model.launched.len() as u64, supply);
    }

    #[test]
    fn a_stopped_sweep_does_nothing_more(steps in prop::collection::vec(0_u8..10, 0..60)) {
        let mut model = Model::new(30);
        let actions = model.sweep.command(Command::Stop).unwrap();
        prop_assert_eq!(&actions, &vec![Action::Move(SweepStatus::Stopped), Action::Cancel]);
        model.carry_out(actions);
        let launched = model.launched.len();
        for step in steps {
            model.step(step);
        }
        prop_assert_eq!(model.launched.len(), launched);
    }
}

#[test]
fn commands_are_taken_only_where_they_fit() {
    let at = |status| Sweep::new(status, Counts::default(), 1);
    let paused = SweepStatus::Paused(PauseReason::Manual);
    let done = SweepStatus::Completed(Reason::AllRuns);
    for (status, command, taken) in [
        (SweepStatus::Running, Command::Pause { now: true }, true),
        (SweepStatus::Running, Command::Resume, false),
        (SweepStatus::Running, Command::Stop, true),
        (paused, Command::Pause { now: false }, false),
        (paused, Command::Resume, true),
        (paused, Command::Stop, true),
        (SweepStatus::Stopped, Command::Resume, false),
        (done, Command::Stop, false),
    ] {
        let mut sweep = at(status);
        assert_eq!(sweep.command(command).is_ok(), taken, "{command:?} while {status:?}");
        assert_eq!(sweep.status() == status, !taken);
    }
    let refused = at(done).command(Command::Resume).unwrap_err();
    assert_eq!(refused.to_string(), "a sweep that is completed cannot be resumed");
}

#[test]
fn a_sweep_of_failures_says_so() {
    let mut sweep =
        Sweep::new(SweepStatus::Running, Counts { asked: 2, ended: 1, failed: 1, duplicates: 0 }, 4);
    let _ = sweep.observe(Outcome::Asked(Ask::Done(Reason::AllRuns)));
    let actions = sweep.observe(Outcome::Ended { runs: 1, failed: 1 });
    assert_eq!(actions, vec![Action::Move(SweepStatus::Completed(Reason::AllFailed))]);
}

#[test]
fn duplicates_make_room() {
    let mut sweep = Sweep::new(SweepStatus::Running, Counts { asked: 3, ..Counts::default() }, 3);
    assert_eq!(sweep.begin(), vec![]);
    assert_eq!(sweep.observe(Outcome::Duplicates(2)), vec![Action::Ask { want: 2 }]);
}
