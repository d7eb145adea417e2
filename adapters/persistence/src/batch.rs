//! Writes many rows with few statements.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value as Bound};

use crate::dialect::Session;

/// Rows of a statement: a few sizes, so that the database has seen each statement before.
const SIZES: [usize; 4] = [128, 32, 8, 1];

/// Rows for one table.
pub(crate) struct Rows<'a> {
    /// What stands before the rows, up to `VALUES`.
    pub(crate) insert: &'a str,
    /// What stands behind them.
    pub(crate) then: &'a str,
    pub(crate) values: Vec<Vec<Bound>>,
}

impl<C: ConnectionTrait> Session<'_, C> {
    /// Writes rows in their order.
    pub(crate) async fn insert(&self, rows: Rows<'_>) -> Result<(), DbErr> {
        self.insert_returning(rows).await.map(drop)
    }

    /// Writes rows in their order; what the statements return.
    pub(crate) async fn insert_returning(&self, rows: Rows<'_>) -> Result<Vec<QueryResult>, DbErr> {
        let mut returned = Vec::new();
        let mut left = rows.values.into_iter().peekable();
        while left.peek().is_some() {
            let size = SIZES.into_iter().find(|size| *size <= left.len()).unwrap_or(1);
            let chunk: Vec<Vec<Bound>> = left.by_ref().take(size).collect();
            let columns = chunk.first().map_or(0, Vec::len);
            let sql = format!("{} {} {}", rows.insert, placeholders(size, columns), rows.then);
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

fn placeholders(rows: usize, columns: usize) -> String {
    let mut sql = String::from("VALUES ");
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        sql.push_str(&list(row * columns + 1, columns));
        sql.push(')');
    }
    sql
}

/// Items in chunks of a few sizes, each with its placeholders; the last chunk is filled up with its own last item.
pub(crate) fn padded<T>(items: &[T]) -> impl Iterator<Item = (impl Iterator<Item = &T>, String)> {
    items.chunks(SIZES[0]).map(|chunk| {
        let size = SIZES.into_iter().rev().find(|size| *size >= chunk.len()).unwrap_or(SIZES[0]);
        let filler = chunk.last().into_iter().cycle().take(size - chunk.len());
        (chunk.iter().chain(filler), list(1, size))
    })
}

/// Placeholders from a number on: `$3,$4,$5`.
pub(crate) fn list(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_through_the_rows() {
        assert_eq!(placeholders(2, 3), "VALUES ($1,$2,$3),($4,$5,$6)");
        assert_eq!(list(7, 2), "$7,$8");
    }

    #[test]
    fn lists_come_in_a_few_sizes() {
        let items: Vec<u32> = (0..131).collect();
        let chunks: Vec<(Vec<&u32>, String)> =
            padded(&items).map(|(chunk, sql)| (chunk.collect(), sql)).collect();
        assert_eq!(chunks.len(), 2);
        assert_eq!(chunks[1].0, [&128, &129, &130, &130, &130, &130, &130, &130]);
        assert_eq!(chunks[1].1, list(1, 8));
        assert_eq!(padded::<u32>(&[]).count(), 0);
    }
}
