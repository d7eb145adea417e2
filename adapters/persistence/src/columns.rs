//! Columns of a statement, each written beside its value.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value as Bound};

use crate::batch::{Rows, list};
use crate::dialect::Session;

/// A column and its value.
pub(crate) type Column = (&'static str, Bound);

/// The columns that a statement writes. The same columns always give the same text, which a database prepares once.
pub(crate) struct Columns<const N: usize>(pub(crate) [Column; N]);

impl<const N: usize> Columns<N> {
    /// Their names: `a, b`.
    pub(crate) fn names(&self) -> String {
        names(&self.0)
    }

    /// The places of their values, from a number on: `$3,$4`.
    pub(crate) fn places(&self, from: usize) -> String {
        list(from, self.0.len())
    }

    /// What an update sets, with the places of the values from a number on: `a = $3, b = $4`.
    pub(crate) fn assignments(&self, from: usize) -> String {
        let of = |(place, (name, _)): (usize, &Column)| format!("{name} = ${place}");
        (from..).zip(&self.0).map(of).collect::<Vec<_>>().join(", ")
    }

    /// What an update adds to counters, with the places of the values from a number on. Adding null makes a counter null.
    pub(crate) fn increments(&self, from: usize) -> String {
        let of = |(place, (name, _)): (usize, &Column)| format!("{name} = {name} + CAST(${place} AS bigint)");
        (from..).zip(&self.0).map(of).collect::<Vec<_>>().join(", ")
    }

    /// Their values, behind those of the places before.
    pub(crate) fn values(self, before: impl IntoIterator<Item = Bound>) -> Vec<Bound> {
        before.into_iter().chain(self.0.map(|(_, value)| value)).collect()
    }

    /// The statement that inserts them as one row, and its values.
    pub(crate) fn insert(self, table: &str) -> (String, Vec<Bound>) {
        let sql = format!("INSERT INTO {table} ({}) VALUES ({})", self.names(), self.places(1));
        (sql, self.values([]))
    }
}

fn names(columns: &[Column]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl<C: ConnectionTrait> Session<'_, C> {
    /// Inserts rows into a table in their order; what the statements return. `then` follows the rows.
    pub(crate) async fn insert_rows<const N: usize>(
        &self,
        table: &str,
        rows: Vec<[Column; N]>,
        then: &str,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let insert = format!("INSERT INTO {table} ({})", names(first));
        let values = rows.into_iter().map(|row| row.map(|(_, value)| value).into()).collect();
        self.insert_returning(Rows { insert: &insert, then, values }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::whole;

    #[test]
    fn names_and_values_stay_together() {
        let columns = || Columns([("a", whole(1)), ("b", whole(2))]);
        let inserted = ("INSERT INTO t (a, b) VALUES ($1,$2)".to_owned(), vec![whole(1), whole(2)]);
        assert_eq!(columns().insert("t"), inserted);
        assert_eq!(columns().assignments(2), "a = $2, b = $3");
        let added = "a = a + CAST($2 AS bigint), b = b + CAST($3 AS bigint)";
        assert_eq!(columns().increments(2), added);
        assert_eq!(columns().values([whole(0)]), [whole(0), whole(1), whole(2)]);
    }
}
