//! Writes many rows with few statements.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value as Bound};

use crate::dialect::{Dialect, Session};

/// How many rows one statement may have. With only a few sizes, statements are prepared once, and any number of rows
/// takes few statements.
const SIZES: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];

/// Rows for one table.
pub(crate) struct Rows<'a> {
    /// The statement up to `VALUES`.
    pub(crate) insert: &'a str,
    /// The statement after the rows.
    pub(crate) then: &'a str,
    pub(crate) values: Vec<Vec<Bound>>,
}

impl<C: ConnectionTrait> Session<'_, C> {
    /// Writes the rows in order.
    pub(crate) async fn insert(&self, rows: Rows<'_>) -> Result<(), DbErr> {
        self.insert_returning(rows).await.map(drop)
    }

    /// Writes the rows in order, and returns what the statements return.
    pub(crate) async fn insert_returning(&self, rows: Rows<'_>) -> Result<Vec<QueryResult>, DbErr> {
        let mut returned = Vec::new();
        let mut left = rows.values.into_iter().peekable();
        while left.peek().is_some() {
            let size = SIZES.into_iter().find(|size| *size <= left.len()).unwrap_or(1);
            let chunk: Vec<Vec<Bound>> = left.by_ref().take(size).collect();
            let columns = chunk.first().map_or(0, Vec::len);
            let sql = format!("{} {} {}", rows.insert, placeholders(self.dialect, size, columns), rows.then);
            let values = chunk.into_iter().flatten().collect();
            if rows.then.contains("RETURNING") {
                returned.extend(self.all(&sql, values).await?);
            } else {
                self.execute(&sql, values).await?;
            }
        }
        Ok(returned)
    }
}

fn placeholders(dialect: Dialect, rows: usize, columns: usize) -> String {
    let mut sql = String::with_capacity(8 + rows * (columns * 5 + 3));
    sql.push_str("VALUES ");
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        write_list(dialect, row * columns + 1, columns, &mut sql);
        sql.push(')');
    }
    sql
}

/// Appends `count` placeholders, the first of them with the number `from`. SQLite's have no numbers: see [`Dialect`].
fn write_list(dialect: Dialect, from: usize, count: usize, sql: &mut String) {
    for number in from..from + count {
        if number > from {
            sql.push(',');
        }
        // Writing to a string cannot fail.
        match dialect {
            Dialect::Sqlite => sql.push('?'),
            Dialect::Postgres => drop(write!(sql, "${number}")),
        }
    }
}

/// Splits items into chunks of a few sizes, each with its placeholders. The last chunk is filled up with copies of
/// its last item.
pub(crate) fn padded<T>(items: &[T]) -> impl Iterator<Item = (impl Iterator<Item = &T>, String)> {
    items.chunks(SIZES[0]).map(|chunk| {
        let size = SIZES.into_iter().rev().find(|size| *size >= chunk.len()).unwrap_or(SIZES[0]);
        let filler = chunk.last().into_iter().cycle().take(size - chunk.len());
        (chunk.iter().chain(filler), list(1, size))
    })
}

/// `count` placeholders, the first of them with the number `from`: `$3,$4,$5`.
pub(crate) fn list(from: usize, count: usize) -> String {
    let mut sql = String::with_capacity(count * 5);
    write_list(Dialect::Postgres, from, count, &mut sql);
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_through_the_rows() {
        assert_eq!(placeholders(Dialect::Postgres, 2, 3), "VALUES ($1,$2,$3),($4,$5,$6)");
        assert_eq!(placeholders(Dialect::Sqlite, 2, 3), "VALUES (?,?,?),(?,?,?)");
        assert_eq!(list(7, 2), "$7,$8");
    }

    #[test]
    fn lists_come_in_a_few_sizes() {
        let items: Vec<u32> = (0..131).collect();
        let chunks: Vec<(Vec<&u32>, String)> =
            padded(&items).map(|(chunk, sql)| (chunk.collect(), sql)).collect();
        assert_eq!(chunks.len(), 2);
        assert_eq!(chunks[1].0, [&128, &129, &130, &130]);
        assert_eq!(chunks[1].1, list(1, 4));
        assert_eq!(padded::<u32>(&[]).count(), 0);
    }
}
