//! Runs of a higher class stand before all of a lower one.

/// Classes of runs on a board, as `rank_class` has them; higher stands first. Whole runs have a score on most samples.
pub(crate) const WHOLE: i64 = 2;
pub(crate) const PARTIAL: i64 = 1;
pub(crate) const UNSCORED: i64 = 0;
