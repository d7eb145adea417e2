//! Classifies database errors for callers that write.

use sea_orm::sqlx::Error as SqlError;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::sqlite::SqliteError;
use sea_orm::{DbErr, RuntimeErr};

/// The cause of an error, by what a caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The statement or its values are wrong: the same would fail again.
    Refused,
    /// Another transaction was in the way: an immediate retry may succeed.
    Contended,
    /// The database's disk is full or cannot be written.
    Disk,
    /// The database could not be reached, or did not answer.
    Unreachable,
}

impl Cause {
    /// The cause of an error.
    pub(crate) fn of(error: &DbErr) -> Self {
        match error {
            DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error))
            | DbErr::Conn(RuntimeErr::SqlxError(error)) => match &**error {
                SqlError::Database(error) => of_answer(&**error),
                SqlError::Encode(_) | SqlError::ColumnDecode { .. } | SqlError::Decode(_) => Self::Refused,
                _ => Self::Unreachable,
            },
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) | DbErr::Exec(_) | DbErr::Query(_) => {
                Self::Unreachable
            }
            _ => Self::Refused,
        }
    }
}

fn of_answer(error: &dyn DatabaseError) -> Cause {
    let Some(code) = error.code() else { return Cause::Refused };
    if error.try_downcast_ref::<SqliteError>().is_some() { of_sqlite(&code) } else { of_postgres(&code) }
}

/// SQLite's result codes (sqlite.org/rescode.html); the primary code is in the low byte.
fn of_sqlite(code: &str) -> Cause {
    match code.parse::<i32>().unwrap_or_default() & 0xff {
        // BUSY, LOCKED
        5 | 6 => Cause::Contended,
        // READONLY, IOERR, FULL, CANTOPEN
        8 | 10 | 13 | 14 => Cause::Disk,
        // PERM, NOMEM, INTERRUPT, PROTOCOL
        3 | 7 | 9 | 15 => Cause::Unreachable,
        _ => Cause::Refused,
    }
}

/// PostgreSQL's error codes (its manual, appendix A).
fn of_postgres(code: &str) -> Cause {
    match code {
        // Serialization failure, deadlock, lock not available.
        "40001" | "40P01" | "55P03" => Cause::Contended,
        // Disk full, I/O error, read-only transaction (a standby, or a server that ran out of room).
        "53100" | "58030" | "25006" => Cause::Disk,
        code => match &code[..code.len().min(2)] {
            // Connection, resources, operator intervention, system error, rollback, invalid transaction state.
            "08" | "53" | "57" | "58" | "40" | "25" => Cause::Unreachable,
            _ => Cause::Refused,
        },
    }
}

/// The text of an error, for people.
pub(crate) fn reason(error: &DbErr) -> String {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return "it does not answer: no connection could be had".to_owned();
    }
    match Cause::of(error) {
        Cause::Disk => format!("nothing can be written to the database's disk: make room on it ({error})"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_are_classified() {
        for (code, cause) in [
            ("13", Cause::Disk),
            ("778", Cause::Disk),
            ("5", Cause::Contended),
            ("2067", Cause::Refused),
            ("1", Cause::Refused),
        ] {
            assert_eq!(of_sqlite(code), cause, "SQLite's {code}");
        }
        for (code, cause) in [
            ("53100", Cause::Disk),
            ("40P01", Cause::Contended),
            ("57P01", Cause::Unreachable),
            ("08006", Cause::Unreachable),
            ("23505", Cause::Refused),
            ("22P05", Cause::Refused),
        ] {
            assert_eq!(of_postgres(code), cause, "PostgreSQL's {code}");
        }
    }

    #[test]
    fn errors_of_our_own_are_refusals() {
        assert_eq!(Cause::of(&DbErr::Custom("run status".into())), Cause::Refused);
        assert_eq!(Cause::of(&DbErr::Conn(RuntimeErr::Internal("gone".into()))), Cause::Unreachable);
    }
}
