//! The contracts of all stores, on both databases.

/// Runs a test on both databases.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite { $(#[tokio::test] async fn $name() { super::$name(promptlooper_tests::support::home::Kind::Sqlite).await; })+ }
        mod postgres { $(#[tokio::test] async fn $name() { super::$name(promptlooper_tests::support::home::Kind::Postgres).await; })+ }
    };
}

mod boards;
mod calls;
mod decisions;
mod definitions;
mod endpoints;
mod facts;
pub(super) mod fixture;
mod marks;
mod migration;
mod runs;
mod sweeps;
mod wholeness;
