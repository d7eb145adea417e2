//! Classes of runs on a board: all runs of a higher class rank before those of a lower one.

/// Values of the column `rank_class`. Whole runs have a score on most samples.
pub(crate) const WHOLE: i64 = 2;
pub(crate) const PARTIAL: i64 = 1;
pub(crate) const UNSCORED: i64 = 0;
