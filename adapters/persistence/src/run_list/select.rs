//! Builds the statements that read pages of runs.

use application::ports::{ListPlace, PlaceKey, RunKey, RunQuery};
use domain::id::SweepId;
use sea_orm::Value as Bound;

use super::entries::directions;
use super::unranked;
use crate::dialect::{id, text, whole};
use crate::figures::{metric_name, value_key};

/// What is read of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunProjection {
    /// The columns, of a run with alias `r`.
    pub(crate) columns: &'static str,
    /// Whether only runs on the board are read.
    pub(crate) listed: bool,
}

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Runs with a sort key.
    Keyed,
    /// Runs without one, by age.
    Keyless,
}

impl Part {
    /// Whether a place with this key belongs to this part.
    pub(super) const fn holds(self, key: &PlaceKey) -> bool {
        matches!((self, key), (Self::Keyless, PlaceKey::Absent))
            || matches!(self, Self::Keyed) && !matches!(key, PlaceKey::Absent)
    }
}

/// Builds the statements of one page.
pub(super) struct Select<'a> {
    pub(super) query: &'a RunQuery,
    pub(super) shown: RunProjection,
    /// The number of a filter that leaves few runs.
    pub(super) few: Option<usize>,
}

/// A statement under construction, with its values.
#[derive(Default)]
pub(super) struct Statement {
    values: Vec<Bound>,
}

impl Statement {
    /// Adds a value, and returns its placeholder.
    pub(super) fn place(&mut self, value: Bound) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }
}

impl Select<'_> {
    /// The number of filters that might leave few runs.
    pub(super) fn filters(&self) -> usize {
        let filter = &self.query.filter;
        usize::from(filter.sweep.is_some()) + usize::from(filter.status.is_some()) + filter.values.len()
    }

    /// Whether every entry of the index is shown, so that only as many are read as the page has.
    pub(super) fn is_exact(&self, part: Part) -> bool {
        let (filter, by) = (&self.query.filter, &self.query.order.by);
        let others = filter.sweep.is_some() || !filter.values.is_empty();
        let unlisted = self.shown.listed && *by != RunKey::Rank;
        let exact = match part {
            Part::Keyed => filter.status.is_none(),
            // The index by status is ordered by age.
            Part::Keyless => {
                *by == RunKey::Created || matches!(by, RunKey::Metric(_)) && unranked(self.query)
            }
        };
        exact && !others && !unlisted
    }

    /// Counts the runs that pass a filter, up to a limit.
    pub(super) fn count(&self, filter: usize, limit: usize) -> (String, Vec<Bound>) {
        let mut statement = Statement::default();
        let runs = self.filtered(&mut statement, filter);
        let limit = statement.place(whole(limit));
        let sql =
            format!("SELECT count(*) AS n FROM (SELECT f.run_id FROM ({runs}) f LIMIT {limit}) limited");
        (sql, statement.values)
    }

    /// A page of a part: from `window` entries of its index those that pass the filters, at most `wanted`.
    pub(super) fn page(
        &self,
        part: Part,
        after: Option<&ListPlace>,
        window: usize,
        wanted: usize,
    ) -> (String, Vec<Bound>) {
        let mut statement = Statement::default();
        let few = self.few_runs(&mut statement);
        let entries = self.entries(&mut statement, part, after, window);
        let filters = self.conditions(&mut statement, part);
        let limit = statement.place(whole(wanted));
        let order = self.order(part);
        // The columns of a run are read only once it is known to be on the page.
        let sql = format!(
            "{few} SELECT p.*, {} FROM (SELECT k.* FROM ({entries}) k JOIN run r ON r.id = k.sort_run {filters} \
             ORDER BY {} LIMIT {limit}) p JOIN run r ON r.id = p.sort_run ORDER BY {}",
            self.shown.columns,
            order.replace("{}", "k"),
            order.replace("{}", "p"),
        );
        (sql, statement.values)
    }

    /// The last entry of a full window.
    pub(super) fn last_of_window(
        &self,
        part: Part,
        after: Option<&ListPlace>,
        window: usize,
    ) -> (String, Vec<Bound>) {
        let mut statement = Statement::default();
        let entries = self.entries(&mut statement, part, after, window);
        let skipped = statement.place(whole(window - 1));
        let order = self.order(part).replace("{}", "k");
        (format!("SELECT k.* FROM ({entries}) k ORDER BY {order} LIMIT 1 OFFSET {skipped}"), statement.values)
    }

    /// The ids of the few runs that a filter leaves.
    fn few_runs(&self, statement: &mut Statement) -> String {
        let runs = self.few.map(|filter| self.filtered(statement, filter));
        runs.map_or_else(String::new, |runs| format!("WITH few AS MATERIALIZED ({runs})"))
    }

    /// The ids of the runs that pass one filter.
    fn filtered(&self, statement: &mut Statement, number: usize) -> String {
        let filter = &self.query.filter;
        let experiment = id(filter.experiment.bits());
        let mut before = 0;
        if let Some(sweep) = filter.sweep {
            if number == before {
                let sweep = statement.place(id(sweep.bits()));
                return format!("SELECT id AS run_id FROM run WHERE sweep_id = {sweep}");
            }
            before += 1;
        }
        let experiment = statement.place(experiment);
        if let Some(status) = filter.status {
            if number == before {
                let status = statement.place(text(status.as_str()));
                return format!(
                    "SELECT id AS run_id FROM run WHERE experiment_id = {experiment} AND status = {status}"
                );
            }
            before += 1;
        }
        let (name, keys) = self.value_filter(statement, number - before);
        format!(
            "SELECT run_id FROM run_value WHERE experiment_id = {experiment} AND name = {name} AND value IN ({keys})"
        )
    }

    /// The placeholders of a dimension's name and of the requested values.
    fn value_filter(&self, statement: &mut Statement, number: usize) -> (String, String) {
        let (name, values) = &self.query.filter.values[number];
        let name = statement.place(text(name.as_str()));
        let keys: Vec<String> = values.iter().map(|value| statement.place(text(value_key(value)))).collect();
        (name, keys.join(","))
    }

    /// The conditions that a run has to meet.
    fn conditions(&self, statement: &mut Statement, part: Part) -> String {
        let filter = &self.query.filter;
        let mut all = Vec::new();
        if self.shown.listed {
            all.push("r.listed = 1".to_owned());
        }
        if let Some(sweep) = filter.sweep {
            all.push(format!("r.sweep_id = {}", statement.place(id(SweepId::bits(sweep)))));
        }
        if let Some(status) = filter.status {
            all.push(format!("r.status = {}", statement.place(text(status.as_str()))));
        }
        for number in 0..filter.values.len() {
            let (name, keys) = self.value_filter(statement, number);
            all.push(format!(
                "EXISTS (SELECT 1 FROM run_value v WHERE v.run_id = r.id AND v.name = {name} AND v.value IN ({keys}))"
            ));
        }
        all.extend(self.keyless(statement, part));
        if all.is_empty() { String::new() } else { format!("WHERE {}", all.join(" AND ")) }
    }

    /// The condition that a run has no sort key.
    fn keyless(&self, statement: &mut Statement, part: Part) -> Option<String> {
        let (table, name) = match (part, &self.query.order.by) {
            (Part::Keyed, _) | (Part::Keyless, RunKey::Created | RunKey::Rank) => return None,
            (Part::Keyless, RunKey::Metric(metric)) => ("run_metric", text(metric_name(metric))),
            (Part::Keyless, RunKey::Value(name)) => ("run_value", text(name.as_str())),
        };
        let name = statement.place(name);
        Some(format!("NOT EXISTS (SELECT 1 FROM {table} e WHERE e.run_id = r.id AND e.name = {name})"))
    }

    /// The order of a part's entries; `{}` stands for their alias.
    fn order(&self, part: Part) -> String {
        let (_, direction) = directions(self.query.order.descending);
        match (part, &self.query.order.by) {
            (Part::Keyed, RunKey::Rank) => "{}.sort_class DESC, {}.sort_key DESC, {}.sort_run".to_owned(),
            (Part::Keyless, _) | (Part::Keyed, RunKey::Created) => format!("{{}}.sort_run {direction}"),
            _ => format!("{{}}.sort_key {direction}, {{}}.sort_run {direction}"),
        }
    }
}
