mod laws;

use super::*;
use crate::run::RunStatus;
use crate::space::Point;
use crate::strategy::TrialCounts;
use crate::strategy::{Proposal, Trial, TrialState};

#[test]
fn commands_are_taken_only_where_they_fit() {
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
        assert_eq!(status.command(command).is_ok(), taken, "{command:?} while {status:?}");
    }
    let refused = done.command(Command::Resume).unwrap_err();
    assert_eq!(refused.to_string(), "a sweep that is completed cannot be resumed");
}

#[test]
fn only_a_running_sweep_pauses_itself() {
    let stuck = Interruption::Stuck("no endpoint".into());
    let paused = SweepStatus::Paused(PauseReason::Human);
    let recalled = Transition { recall: true, ..Transition::to(paused) };
    assert_eq!(SweepStatus::Running.interrupted(&stuck), Some(recalled));
    assert_eq!(paused.interrupted(&stuck), None);
    assert_eq!(SweepStatus::Stopped.interrupted(&Interruption::EndpointBroken), None);
}

/// A sweep of a guide that does not learn.
fn counted(counts: TrialCounts) -> Sweep {
    Sweep::new(counts, 4, 9)
}

fn looked(sweep: &mut Sweep, counts: TrialCounts) -> Option<Next> {
    sweep.observe(SweepFact::Looked { counts, told: false }, &[])
}

#[test]
fn a_sweep_without_a_success_ends_as_all_failed() {
    let counts = TrialCounts { asked: 2, ended: 1, failed: 1, ..TrialCounts::default() };
    let mut sweep = counted(counts);
    assert_eq!(sweep.observe(SweepFact::Proposed(Proposal::Done(Reason::AllRuns)), &[]), None);
    let next = looked(&mut sweep, TrialCounts { ended: 2, failed: 2, ..counts });
    assert_eq!(next, Some(Next::Complete(Reason::AllFailed)));
}

#[test]
fn duplicates_make_room() {
    let counts = TrialCounts { asked: 4, ..TrialCounts::default() };
    let mut sweep = counted(counts);
    assert_eq!(looked(&mut sweep, counts), None);
    assert_eq!(looked(&mut sweep, TrialCounts { duplicates: 2, ..counts }), Some(Next::Ask { want: 2 }));
}

#[test]
fn a_guide_that_waits_is_asked_again_only_when_something_happened() {
    let counts = TrialCounts { asked: 3, resting: 1, ..TrialCounts::default() };
    let mut sweep = counted(counts);
    assert_eq!(looked(&mut sweep, counts), Some(Next::Ask { want: 2 }));
    assert_eq!(sweep.observe(SweepFact::Proposed(Proposal::Wait), &[]), None);
    assert_eq!(looked(&mut sweep, counts), None, "nothing happened");
    let told = sweep.observe(SweepFact::Looked { counts, told: true }, &[]);
    assert_eq!(told, Some(Next::Ask { want: 2 }));
    let _ = sweep.observe(SweepFact::Proposed(Proposal::Steps(vec![])), &[]);
    assert_eq!(looked(&mut sweep, counts), None, "nothing was proposed");
    assert_eq!(looked(&mut sweep, TrialCounts { ended: 1, ..counts }), Some(Next::Ask { want: 3 }));
}

#[test]
fn open_trials_are_completed_at_the_end() {
    let resting = Trial {
        point: Point::default(),
        asked: 2,
        scores: vec![0.5, 1.0],
        failures: 0,
        state: TrialState::Open,
    };
    let pending = Trial { asked: 3, ..resting.clone() };
    let mut trials = vec![resting, pending];
    let counts = TrialCounts { asked: 2, resting: 1, ..TrialCounts::default() };
    let mut sweep = counted(counts);
    let next = sweep.observe(SweepFact::Proposed(Proposal::Done(Reason::Converged)), &trials);
    let end = Plan { end: vec![(0, TrialEnd::Completed)], ..Plan::default() };
    assert_eq!(next, Some(Next::Launch(end)));
    trials[0].state = TrialState::Ended(RunStatus::Completed);
    let counts = TrialCounts { ended: 1, resting: 0, ..counts };
    assert_eq!(sweep.observe(SweepFact::Looked { counts, told: false }, &trials), None, "one is under way");
    trials[1].scores.push(0.0);
    let counts = TrialCounts { resting: 1, ..counts };
    let next = sweep.observe(SweepFact::Looked { counts, told: true }, &trials);
    assert!(matches!(next, Some(Next::Launch(plan)) if plan.end == [(1, TrialEnd::Completed)]));
}
