use super::{Guide, History, Proposal, next};
use crate::random::Permutation;
use crate::space::Size;

/// Every combination, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Uses a seeded order, so that a grid that is stopped early is a representative subset.
    pub shuffle: bool,
}

impl Guide for Grid {
    fn propose(&self, history: &History<'_>, want: usize) -> Proposal {
        let Size::Points(points) = history.space.size() else {
            return Proposal::Steps(Vec::new());
        };
        let countable = u64::try_from(points).ok().filter(|points| *points <= Permutation::MAX);
        let permutation =
            countable.filter(|_| self.shuffle).map(|points| Permutation::new(history.seed, points));
        next(history, want, Some(points), |trial| {
            let index = permutation.map_or(Some(trial), |order| order.at(trial))?;
            history.space.point(u128::from(index))
        })
    }
}
