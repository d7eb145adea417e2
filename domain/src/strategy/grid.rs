use super::{Ask, Guide, SweepView, next};
use crate::random::Permutation;
use crate::space::Size;

/// Every combination, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// In a seeded order, so that a grid that is stopped early is a fair subset.
    pub shuffle: bool,
}

impl Guide for Grid {
    fn ask(&self, view: &SweepView<'_>, want: usize) -> Ask {
        let Size::Points(points) = view.space.size() else {
            return Ask::Evaluate(Vec::new());
        };
        let countable = u64::try_from(points).ok().filter(|points| *points <= Permutation::MAX);
        let permutation =
            countable.filter(|_| self.shuffle).map(|points| Permutation::new(view.seed, points));
        next(view, want, Some(points), |trial| {
            let index = permutation.map_or(Some(trial), |order| order.at(trial))?;
            view.space.point(u128::from(index))
        })
    }
}
