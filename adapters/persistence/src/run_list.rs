//! Pages of runs, in any order and with any filter.
//!
//! A page is read from an index in its order: first the runs that have a sort key, then the others, by age. If a
//! filter leaves few runs, exactly these are read. Otherwise a bounded part of the index is read, so a page may be
//! short although more runs follow.

mod entries;
mod select;

use application::ports::{ListPlace, PlaceKey, RunKey, RunListing, RunQuery, StoreError};
use domain::id::RunId;
use sea_orm::DbErr;

pub(crate) use self::select::RunProjection;
use self::select::{Part, Select};
use crate::dialect::{Dialect, failed};
use crate::open::Stores;
use crate::rows::{Row, read_all};

/// If a filter leaves at most this many runs, all of them are read and sorted.
const MAX_SORTED_DIRECTLY: usize = 500;
/// How many entries of an index are read for a page at most.
const INDEX_ENTRIES_PER_READ: usize = 1_000;

/// Converts a row to an item of the page.
type Reading<T> = fn(Row<'_>, Dialect) -> Result<T, DbErr>;

/// A run on a page, with its place.
struct Entry<T> {
    place: ListPlace,
    run: T,
}

/// The runs that were read of one part of a list.
struct Stretch<T> {
    entries: Vec<Entry<T>>,
    /// The last place that was read; `None` at the end of the part.
    left_off: Option<ListPlace>,
}

impl Stores {
    /// Reads a page of runs.
    pub(crate) async fn run_page<T>(
        &self,
        query: &RunQuery,
        shown: RunProjection,
        read: Reading<T>,
    ) -> Result<RunListing<T>, StoreError> {
        self.read_page(query, shown, read).await.map_err(failed)
    }

    async fn read_page<T>(
        &self,
        query: &RunQuery,
        shown: RunProjection,
        read: Reading<T>,
    ) -> Result<RunListing<T>, DbErr> {
        if nothing(query, shown) {
            return Ok(listing(Vec::new(), None));
        }
        let select = Select { query, shown, few: self.few(query, shown).await? };
        let mut entries = Vec::new();
        let behind = query.after.as_ref();
        for part in parts(query) {
            let started = behind.filter(|place| part.holds(&place.key));
            if behind.is_some() && started.is_none() && *part == Part::Keyed {
                // The page begins after this part.
                continue;
            }
            let wanted = query.limit + 1 - entries.len();
            let stretch = self.stretch(&select, *part, started, wanted, read).await?;
            entries.extend(stretch.entries);
            if entries.len() > query.limit {
                entries.truncate(query.limit);
                let next = entries.last().map(|entry| entry.place.clone());
                return Ok(listing(entries, next));
            }
            if stretch.left_off.is_some() {
                return Ok(listing(entries, stretch.left_off));
            }
        }
        Ok(listing(entries, None))
    }

    /// The number of a filter that leaves few runs, if there is one.
    async fn few(&self, query: &RunQuery, shown: RunProjection) -> Result<Option<usize>, DbErr> {
        let select = Select { query, shown, few: None };
        if parts(query).iter().all(|part| select.is_exact(*part)) {
            return Ok(None);
        }
        for filter in 0..select.filters() {
            let (sql, values) = select.count(filter, MAX_SORTED_DIRECTLY + 1);
            let row = self.database.read().one(&sql, values).await?;
            if row.map_or(Ok(0), |row| Row(&row).count("n"))? <= MAX_SORTED_DIRECTLY as u64 {
                return Ok(Some(filter));
            }
        }
        Ok(None)
    }

    async fn stretch<T>(
        &self,
        select: &Select<'_>,
        part: Part,
        after: Option<&ListPlace>,
        wanted: usize,
        read: Reading<T>,
    ) -> Result<Stretch<T>, DbErr> {
        if select.is_exact(part) || select.few.is_some() {
            let entries = self.entries(select, part, after, (wanted, wanted), read).await?;
            return Ok(Stretch { entries, left_off: None });
        }
        // Most pages are full after a short stretch of the index.
        let mut window = wanted * if select.query.filter.is_selective() { 10 } else { 2 };
        loop {
            let entries = self.entries(select, part, after, (window, wanted), read).await?;
            if entries.len() == wanted {
                return Ok(Stretch { entries, left_off: None });
            }
            let (sql, values) = select.last_of_window(part, after, window);
            let last = self.database.read().one(&sql, values).await?;
            let left_off = last.map(|row| place(part, &select.query.order.by, Row(&row))).transpose()?;
            if left_off.is_none() || window >= INDEX_ENTRIES_PER_READ {
                return Ok(Stretch { entries, left_off });
            }
            window = INDEX_ENTRIES_PER_READ;
        }
    }

    async fn entries<T>(
        &self,
        select: &Select<'_>,
        part: Part,
        after: Option<&ListPlace>,
        (window, wanted): (usize, usize),
        read: Reading<T>,
    ) -> Result<Vec<Entry<T>>, DbErr> {
        let (sql, values) = select.page(part, after, window, wanted);
        let rows = self.database.read().all(&sql, values).await?;
        let by = &select.query.order.by;
        let dialect = self.database.dialect();
        read_all(&rows, |row| Ok(Entry { place: place(part, by, row)?, run: read(row, dialect)? }))
    }
}

fn listing<T>(entries: Vec<Entry<T>>, next: Option<ListPlace>) -> RunListing<T> {
    RunListing { items: entries.into_iter().map(|entry| entry.run).collect(), next }
}

/// Whether the filter admits only runs that cannot be ranked.
pub(super) fn unranked(query: &RunQuery) -> bool {
    query.filter.status.is_some_and(|status| !status.is_ranked())
}

/// Whether the filter admits no run at all, as is clear without a query.
fn nothing(query: &RunQuery, shown: RunProjection) -> bool {
    shown.listed && unranked(query)
}

/// The parts of a list, in order.
fn parts(query: &RunQuery) -> &'static [Part] {
    match query.order.by {
        RunKey::Metric(_) if unranked(query) => &[Part::Keyless],
        RunKey::Created => &[Part::Keyless],
        RunKey::Rank => &[Part::Keyed],
        RunKey::Metric(_) | RunKey::Value(_) => &[Part::Keyed, Part::Keyless],
    }
}

fn place(part: Part, by: &RunKey, row: Row<'_>) -> Result<ListPlace, DbErr> {
    let key = match (part, by) {
        (Part::Keyless, _) | (Part::Keyed, RunKey::Created) => PlaceKey::Absent,
        (Part::Keyed, RunKey::Rank) => {
            PlaceKey::Rank(row.whole("sort_class")?, row.maybe_real("sort_key")?.unwrap_or(0.0))
        }
        (Part::Keyed, RunKey::Metric(_)) => PlaceKey::Metric(row.maybe_real("sort_key")?.unwrap_or(0.0)),
        (Part::Keyed, RunKey::Value(_)) => PlaceKey::Value(row.text("sort_key")?),
    };
    Ok(ListPlace { key, run: row.id("sort_run").map(RunId::new)? })
}
