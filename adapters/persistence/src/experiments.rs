//! Projects, experiments and samples.

use std::sync::Arc;

use application::ports::{ExperimentStore, NewExperiment, StoreError, StoredExperiment};
use async_trait::async_trait;
use domain::call::Digest;
use domain::experiment::{Definition, Draft};
use domain::id::{ExperimentId, ProjectId, SampleSetId};
use domain::sample::Sample;
use sea_orm::{DatabaseTransaction, DbErr, TransactionTrait as _, Value as Bound};
use wire::experiment::{Parts, SampleDocument};
use wire::stored;

use crate::batch::{Rows, list};
use crate::dialect::{
    Session, corrupt, detached, failed, id, json, maybe_real, maybe_text, raw_json, text, whole,
};
use crate::open::Stores;
use crate::rows::{Row, read_all};

const PROJECT: &str = "INSERT INTO project (id, name) SELECT $1, CAST($2 AS text) \
     WHERE NOT EXISTS (SELECT 1 FROM project WHERE name = $2)";

const SET: &str =
    "INSERT INTO sample_set (id, digest, count) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING";

const INSERT: &str = "INSERT INTO experiment (id, project_id, sample_set_id, name, description, documents, \
     pipeline_stages, scoring_config, parameter_space, repeats, holdout, status, document_digest) \
     VALUES ($1, $2, (SELECT id FROM sample_set WHERE digest = $3), $4, $5, $6, $7, $8, $9, $10, $11, 'draft', $12)";

const SELECT: &str = "SELECT e.id, e.project_id, e.sample_set_id, e.name, e.description, e.documents, \
     e.pipeline_stages, e.scoring_config, e.parameter_space, e.repeats, e.holdout, s.digest, s.count \
     FROM experiment e JOIN sample_set s ON s.id = e.sample_set_id WHERE e.id = $1";

#[async_trait]
impl ExperimentStore for Stores {
    async fn project(&self, name: &str, new: ProjectId) -> Result<ProjectId, StoreError> {
        let write = self.database.write();
        write.execute(PROJECT, vec![id(new.bits()), text(name)]).await.map_err(failed)?;
        let sql = "SELECT id FROM project WHERE name = $1 ORDER BY created_at, id LIMIT 1";
        let row = write.one(sql, vec![text(name)]).await.map_err(failed)?;
        row.map_or(Ok(new), |row| Row(&row).id("id").map(ProjectId::new).map_err(failed))
    }

    async fn insert(&self, experiment: NewExperiment) -> Result<(), StoreError> {
        let database = Arc::clone(&self.database);
        let inserted = detached(async move {
            let transaction = database.writer.begin().await?;
            let session = Session { connection: &transaction, dialect: database.dialect };
            insert(session, experiment).await?;
            transaction.commit().await
        });
        inserted.await.map_err(failed)
    }

    async fn experiment(&self, experiment: ExperimentId) -> Result<Option<StoredExperiment>, StoreError> {
        let row = self.database.read().one(SELECT, vec![id(experiment.bits())]).await.map_err(failed)?;
        row.map(|row| read(Row(&row))).transpose().map_err(failed)
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

async fn insert(session: Session<'_, DatabaseTransaction>, new: NewExperiment) -> Result<(), DbErr> {
    let digest = text(new.samples_digest.to_string());
    let set = vec![id(new.sample_set.bits()), digest.clone(), whole(new.samples.len())];
    if session.execute(SET, set).await?.rows_affected() > 0 {
        let rows = new.samples.iter().zip(0_u64..);
        let rows = rows
            .map(|(sample, index)| vec![id(new.sample_set.bits()), whole(index), json(&sample.to_value())]);
        let insert = "INSERT INTO sample (set_id, idx, doc)";
        session.insert(Rows { insert, then: "", values: rows.collect() }).await?;
    }
    let parts = Parts::of_draft(&new.draft);
    let values = vec![
        id(new.id.bits()),
        id(new.project.bits()),
        digest,
        text(new.draft.name),
        maybe_text(new.draft.description),
        document(&parts.documents)?,
        document(&parts.pipeline_stages)?,
        document(&parts.scoring_config)?,
        document(&parts.parameter_space)?,
        whole(new.draft.repeats),
        maybe_real(Some(new.draft.holdout)),
        maybe_text(new.document_digest.map(|digest| digest.to_string())),
    ];
    session.execute(INSERT, values).await.map(drop)
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
    })
}

fn definition(row: Row<'_>) -> Result<Definition, DbErr> {
    let parts = Parts {
        documents: part(row, "documents")?,
        pipeline_stages: part(row, "pipeline_stages")?,
        scoring_config: part(row, "scoring_config")?,
        parameter_space: part(row, "parameter_space")?,
    };
    let draft = Draft {
        name: row.text("name")?,
        description: row.maybe_text("description")?,
        repeats: row.small("repeats")?,
        holdout: row.maybe_real("holdout")?.unwrap_or(0.0),
        ..parts.into_draft().map_err(|problems| corrupt(format!("{problems:?}")))?
    };
    draft.define().map_err(|problems| corrupt(format!("{problems:?}")))
}

fn sample(row: Row<'_>) -> Result<Sample, DbErr> {
    let document: SampleDocument = serde_json::from_str(&row.raw_json("doc")?).map_err(corrupt)?;
    Ok(document.into_sample())
}
