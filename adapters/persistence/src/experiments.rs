//! Experiments and samples.

use std::sync::Arc;

use application::ports::{
    ChangeOutcome, ChangeableWhen, Deletion, ExperimentChange, ExperimentFilter, ExperimentOverview,
    ExperimentStore, ExperimentSummary, NewExperiment, NewSamples, RunCounts, StoreError, StoredExperiment,
};
use async_trait::async_trait;
use domain::call::Digest;
use domain::experiment::{Definition, Draft};
use domain::id::{ExperimentId, ProjectId, RunId, SampleSetId, SweepId};
use domain::run::RunStatus;
use domain::sample::Sample;
use sea_orm::{DatabaseTransaction, DbErr, Value as Bound};
use wire::experiment::{Parts, SampleDocument};
use wire::stored;

use crate::batch::{Rows, list};
use crate::dialect::{
    Dialect, Session, corrupt, failed, id, json, maybe_real, maybe_text, raw_json, text, whole,
};
use crate::open::Stores;
use crate::rows::{Row, read_all};

const SET: &str =
    "INSERT INTO sample_set (id, digest, count) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING";

const INSERT: &str = "INSERT INTO experiment (id, project_id, sample_set_id, name, description, documents, \
     pipeline_stages, scoring_config, parameter_space, repeats, holdout, status, document_digest) \
     VALUES ($1, $2, (SELECT id FROM sample_set WHERE digest = $3), $4, $5, $6, $7, $8, $9, $10, $11, 'draft', $12)";

/// The first on the board, for an experiment called `e`.
macro_rules! best {
    ($column:literal) => {
        concat!(
            "(SELECT r.",
            $column,
            " FROM run r WHERE r.experiment_id = e.id AND r.listed = 1 ORDER BY r.rank_class DESC, r.rank_score DESC, r.id LIMIT 1)"
        )
    };
}

/// What lists show of an experiment called `e`.
pub(crate) const SUMMARY: &str = concat!(
    "e.id, e.project_id, e.name, e.description, e.status, e.created_at, e.updated_at, ",
    best!("id"),
    " AS best_run_id, ",
    best!("score"),
    " AS best_score"
);

/// Waits for sweeps and runs that are just being made, and keeps others away.
const ALONE: &str = "SELECT revision FROM experiment WHERE id = $1 {for update}";

/// `$10` and `$11` say whether it has to be idle, and untried.
const CHANGE: &str = "UPDATE experiment SET name = $2, description = $3, documents = $4, pipeline_stages = $5, \
     scoring_config = $6, parameter_space = $7, repeats = $8, holdout = $9, updated_at = {now}, revision = revision + 1, outline = NULL, \
     document_digest = CASE WHEN $10 = 1 THEN NULL ELSE document_digest END WHERE id = $1 \
     AND ($10 = 0 OR NOT EXISTS (SELECT 1 FROM sweep WHERE experiment_id = $1 AND status IN ('running', 'paused'))) \
     AND ($11 = 0 OR (NOT EXISTS (SELECT 1 FROM run WHERE experiment_id = $1) \
     AND NOT EXISTS (SELECT 1 FROM sweep WHERE experiment_id = $1)))";

const USE_SET: &str =
    "UPDATE experiment SET sample_set_id = (SELECT id FROM sample_set WHERE digest = $2) WHERE id = $1";

const DELETE: &str = "DELETE FROM experiment WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM sweep \
     WHERE experiment_id = $1 AND status IN ('running', 'paused'))";

/// Runs of sweeps are counted by the sweeps' totals; single runs are few.
const COUNTS: &str = "SELECT CAST(COALESCE(SUM(s.asked - s.duplicates), 0) AS bigint) AS made, \
     CAST(COALESCE(SUM(t.completed), 0) AS bigint) AS completed, CAST(COALESCE(SUM(t.failed), 0) AS bigint) AS failed, \
     CAST(COALESCE(SUM(t.cached), 0) AS bigint) AS cached, CAST(COALESCE(SUM(t.pruned), 0) AS bigint) AS pruned, \
     CAST(COALESCE(SUM(t.cancelled), 0) AS bigint) AS cancelled, (SELECT count(*) FROM run WHERE experiment_id = $1 \
     AND status = 'running' AND sweep_id IS NOT NULL) AS running \
     FROM sweep s JOIN sweep_total t ON t.sweep_id = s.id WHERE s.experiment_id = $1";

const SINGLE_COUNTS: &str = "SELECT status, count(*) AS n FROM run \
     WHERE experiment_id = $1 AND sweep_id IS NULL GROUP BY status";

/// What an experiment's document needs beside its name and its space, for an experiment called `e` with its sample set
/// `s`.
const DOCUMENT: &str = "e.sample_set_id, e.documents, e.pipeline_stages, e.scoring_config, e.repeats, e.holdout, \
     e.revision, e.scoring_rev, s.digest, s.count";

/// How large that is.
const DOCUMENT_BYTES: &str = "CAST(length(CAST(e.documents AS text)) + length(CAST(e.pipeline_stages AS text)) \
     + length(CAST(e.parameter_space AS text)) AS bigint) AS document_bytes";

/// The space that a sweep goes through, with its experiment.
const OF_SWEEP: &str = "w.parameter_space FROM sweep w JOIN experiment e ON e.id = w.experiment_id \
     JOIN sample_set s ON s.id = e.sample_set_id WHERE w.id = $1";

const ONE: &str = "FROM experiment e JOIN sample_set s ON s.id = e.sample_set_id WHERE e.id = $1";

#[async_trait]
impl ExperimentStore for Stores {
    async fn insert(&self, experiment: NewExperiment) -> Result<(), StoreError> {
        let database = Arc::clone(&self.database);
        let inserted = self.database.detached(async move {
            let transaction = database.writer.begin().await?;
            let session = Session { connection: &transaction, dialect: database.dialect() };
            insert(session, experiment).await?;
            transaction.commit().await
        });
        inserted.await.map_err(failed)
    }

    async fn summaries(
        &self,
        filter: ExperimentFilter,
        limit: usize,
    ) -> Result<Vec<ExperimentSummary>, StoreError> {
        let mut values = vec![id(filter.before.map_or(u128::MAX, ExperimentId::bits)), whole(limit as u64)];
        let mut which = "e.id < $1".to_owned();
        if let Some(project) = filter.project {
            which.push_str(" AND e.project_id = $3");
            values.push(id(project.bits()));
        }
        let sql = format!("SELECT {SUMMARY} FROM experiment e WHERE {which} ORDER BY e.id DESC LIMIT $2");
        let rows = self.database.read().all(&sql, values).await.map_err(failed)?;
        read_all(&rows, |row| summary(row, self.database.dialect())).map_err(failed)
    }

    async fn overview(
        &self,
        experiment: ExperimentId,
        samples: usize,
    ) -> Result<Option<ExperimentOverview>, StoreError> {
        self.overview_of(experiment, samples).await.map_err(failed)
    }

    async fn change(&self, change: ExperimentChange) -> Result<ChangeOutcome, StoreError> {
        let database = Arc::clone(&self.database);
        let changed = self.database.detached(async move {
            let transaction = database.writer.begin().await?;
            let session = Session { connection: &transaction, dialect: database.dialect() };
            let changed = self::change(session, change).await?;
            transaction.commit().await?;
            Ok(changed)
        });
        changed.await.map_err(failed)
    }

    async fn delete_experiment(&self, experiment: ExperimentId) -> Result<Deletion, StoreError> {
        let there = "SELECT 1 AS there FROM experiment WHERE id = $1";
        self.delete(DELETE, there, experiment.bits()).await
    }

    async fn experiment(&self, experiment: ExperimentId) -> Result<Option<StoredExperiment>, StoreError> {
        self.stored(&format!("e.parameter_space {ONE}"), experiment.bits()).await
    }

    async fn of_sweep(&self, sweep: SweepId) -> Result<Option<StoredExperiment>, StoreError> {
        self.stored(OF_SWEEP, sweep.bits()).await
    }

    async fn by_document(
        &self,
        project: ProjectId,
        digest: Digest,
    ) -> Result<Option<ExperimentId>, StoreError> {
        let sql = "SELECT id FROM experiment WHERE project_id = $1 AND document_digest = $2";
        let values = vec![id(project.bits()), text(digest.to_string())];
        let row = self.database.read().one(sql, values).await.map_err(failed)?;
        row.map(|row| Row(&row).id("id").map(ExperimentId::new)).transpose().map_err(failed)
    }

    async fn by_name(&self, name: &str) -> Result<Vec<ExperimentId>, StoreError> {
        let sql = "SELECT id FROM experiment WHERE name = $1 ORDER BY id DESC LIMIT 100";
        let rows = self.database.read().all(sql, vec![text(name)]).await.map_err(failed)?;
        read_all(&rows, |row| row.id("id").map(ExperimentId::new)).map_err(failed)
    }

    async fn samples(&self, set: SampleSetId, indices: &[u32]) -> Result<Vec<Sample>, StoreError> {
        if indices.is_empty() {
            return Ok(Vec::new());
        }
        let placeholders = list(2, indices.len());
        let sql = format!("SELECT idx, doc FROM sample WHERE set_id = $1 AND idx IN ({placeholders})");
        let mut values = vec![id(set.bits())];
        values.extend(indices.iter().map(|index| whole(*index)));
        let rows = self.database.read().all(&sql, values).await.map_err(failed)?;
        let mut found = read_all(&rows, |row| Ok((row.small("idx")?, Some(sample(row)?)))).map_err(failed)?;
        found.sort_by_key(|(index, _)| *index);
        let mut take = |index: &u32| {
            let at = found.binary_search_by_key(index, |(index, _)| *index).ok()?;
            found[at].1.take()
        };
        let taken: Option<Vec<Sample>> = indices.iter().map(&mut take).collect();
        taken.ok_or_else(|| StoreError::Corrupt("a sample is missing".to_owned()))
    }
}

impl Stores {
    /// The experiment that `space_of` finds by a key, with the space that it selects.
    async fn stored(&self, space_of: &str, key: u128) -> Result<Option<StoredExperiment>, StoreError> {
        let sql = format!(
            "SELECT e.id, e.project_id, e.name, e.description, {DOCUMENT_BYTES}, {DOCUMENT}, {space_of}"
        );
        let row = self.database.read().one(&sql, vec![id(key)]).await.map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        if is_small(Row(&row)).map_err(failed)? {
            return read(Row(&row)).map(Some).map_err(failed);
        }
        // A large definition takes its time to be read and checked.
        let reading = tokio::task::spawn_blocking(move || read(Row(&row)));
        let read = reading.await.unwrap_or_else(|error| Err(corrupt(error)));
        read.map(Some).map_err(failed)
    }

    async fn overview_of(
        &self,
        experiment: ExperimentId,
        samples: usize,
    ) -> Result<Option<ExperimentOverview>, DbErr> {
        let read = self.database.read();
        let sql = format!("SELECT {SUMMARY}, {DOCUMENT}, e.parameter_space {ONE}");
        let Some(row) = read.one(&sql, vec![id(experiment.bits())]).await? else { return Ok(None) };
        let row = Row(&row);
        let sql = "SELECT doc FROM sample WHERE set_id = $1 AND idx < $2 ORDER BY idx";
        let values = vec![id(row.id("sample_set_id")?), whole(samples)];
        let first = read_all(&read.all(sql, values).await?, sample)?;
        let counts = read.one(COUNTS, vec![id(experiment.bits())]).await?;
        let mut runs = counts.map_or_else(|| Ok(RunCounts::default()), |row| counted(Row(&row)))?;
        for row in read.all(SINGLE_COUNTS, vec![id(experiment.bits())]).await? {
            add(&mut runs, &Row(&row).text("status")?, Row(&row).count("n")?);
        }
        Ok(Some(ExperimentOverview {
            summary: summary(row, self.database.dialect())?,
            samples: row.small("count")?,
            revision: row.whole("revision")?,
            draft: Draft { samples: first, ..draft(row)? },
            runs,
        }))
    }
}

pub(crate) fn summary(row: Row<'_>, dialect: Dialect) -> Result<ExperimentSummary, DbErr> {
    let time = |column| dialect.read_time(row.0, column)?.ok_or_else(|| corrupt(column));
    Ok(ExperimentSummary {
        id: ExperimentId::new(row.id("id")?),
        project: ProjectId::new(row.id("project_id")?),
        name: row.text("name")?,
        description: row.maybe_text("description")?,
        status: row.text("status")?,
        best: row.maybe_id("best_run_id")?.map(RunId::new).zip(row.maybe_real("best_score")?),
        created_at: time("created_at")?,
        updated_at: time("updated_at")?,
    })
}

fn counted(row: Row<'_>) -> Result<RunCounts, DbErr> {
    let mut counts = RunCounts {
        pending: 0,
        running: row.count("running")?,
        completed: row.count("completed")?,
        failed: row.count("failed")?,
        cached: row.count("cached")?,
        pruned: row.count("pruned")?,
        cancelled: row.count("cancelled")?,
    };
    let begun =
        [counts.running, counts.completed, counts.failed, counts.cached, counts.pruned, counts.cancelled];
    counts.pending = row.count("made")?.saturating_sub(begun.iter().sum());
    Ok(counts)
}

fn add(counts: &mut RunCounts, status: &str, more: u64) {
    let count = match RunStatus::parse(status) {
        Some(RunStatus::Pending) => &mut counts.pending,
        Some(RunStatus::Running) => &mut counts.running,
        Some(RunStatus::Completed) => &mut counts.completed,
        Some(RunStatus::Failed) => &mut counts.failed,
        Some(RunStatus::Cached) => &mut counts.cached,
        Some(RunStatus::Pruned) => &mut counts.pruned,
        Some(RunStatus::Cancelled) => &mut counts.cancelled,
        None => return,
    };
    *count += more;
}

async fn insert(session: Session<'_, DatabaseTransaction>, new: NewExperiment) -> Result<(), DbErr> {
    let digest = text(new.samples.digest.to_string());
    insert_samples(session, &new.samples).await?;
    let digest_of = new.document_digest.map(|digest| digest.to_string());
    let mut values = vec![id(new.id.bits()), id(new.project.bits()), digest];
    values.extend(content(&new.draft)?);
    values.push(maybe_text(digest_of));
    session.execute(INSERT, values).await.map(drop)
}

async fn change(
    session: Session<'_, DatabaseTransaction>,
    change: ExperimentChange,
) -> Result<ChangeOutcome, DbErr> {
    let mut values = vec![id(change.id.bits())];
    values.extend(content(&change.draft)?);
    values.push(whole(i64::from(change.only != ChangeableWhen::Always)));
    values.push(whole(i64::from(change.only == ChangeableWhen::Untried)));
    let revision = session.one(ALONE, vec![id(change.id.bits())]).await?;
    let revision = revision.map(|row| Row(&row).whole("revision")).transpose()?;
    if revision.is_some_and(|revision| revision != change.revision) {
        return Ok(ChangeOutcome::Stale);
    }
    if session.execute(CHANGE, values).await?.rows_affected() == 0 {
        return Ok(ChangeOutcome::Refused);
    }
    if let Some(samples) = &change.samples {
        insert_samples(session, samples).await?;
        session.execute(USE_SET, vec![id(change.id.bits()), text(samples.digest.to_string())]).await?;
    }
    Ok(ChangeOutcome::Changed)
}

async fn insert_samples(session: Session<'_, DatabaseTransaction>, new: &NewSamples) -> Result<(), DbErr> {
    let set = vec![id(new.set.bits()), text(new.digest.to_string()), whole(new.samples.len())];
    if session.execute(SET, set).await?.rows_affected() == 0 {
        return Ok(());
    }
    let rows = new.samples.iter().zip(0_u64..);
    let rows = rows.map(|(sample, index)| vec![id(new.set.bits()), whole(index), json(&sample.to_value())]);
    let insert = "INSERT INTO sample (set_id, idx, doc)";
    session.insert(Rows { insert, then: "", values: rows.collect() }).await
}

/// Name to holdout, in the order of the statements.
fn content(draft: &Draft) -> Result<[Bound; 8], DbErr> {
    let parts = Parts::of_draft(draft);
    Ok([
        text(draft.name.as_str()),
        maybe_text(draft.description.clone()),
        document(&parts.documents)?,
        document(&parts.pipeline_stages)?,
        document(&parts.scoring_config)?,
        document(&parts.parameter_space)?,
        whole(draft.repeats),
        maybe_real(Some(draft.holdout)),
    ])
}

fn document<T: serde::Serialize>(document: &T) -> Result<Bound, DbErr> {
    raw_json(&stored::write(document).map_err(corrupt)?)
}

fn part<T: serde::de::DeserializeOwned>(row: Row<'_>, column: &str) -> Result<T, DbErr> {
    stored::read(&row.raw_json(column)?).map_err(corrupt)
}

fn read(row: Row<'_>) -> Result<StoredExperiment, DbErr> {
    Ok(StoredExperiment {
        id: ExperimentId::new(row.id("id")?),
        project: ProjectId::new(row.id("project_id")?),
        definition: Arc::new(definition(row)?),
        sample_set: SampleSetId::new(row.id("sample_set_id")?),
        samples_digest: Digest::parse(&row.text("digest")?).ok_or_else(|| corrupt("sample digest"))?,
        samples: row.small("count")?,
        revision: row.whole("revision")?,
        scoring_rev: row.whole("scoring_rev")?,
    })
}

/// Whether an experiment's document is read in no time.
fn is_small(row: Row<'_>) -> Result<bool, DbErr> {
    const SMALL: i64 = 64 << 10;
    Ok(row.whole("document_bytes")? <= SMALL)
}

fn definition(row: Row<'_>) -> Result<Definition, DbErr> {
    draft(row)?.define().map_err(|problems| corrupt(format!("{problems:?}")))
}

fn draft(row: Row<'_>) -> Result<Draft, DbErr> {
    let parts = Parts {
        documents: part(row, "documents")?,
        pipeline_stages: part(row, "pipeline_stages")?,
        scoring_config: part(row, "scoring_config")?,
        parameter_space: part(row, "parameter_space")?,
    };
    Ok(Draft {
        name: row.text("name")?,
        description: row.maybe_text("description")?,
        repeats: row.small("repeats")?,
        holdout: row.maybe_real("holdout")?.unwrap_or(0.0),
        ..parts.into_draft().map_err(|problems| corrupt(format!("{problems:?}")))?
    })
}

fn sample(row: Row<'_>) -> Result<Sample, DbErr> {
    let document: SampleDocument = serde_json::from_str(&row.raw_json("doc")?).map_err(corrupt)?;
    Ok(document.into_sample())
}
