//! Selects a page of an experiment's runs, in any order.

use application::ports::{RunFilter, RunKey, RunOrder};
use domain::id::RunId;
use sea_orm::Value as Bound;

use crate::dialect::{Dialect, id, text, whole};

/// The conditions, the order and the limit, with the values that they name.
pub(crate) fn select(
    dialect: Dialect,
    filter: RunFilter,
    order: RunOrder,
    after: Option<RunId>,
    limit: usize,
) -> (String, Vec<Bound>) {
    let mut page = Page { values: vec![], which: String::new() };
    page.and("experiment_id = ?", id(filter.experiment.bits()));
    if let Some(sweep) = filter.sweep {
        page.and("sweep_id = ?", id(sweep.bits()));
    }
    if let Some(status) = filter.status {
        page.and("status = ?", text(status.as_str()));
    }
    let key = page.key(dialect, order.by);
    let (beyond, direction) = if order.descending { ("<", "DESC") } else { (">", "ASC") };
    if let Some(after) = after {
        let condition = match &key {
            None => format!("id {beyond} ?"),
            Some(key) => format!("({key}, id) {beyond} (SELECT {key}, id FROM run WHERE id = ?)"),
        };
        page.and(&condition, id(after.bits()));
    }
    let first = key.map(|key| format!("{key} {direction}, ")).unwrap_or_default();
    let limit = page.place(whole(limit as u64));
    (format!("{} ORDER BY {first}id {direction} LIMIT {limit}", page.which), page.values)
}

struct Page {
    values: Vec<Bound>,
    which: String,
}

impl Page {
    /// The place of a value in the statement.
    fn place(&mut self, value: Bound) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// A further condition, whose question mark stands for a value.
    fn and(&mut self, condition: &str, value: Bound) {
        let place = self.place(value);
        let and = if self.which.is_empty() { "" } else { " AND " };
        self.which.push_str(and);
        self.which.push_str(&condition.replace('?', &place));
    }

    /// What runs are ordered by before their id. The score has an index; of the others all runs are looked at.
    fn key(&mut self, dialect: Dialect, by: RunKey) -> Option<String> {
        Some(match by {
            RunKey::Created => return None,
            RunKey::Score => "COALESCE(score, -1.0)".to_owned(),
            RunKey::Cost => "COALESCE(cost_nano, -1)".to_owned(),
            RunKey::Latency => "latency_ms".to_owned(),
            RunKey::Scorer(name) => {
                let name = self.place(text(name));
                let of_scorer = match dialect {
                    Dialect::Sqlite => format!(
                        "SELECT json_extract(s.value, '$.value') FROM json_each(scores) s \
                         WHERE json_extract(s.value, '$.name') = {name}"
                    ),
                    Dialect::Postgres => format!(
                        "SELECT CAST(s->>'value' AS double precision) FROM jsonb_array_elements(scores) s \
                         WHERE s->>'name' = {name}"
                    ),
                };
                format!("COALESCE(({of_scorer}), -1.0)")
            }
        })
    }
}
