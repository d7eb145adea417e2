//! The stretches of indexes that pages of runs are read from.

use application::ports::{ListPlace, PlaceKey, RunKey, RunOrder};
use sea_orm::Value as Bound;

use super::select::{Part, Select, Statement};
use crate::dialect::{id, maybe_real, text, whole};
use crate::figures::metric_name;

impl Select<'_> {
    /// Selects entries of the index that a part is read from, as `sort_run` with the sort key.
    pub(super) fn entries(
        &self,
        statement: &mut Statement,
        part: Part,
        after: Option<&ListPlace>,
        window: usize,
    ) -> String {
        match (part, &self.query.order.by) {
            (Part::Keyless, _) | (Part::Keyed, RunKey::Created) => self.by_age(statement, after, window),
            (Part::Keyed, RunKey::Rank) => self.by_rank(statement, after, window),
            (Part::Keyed, RunKey::Metric(metric)) => {
                let name = text(metric_name(metric));
                self.by_key(statement, ("run_metric", name), after, window)
            }
            (Part::Keyed, RunKey::Value(name)) => {
                self.by_key(statement, ("run_value", text(name.as_str())), after, window)
            }
        }
    }

    fn by_age(&self, statement: &mut Statement, after: Option<&ListPlace>, window: usize) -> String {
        let RunOrder { descending, .. } = self.query.order;
        let (beyond, direction) = directions(descending);
        let behind = |statement: &mut Statement, column: &str| {
            let run = after.map(|place| statement.place(id(place.run.bits())));
            run.map_or_else(|| "1 = 1".to_owned(), |run| format!("{column} {beyond} {run}"))
        };
        if self.few.is_some() {
            let behind = behind(statement, "f.run_id");
            return format!("SELECT f.run_id AS sort_run FROM few f WHERE {behind}");
        }
        let filter = &self.query.filter;
        let experiment = statement.place(id(filter.experiment.bits()));
        let status = filter.status.map_or_else(String::new, |status| {
            format!(" AND status = {}", statement.place(text(status.as_str())))
        });
        let behind = behind(statement, "id");
        let window = statement.place(whole(window));
        format!(
            "SELECT id AS sort_run FROM run WHERE experiment_id = {experiment}{status} AND {behind} \
             ORDER BY id {direction} LIMIT {window}"
        )
    }

    fn by_key(
        &self,
        statement: &mut Statement,
        (table, name): (&str, Bound),
        after: Option<&ListPlace>,
        window: usize,
    ) -> String {
        let (beyond, direction) = directions(self.query.order.descending);
        let name = statement.place(name);
        let behind = after.map_or_else(
            || "1 = 1".to_owned(),
            |place| {
                let key = statement.place(key(&place.key));
                let run = statement.place(id(place.run.bits()));
                format!("(e.value, e.run_id) {beyond} ({key}, {run})")
            },
        );
        let columns = "SELECT e.value AS sort_key, e.run_id AS sort_run";
        if self.few.is_some() {
            return format!(
                "{columns} FROM few f JOIN {table} e ON e.run_id = f.run_id AND e.name = {name} WHERE {behind}"
            );
        }
        let experiment = statement.place(id(self.query.filter.experiment.bits()));
        let window = statement.place(whole(window));
        format!(
            "{columns} FROM {table} e WHERE e.experiment_id = {experiment} AND e.name = {name} AND {behind} \
             ORDER BY e.value {direction}, e.run_id {direction} LIMIT {window}"
        )
    }

    /// Among equal ranks older runs come first. So the entries after a place are two stretches of the index.
    fn by_rank(&self, statement: &mut Statement, after: Option<&ListPlace>, window: usize) -> String {
        let columns = "SELECT rank_class AS sort_class, rank_score AS sort_key, id AS sort_run FROM run";
        let from = if self.few.is_some() {
            format!("{columns} WHERE id IN (SELECT run_id FROM few) AND listed = 1")
        } else {
            let experiment = statement.place(id(self.query.filter.experiment.bits()));
            format!("{columns} WHERE experiment_id = {experiment} AND listed = 1")
        };
        let end = if self.few.is_some() {
            String::new()
        } else {
            let window = statement.place(whole(window));
            format!("ORDER BY rank_class DESC, rank_score DESC, id LIMIT {window}")
        };
        let Some(ListPlace { key: PlaceKey::Rank(class, score), run }) = after else {
            return format!("{from} {end}");
        };
        let (class, score) = (statement.place(whole(*class)), statement.place(maybe_real(Some(*score))));
        let run = statement.place(id(run.bits()));
        let equal = format!("{from} AND rank_class = {class} AND rank_score = {score} AND id > {run} {end}");
        let lower = format!("{from} AND (rank_class, rank_score) < ({class}, {score}) {end}");
        let both = format!("SELECT * FROM ({equal}) a UNION ALL SELECT * FROM ({lower}) b");
        let end = end.replace("rank_class", "sort_class").replace("rank_score", "sort_key");
        format!("{both} {}", end.replace("id LIMIT", "sort_run LIMIT"))
    }
}

/// The comparison that selects entries after a place, and the direction of the list.
pub(super) const fn directions(descending: bool) -> (&'static str, &'static str) {
    if descending { ("<", "DESC") } else { (">", "ASC") }
}

fn key(key: &PlaceKey) -> Bound {
    match key {
        PlaceKey::Value(key) => text(key.as_str()),
        PlaceKey::Rank(_, number) | PlaceKey::Metric(number) => maybe_real(Some(*number)),
        PlaceKey::Absent => maybe_real(None),
    }
}
