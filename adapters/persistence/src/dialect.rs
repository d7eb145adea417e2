//! The differences between the two databases.

use std::time::Duration;

use application::json::to_json;
use application::ports::StoreError;
use domain::time::Timestamp;
use domain::value::{Map, Value};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement, Value as Bound,
};

use crate::fault::reason;

/// One of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The dialect of a connection.
    pub(crate) fn of(connection: &DatabaseConnection) -> Self {
        match connection.get_database_backend() {
            DbBackend::Postgres => Self::Postgres,
            _ => Self::Sqlite,
        }
    }

    pub(crate) const fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
        }
    }

    /// SQL for this dialect. Markers: `{now}` is the database's clock, `{in:$1}` the time `$1` milliseconds from now,
    /// and `{for update}`, `{for share}`, `{lock t}` and `{lock t skip}` are row locks, which only PostgreSQL has.
    pub(crate) fn sql(self, template: &str) -> String {
        match self {
            Self::Sqlite => sqlite(template),
            Self::Postgres => postgres(template),
        }
    }

    pub(crate) fn statement(self, template: &str, values: Vec<Bound>) -> Statement {
        let sql = if template.contains('{') { self.sql(template) } else { template.to_owned() };
        let (sql, values) = match self {
            Self::Sqlite if sql.contains('$') => anonymous(&sql, values),
            Self::Sqlite | Self::Postgres => (sql, values),
        };
        Statement::from_sql_and_values(self.backend(), sql, values)
    }

    /// Reads a time.
    pub(crate) fn read_time(self, row: &QueryResult, column: &str) -> Result<Option<Timestamp>, DbErr> {
        Ok(match self {
            Self::Sqlite => row.try_get::<Option<i64>>("", column)?.map(Timestamp::from_micros),
            Self::Postgres => row
                .try_get::<Option<chrono::DateTime<chrono::Utc>>>("", column)?
                .map(|at| Timestamp::from_micros(at.timestamp_micros())),
        })
    }
}

const SQLITE_NOW: &str = "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)";

fn sqlite(template: &str) -> String {
    let mut sql =
        template.replace("{now}", SQLITE_NOW).replace("{for update}", "").replace("{for share}", "");
    replace_each(&mut sql, "{lock ", |_| String::new());
    replace_each(&mut sql, "{in:", |parameter| format!("({SQLITE_NOW} + {parameter} * 1000)"));
    sql
}

/// Replaces each marker that starts with `begin` by `with` of its content.
fn replace_each(sql: &mut String, begin: &str, with: impl Fn(&str) -> String) {
    while let Some((before, rest)) = sql.split_once(begin) {
        let Some((content, after)) = rest.split_once('}') else { break };
        *sql = format!("{before}{}{after}", with(content));
    }
}

/// The row lock of a table alias, as in `{lock t}`; with `skip`, rows that are locked already are skipped.
fn row_lock(content: &str) -> String {
    match content.strip_suffix(" skip") {
        Some(alias) => format!("FOR UPDATE OF {alias} SKIP LOCKED"),
        None => format!("FOR UPDATE OF {content}"),
    }
}

/// Replaces each `$n` by `?`, and puts the values in the order of their use. SQLite searches its list of named
/// parameters from the start for each one, so a statement of many rows would take quadratic time.
fn anonymous(sql: &str, values: Vec<Bound>) -> (String, Vec<Bound>) {
    let mut anonymous = String::with_capacity(sql.len());
    let mut order = Vec::with_capacity(values.len());
    let mut pieces = sql.split('$');
    anonymous.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        match piece[..digits].parse::<usize>() {
            Ok(number) if (1..=values.len()).contains(&number) => {
                anonymous.push('?');
                order.push(number - 1);
                anonymous.push_str(&piece[digits..]);
            }
            _ => {
                anonymous.push('$');
                anonymous.push_str(piece);
            }
        }
    }
    if order.iter().copied().eq(0..values.len()) {
        return (anonymous, values);
    }
    let values = order.into_iter().map(|at| values[at].clone()).collect();
    (anonymous, values)
}

fn postgres(template: &str) -> String {
    let mut sql = template
        .replace("{now}", "clock_timestamp()")
        .replace("{for update}", "FOR UPDATE")
        .replace("{for share}", "FOR SHARE");
    replace_each(&mut sql, "{lock ", row_lock);
    replace_each(&mut sql, "{in:", |parameter| {
        format!("(clock_timestamp() + {parameter} * interval '1 millisecond')")
    });
    sql
}

/// A connection or transaction with its dialect.
pub(crate) struct Session<'a, C> {
    pub(crate) connection: &'a C,
    pub(crate) dialect: Dialect,
}

// A derived implementation would require `C: Clone`.
impl<C> Clone for Session<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Session<'_, C> {}

impl<C: ConnectionTrait> Session<'_, C> {
    pub(crate) async fn execute(&self, template: &str, values: Vec<Bound>) -> Result<ExecResult, DbErr> {
        self.connection.execute_raw(self.dialect.statement(template, values)).await
    }

    pub(crate) async fn all(&self, template: &str, values: Vec<Bound>) -> Result<Vec<QueryResult>, DbErr> {
        self.connection.query_all_raw(self.dialect.statement(template, values)).await
    }

    pub(crate) async fn one(&self, template: &str, values: Vec<Bound>) -> Result<Option<QueryResult>, DbErr> {
        self.connection.query_one_raw(self.dialect.statement(template, values)).await
    }
}

/// Converts a database error to the error of a port.
pub(crate) fn failed(error: DbErr) -> StoreError {
    match error {
        DbErr::Type(_) | DbErr::Json(_) | DbErr::Custom(_) => StoreError::Corrupt(error.to_string()),
        other => StoreError::Unavailable(reason(&other)),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(crate) fn corrupt(what: impl ToString) -> DbErr {
    DbErr::Custom(what.to_string())
}

pub(crate) fn text(text: impl Into<String>) -> Bound {
    Bound::String(Some(text.into()))
}

pub(crate) fn maybe_text(text: Option<String>) -> Bound {
    Bound::String(text)
}

pub(crate) fn id(bits: u128) -> Bound {
    Bound::Uuid(Some(uuid::Uuid::from_u128(bits)))
}

pub(crate) fn maybe_id(bits: Option<u128>) -> Bound {
    Bound::Uuid(bits.map(uuid::Uuid::from_u128))
}

pub(crate) fn whole(number: impl TryInto<i64>) -> Bound {
    Bound::BigInt(Some(number.try_into().unwrap_or(i64::MAX)))
}

pub(crate) fn maybe_whole<N: TryInto<i64>>(number: Option<N>) -> Bound {
    Bound::BigInt(number.map(|number| number.try_into().unwrap_or(i64::MAX)))
}

pub(crate) fn maybe_real(number: Option<f64>) -> Bound {
    Bound::Double(number.filter(|number| !number.is_nan()))
}

pub(crate) fn bytes(bytes: Vec<u8>) -> Bound {
    Bound::Bytes(Some(bytes))
}

pub(crate) fn json(value: &Value) -> Bound {
    Bound::Json(Some(Box::new(to_json(value))))
}

/// A map as JSON; NULL where it is empty.
pub(crate) fn maybe_json(map: &Map) -> Bound {
    Bound::Json((!map.is_empty()).then(|| Box::new(to_json(&Value::Map(map.clone())))))
}

pub(crate) fn raw_json(text: &str) -> Result<Bound, DbErr> {
    Ok(Bound::Json(Some(serde_json::from_str(text).map_err(corrupt)?)))
}

pub(crate) fn milliseconds(span: Duration) -> Bound {
    whole(span.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_s_parameters_have_no_names() {
        let values = vec![whole(1), whole(2), whole(3)];
        let in_order = anonymous("VALUES ($1,$2),($3)", values.clone());
        assert_eq!(in_order, ("VALUES (?,?),(?)".to_owned(), values.clone()));
        let (sql, used) = anonymous("a = $3 AND b = json_extract(c, '$.d') AND e IN ($1,$3)", values);
        assert_eq!(sql, "a = ? AND b = json_extract(c, '$.d') AND e IN (?,?)");
        assert_eq!(used, [whole(3), whole(1), whole(3)]);
    }
}
