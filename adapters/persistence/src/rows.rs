//! Reads columns into the domain's types.

use application::json::from_json;
use domain::id::RunId;
use domain::money::NanoDollars;
use domain::value::Value;
use sea_orm::{DbErr, QueryResult, TryGetable};

use crate::dialect::corrupt;

/// A row whose columns are read by name.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a>(pub(crate) &'a QueryResult);

impl Row<'_> {
    fn get<T: TryGetable>(self, column: &str) -> Result<T, DbErr> {
        self.0.try_get("", column)
    }

    pub(crate) fn text(self, column: &str) -> Result<String, DbErr> {
        self.get(column)
    }

    pub(crate) fn maybe_text(self, column: &str) -> Result<Option<String>, DbErr> {
        self.get(column)
    }

    pub(crate) fn id(self, column: &str) -> Result<u128, DbErr> {
        Ok(self.get::<uuid::Uuid>(column)?.as_u128())
    }

    pub(crate) fn maybe_id(self, column: &str) -> Result<Option<u128>, DbErr> {
        Ok(self.get::<Option<uuid::Uuid>>(column)?.map(|id| id.as_u128()))
    }

    pub(crate) fn run_id(self, column: &str) -> Result<RunId, DbErr> {
        self.id(column).map(RunId::new)
    }

    pub(crate) fn whole(self, column: &str) -> Result<i64, DbErr> {
        self.get(column)
    }

    pub(crate) fn maybe_whole(self, column: &str) -> Result<Option<i64>, DbErr> {
        self.get(column)
    }

    pub(crate) fn count(self, column: &str) -> Result<u64, DbErr> {
        u64::try_from(self.whole(column)?).map_err(|_| corrupt(format!("{column} is negative")))
    }

    pub(crate) fn small(self, column: &str) -> Result<u32, DbErr> {
        u32::try_from(self.whole(column)?).map_err(|_| corrupt(format!("{column} is out of range")))
    }

    pub(crate) fn maybe_real(self, column: &str) -> Result<Option<f64>, DbErr> {
        self.get(column)
    }

    pub(crate) fn maybe_money(self, column: &str) -> Result<Option<NanoDollars>, DbErr> {
        Ok(self.maybe_whole(column)?.map(NanoDollars::new))
    }

    pub(crate) fn bytes(self, column: &str) -> Result<Vec<u8>, DbErr> {
        self.get(column)
    }

    pub(crate) fn maybe_bytes(self, column: &str) -> Result<Option<Vec<u8>>, DbErr> {
        self.get(column)
    }

    pub(crate) fn json(self, column: &str) -> Result<Value, DbErr> {
        self.get(column).map(from_json)
    }

    pub(crate) fn maybe_json(self, column: &str) -> Result<Option<Value>, DbErr> {
        Ok(self.get::<Option<serde_json::Value>>(column)?.map(from_json))
    }

    pub(crate) fn raw_json(self, column: &str) -> Result<String, DbErr> {
        Ok(self.get::<serde_json::Value>(column)?.to_string())
    }

    pub(crate) fn maybe_raw_json(self, column: &str) -> Result<Option<String>, DbErr> {
        Ok(self.get::<Option<serde_json::Value>>(column)?.map(|json| json.to_string()))
    }
}

/// Reads rows one after the other.
pub(crate) fn read_all<T>(
    rows: &[QueryResult],
    read: impl Fn(Row<'_>) -> Result<T, DbErr>,
) -> Result<Vec<T>, DbErr> {
    rows.iter().map(|row| read(Row(row))).collect()
}
