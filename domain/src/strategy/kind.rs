//! How sweeps choose their configurations.

/// How a sweep chooses its configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SweepKind {
    /// Every combination.
    Grid {
        /// Uses a seeded order instead of the space's own.
        shuffle: bool,
    },
    /// Seeded sampling.
    Random,
}

impl SweepKind {
    /// The word for it in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grid { .. } => "grid",
            Self::Random => "random",
        }
    }
}
