//! Statements in tasks of their own, and loops in threads of their own.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbErr, ExecResult, QueryResult, Statement, Value as Bound,
};

use crate::availability::Availability;
use crate::connect::{acquiring, within};
use crate::dialect::Dialect;

/// A connection whose statements run in tasks of their own. A caller may not be polled for a while; its connection is
/// returned to the pool all the same.
pub(crate) struct Detached<'a> {
    pub(crate) connection: &'a DatabaseConnection,
    pub(crate) dialect: Dialect,
    pub(crate) availability: &'a Arc<Availability>,
    /// The time limit of a statement. The task runs until then even if its caller is dropped.
    pub(crate) limit: Duration,
}

/// A statement whose result has not arrived yet.
type PendingStatement<'a, T> = Pin<Box<dyn Future<Output = Result<T, DbErr>> + Send + 'a>>;

impl Detached<'_> {
    pub(crate) async fn execute(&self, template: &str, values: Vec<Bound>) -> Result<ExecResult, DbErr> {
        self.send(template, values, |connection, statement| connection.execute_raw(statement)).await
    }

    pub(crate) async fn all(&self, template: &str, values: Vec<Bound>) -> Result<Vec<QueryResult>, DbErr> {
        self.send(template, values, |connection, statement| connection.query_all_raw(statement)).await
    }

    pub(crate) async fn one(&self, template: &str, values: Vec<Bound>) -> Result<Option<QueryResult>, DbErr> {
        self.send(template, values, |connection, statement| connection.query_one_raw(statement)).await
    }

    async fn send<T: Send + 'static>(
        &self,
        template: &str,
        values: Vec<Bound>,
        call: fn(&DatabaseConnection, Statement) -> PendingStatement<'_, T>,
    ) -> Result<T, DbErr> {
        let (connection, availability) = (self.connection.clone(), Arc::clone(self.availability));
        let (statement, limit) = (self.dialect.statement(template, values), self.limit);
        detached(async move {
            let send = || within(limit, &availability, call(&connection, statement.clone()));
            acquiring(&connection, send).await
        })
        .await
    }
}

/// Runs a loop that sends one statement after the other, to its end. SQLite's connections answer from threads of their own:
/// those wake a thread that waits for nothing else with less effort than a task of the runtime, which other threads of it
/// may have to be woken for. PostgreSQL's answers come from the runtime.
pub(crate) fn in_background(dialect: Dialect, work: impl Future<Output = ()> + Send + 'static) {
    match dialect {
        Dialect::Sqlite => {
            let runtime = tokio::runtime::Handle::current();
            std::thread::spawn(move || runtime.block_on(work));
        }
        Dialect::Postgres => drop(tokio::spawn(work)),
    }
}

/// Runs a future to its end in a task of its own.
pub(crate) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
) -> Result<T, DbErr> {
    tokio::spawn(work).await.unwrap_or_else(|error| Err(DbErr::Custom(error.to_string())))
}
