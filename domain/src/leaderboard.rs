//! Ranks runs, with confidence intervals, and marks those that do not differ significantly from the first.

use std::cmp::Ordering;

use crate::id::RunId;
use crate::statistics::{
    Comparison, DRAWS, Interval, compare, holm, interval_of_mean, mean, probability_best, shrunk,
    standard_error,
};

/// A finished run on the board.
#[derive(Debug, Clone, PartialEq)]
pub struct Contender {
    /// The run.
    pub run: RunId,
    /// The weighted score of each sample of the experiment in the samples' order, averaged over repetitions; NaN
    /// where there is none.
    pub scores: Vec<f64>,
    /// Repetitions of each sample.
    pub repeats: u32,
}

/// A run's place on the board.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// The run.
    pub run: RunId,
    /// The score that ranks it: the mean over its samples. For a partial run, the leader's mean plus the difference
    /// on the samples that both have.
    pub score: Option<f64>,
    /// The 95 % interval of the score.
    pub interval: Option<Interval>,
    /// Samples with a score.
    pub n: usize,
    /// Samples of the experiment.
    pub n_total: usize,
    /// Fewer than nine tenths of its samples have a score.
    pub partial: bool,
    /// The score shrunk towards the mean of all, because the best of many scores is biased upwards. Whole runs only.
    pub score_shrunk: Option<f64>,
    /// It does not differ significantly from the first at the 5 % level, corrected for the number of runs (Holm).
    pub ties_best: bool,
    /// The probability that it is the best of the runs that have a score on every sample.
    pub p_best: Option<f64>,
}

/// The number of runs that are compared with the leader. Runs after them do not tie with it.
pub const COMPARED: usize = 50;
/// The seed of the bootstrap, so that the same board has the same numbers wherever it is computed.
const SEED: u64 = 0x1ead_e4b0_a4d5_eed5;

/// Ranks runs, best first: whole runs by their mean, then partial ones, then those without a score; among equals,
/// older runs first. `others` are the means of further whole runs, which the scores are shrunk towards too.
#[must_use]
pub fn standings(contenders: &[Contender], others: &[f64]) -> Vec<Standing> {
    let mut ranked: Vec<(Standing, &Contender)> =
        contenders.iter().map(|contender| (alone(contender), contender)).collect();
    ranked.sort_by(|(a, _), (b, _)| order(a, b));
    if let Some((first, leader)) = ranked.first().copied() {
        for (standing, contender) in ranked.iter_mut().skip(1).filter(|(standing, _)| standing.partial) {
            follow(standing, &compare(&contender.scores, &leader.scores), first.score);
        }
        ranked.sort_by(|(a, _), (b, _)| order(a, b));
    }
    shrink(&mut ranked, others);
    mark_ties(&mut ranked);
    mark_best(&mut ranked);
    ranked.into_iter().map(|(standing, _)| standing).collect()
}

/// The standing of a run without comparison to others.
fn alone(contender: &Contender) -> Standing {
    let scored = scored(contender);
    Standing {
        run: contender.run,
        score: mean(&scored),
        interval: interval_of_mean(&scored, contender.repeats),
        n: scored.len(),
        n_total: contender.scores.len(),
        partial: is_partial(scored.len(), contender.scores.len()),
        score_shrunk: None,
        ties_best: false,
        p_best: None,
    }
}

/// Whether so few of a run's samples have a score that it cannot lead: fewer than nine tenths.
#[must_use]
pub const fn is_partial(scored: usize, samples: usize) -> bool {
    scored * 10 < samples * 9
}

fn scored(contender: &Contender) -> Vec<f64> {
    contender.scores.iter().copied().filter(|score| !score.is_nan()).collect()
}

fn order(a: &Standing, b: &Standing) -> Ordering {
    let class = |standing: &Standing| (standing.score.is_none(), standing.partial);
    let score = |standing: &Standing| standing.score.unwrap_or(0.0);
    class(a).cmp(&class(b)).then(score(b).total_cmp(&score(a))).then(a.run.cmp(&b.run))
}

/// Places a partial run by its difference to the leader.
fn follow(standing: &mut Standing, to_leader: &Comparison, leader: Option<f64>) {
    let Some(leader) = leader.filter(|_| to_leader.n > 0) else { return };
    let shifted = |diff: f64| (leader + diff).clamp(0.0, 1.0);
    standing.score = Some(shifted(to_leader.diff));
    standing.interval = to_leader
        .interval
        .map(|interval| Interval { low: shifted(interval.low), high: shifted(interval.high) });
}

fn shrink(ranked: &mut [(Standing, &Contender)], others: &[f64]) {
    let whole: Vec<(usize, f64, f64)> = ranked
        .iter()
        .enumerate()
        .filter(|(_, (standing, _))| !standing.partial)
        .filter_map(|(i, (standing, contender))| {
            Some((i, standing.score?, standard_error(&scored(contender)).unwrap_or(0.0)))
        })
        .collect();
    let (mut means, errors): (Vec<f64>, Vec<f64>) =
        whole.iter().map(|(_, mean, error)| (*mean, *error)).unzip();
    means.extend(others);
    // All runs share one standard error: a run with equal scores on all samples is not more certain than the others.
    let squares = mean(&errors.iter().map(|error| error * error).collect::<Vec<_>>());
    let pooled = vec![squares.unwrap_or(0.0).sqrt(); means.len()];
    for ((i, ..), value) in whole.iter().zip(shrunk(&means, &pooled)) {
        ranked[*i].0.score_shrunk = Some(value);
    }
}

/// Marks the ties. Two runs tie if there is not enough data to distinguish them.
fn mark_ties(ranked: &mut [(Standing, &Contender)]) {
    const LEVEL: f64 = 0.05;
    let Some((_, leader)) = ranked.first().copied() else { return };
    let others = ranked.iter_mut().take(COMPARED).skip(1).filter(|(standing, _)| standing.score.is_some());
    let mut compared: Vec<(&mut Standing, f64)> = others
        .map(|(standing, contender)| {
            let p = compare(&contender.scores, &leader.scores).p.unwrap_or(1.0);
            (standing, p)
        })
        .collect();
    let adjusted = holm(&compared.iter().map(|(_, p)| *p).collect::<Vec<_>>());
    for ((standing, _), p) in compared.iter_mut().zip(adjusted) {
        standing.ties_best = p >= LEVEL;
    }
    ranked[0].0.ties_best = ranked.iter().skip(1).any(|(standing, _)| standing.ties_best);
}

fn mark_best(ranked: &mut [(Standing, &Contender)]) {
    let mut complete: Vec<&mut (Standing, &Contender)> = ranked
        .iter_mut()
        .take(COMPARED)
        .filter(|(standing, _)| standing.n == standing.n_total && standing.n > 0)
        .collect();
    let rows: Vec<Vec<f64>> = complete.iter().map(|(_, contender)| contender.scores.clone()).collect();
    for ((standing, _), p) in
        complete.iter_mut().map(|pair| &mut **pair).zip(probability_best(&rows, DRAWS, SEED))
    {
        standing.p_best = Some(p);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(n: u128, scores: &[f64]) -> Contender {
        Contender { run: RunId::new(n), scores: scores.to_vec(), repeats: 1 }
    }

    fn order_of(contenders: &[Contender]) -> Vec<u128> {
        standings(contenders, &[]).iter().map(|standing| standing.run.bits()).collect()
    }

    const NAN: f64 = f64::NAN;

    #[test]
    fn whole_runs_come_before_partial_ones_and_those_before_runs_without_a_score() {
        let board = [
            run(1, &[NAN; 4]),
            run(2, &[0.2; 4]),
            run(3, &[0.9, 0.9, NAN, NAN]),
            run(4, &[0.6; 4]),
            run(5, &[0.6; 4]),
        ];
        assert_eq!(order_of(&board), [4, 5, 2, 3, 1]);
        let partial = standings(&board, &[])[3];
        assert!(partial.partial);
        assert_eq!((partial.n, partial.n_total), (2, 4));
    }

    #[test]
    fn a_partial_run_is_judged_on_the_samples_it_shares_with_the_leader() {
        // Both saw the easy half only; one of them was better than the leader there.
        let leader = run(1, &[1.0, 1.0, 0.0, 0.2]);
        let better = run(2, &[1.0, 1.0, NAN, NAN]);
        let worse = run(3, &[0.8, 0.8, NAN, NAN]);
        let board = standings(&[better, worse, leader], &[]);
        assert_eq!(board.iter().map(|standing| standing.run.bits()).collect::<Vec<_>>(), [1, 2, 3]);
        assert!((board[1].score.unwrap() - 0.55).abs() < 1e-12, "{:?}", board[1]);
        assert!((board[2].score.unwrap() - 0.35).abs() < 1e-12, "{:?}", board[2]);
    }

    #[test]
    fn runs_that_do_not_differ_from_the_first_are_marked() {
        let base: Vec<f64> = (0..20).map(|i| f64::from(i % 7) / 10.0).collect();
        let shifted = |by: f64, jitter: f64| -> Vec<f64> {
            base.iter()
                .enumerate()
                .map(|(i, score)| score + by + if i % 2 == 0 { jitter } else { -jitter })
                .collect()
        };
        let board = standings(
            &[run(1, &shifted(0.3, 0.0)), run(2, &shifted(0.299, 0.05)), run(3, &shifted(0.0, 0.02))],
            &[],
        );
        assert_eq!(board.iter().map(|standing| standing.ties_best).collect::<Vec<_>>(), [true, true, false]);
        assert!(board[0].p_best > board[2].p_best);
        assert_eq!(board[2].p_best, Some(0.0));
        let clear = standings(&[run(1, &shifted(0.3, 0.0)), run(3, &shifted(0.0, 0.02))], &[]);
        assert!(!clear[0].ties_best);
    }

    #[test]
    fn the_best_of_many_is_shrunk() {
        let noisy = |n: u128, mean: f64| run(n, &[mean - 0.3, mean + 0.3, mean, mean - 0.1, mean + 0.1]);
        let board = standings(&[noisy(1, 0.6), noisy(2, 0.5), noisy(3, 0.45), noisy(4, 0.4)], &[]);
        assert!(board[0].score_shrunk < board[0].score);
        assert!(board[3].score_shrunk > board[3].score);
        let behind = standings(&[noisy(1, 0.6), noisy(2, 0.5)], &[0.45, 0.4]);
        for (compared, all) in behind.iter().zip(&board) {
            let (compared, all) = (compared.score_shrunk.unwrap(), all.score_shrunk.unwrap());
            assert!((compared - all).abs() < 1e-12, "runs that are not compared count too");
        }
    }

    proptest! {
        #[test]
        fn every_run_has_a_rank_of_its_own(
            rows in proptest::collection::vec(proptest::collection::vec(proptest::option::weighted(0.8, 0.0..=1.0_f64), 6), 0..8),
        ) {
            let board: Vec<Contender> = rows
                .iter()
                .zip(1..)
                .map(|(row, n)| run(n, &row.iter().map(|score| score.unwrap_or(NAN)).collect::<Vec<_>>()))
                .collect();
            let found = standings(&board, &[]);
            let runs: std::collections::BTreeSet<RunId> = found.iter().map(|standing| standing.run).collect();
            prop_assert_eq!((runs.len(), found.len()), (board.len(), board.len()));
            let whole = |standing: &&Standing| !standing.partial && standing.score.is_some();
            let best = board.iter().filter_map(|contender| Some(alone(contender)).filter(|s| whole(&s))?.score);
            let best = best.fold(None, |best: Option<f64>, score| Some(best.map_or(score, |best| best.max(score))));
            if let Some(best) = best {
                prop_assert_eq!(found[0].score, Some(best));
            }
            for standing in &found {
                prop_assert!(standing.score.is_none_or(|score| (0.0..=1.0).contains(&score)));
            }
        }

        #[test]
        fn a_worse_run_changes_nothing_at_the_top(scores in proptest::collection::vec(0.2..=1.0_f64, 6..12)) {
            let top = run(1, &scores);
            let worse = run(2, &scores.iter().map(|score| score - 0.2).collect::<Vec<_>>());
            prop_assert_eq!(order_of(&[worse, top]), [1, 2]);
        }
    }
}
