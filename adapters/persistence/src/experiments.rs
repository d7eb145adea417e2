//! Experiments and samples.

mod document;
pub(crate) mod document_headers;
mod overview;

use std::sync::Arc;

use application::ports::{
    ChangeOutcome, Deletion, ExperimentChange, ExperimentFilter, ExperimentOverview, ExperimentStore,
    ExperimentSummary, NewExperiment, RunCounts, StoreError, StoredExperiment,
};
use async_trait::async_trait;
use domain::call::Digest;
use domain::experiment::Draft;
use domain::id::{ExperimentId, ProjectId, SampleSetId, SweepId};
use domain::sample::Sample;
use sea_orm::DbErr;

pub(crate) use self::document::held_out;
use self::document::{DOCUMENT, DOCUMENT_BYTES};
use self::overview::{COUNTS, SINGLE_COUNTS, add, counted};
pub(crate) use self::overview::{SUMMARY, summary};
use crate::batch::list;
use crate::dialect::{Session, corrupt, failed, id, text, whole};
use crate::open::Stores;
use crate::rows::{Row, read_all};

const DELETE: &str = "DELETE FROM experiment WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM sweep \
     WHERE experiment_id = $1 AND status IN ('running', 'paused'))";

/// Selects the space that a sweep searches, with its experiment.
const OF_SWEEP: &str = "w.parameter_space FROM sweep w JOIN experiment e ON e.id = w.experiment_id \
     JOIN sample_set s ON s.id = e.sample_set_id WHERE w.id = $1";

const ONE: &str = "FROM experiment e JOIN sample_set s ON s.id = e.sample_set_id WHERE e.id = $1";

#[async_trait]
impl ExperimentStore for Stores {
    async fn insert(&self, experiment: NewExperiment) -> Result<(), StoreError> {
        let (database, vault) = (Arc::clone(&self.database), Arc::clone(&self.vault));
        let inserted = self.database.detached(async move {
            let transaction = database.writer.begin().await?;
            let session = Session { connection: &transaction, dialect: database.dialect() };
            document::insert(session, &*vault, experiment).await?;
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
        let (database, vault) = (Arc::clone(&self.database), Arc::clone(&self.vault));
        let changed = self.database.detached(async move {
            let transaction = database.writer.begin().await?;
            let session = Session { connection: &transaction, dialect: database.dialect() };
            let changed = document::change(session, &*vault, change).await?;
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
        let mut found =
            read_all(&rows, |row| Ok((row.small("idx")?, Some(document::sample(row)?)))).map_err(failed)?;
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
    /// Reads the experiment that `space_of` finds by a key, with the space that `space_of` selects.
    async fn stored(&self, space_of: &str, key: u128) -> Result<Option<StoredExperiment>, StoreError> {
        let sql = format!(
            "SELECT e.id, e.project_id, e.name, e.description, {DOCUMENT_BYTES}, {DOCUMENT}, {space_of}"
        );
        let row = self.database.read().one(&sql, vec![id(key)]).await.map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        if document::is_small(Row(&row)).map_err(failed)? {
            return document::read(Row(&row), &*self.vault).map(Some).map_err(failed);
        }
        // Reading and checking a large definition takes long.
        let vault = Arc::clone(&self.vault);
        let reading = tokio::task::spawn_blocking(move || document::read(Row(&row), &*vault));
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
        let first = read_all(&read.all(sql, values).await?, document::sample)?;
        let counts = read.one(COUNTS, vec![id(experiment.bits())]).await?;
        let mut runs = counts.map_or_else(|| Ok(RunCounts::default()), |row| counted(Row(&row)))?;
        for row in read.all(SINGLE_COUNTS, vec![id(experiment.bits())]).await? {
            add(&mut runs, &Row(&row).text("status")?, Row(&row).count("n")?);
        }
        Ok(Some(ExperimentOverview {
            summary: summary(row, self.database.dialect())?,
            samples: row.small("count")?,
            revision: row.whole("revision")?,
            draft: Draft { samples: first, ..document::draft(row, &*self.vault)? },
            runs,
        }))
    }
}
