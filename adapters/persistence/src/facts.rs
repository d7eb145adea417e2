//! Facts of experiments, read without their documents.
//!
//! The outline of a document is computed when it is first needed, and stored until the document changes.

use std::sync::Arc;

use application::ports::{
    ExperimentFacts, ExperimentForm, ExperimentStore as _, FactStore, Outline, StoreError, StoredExperiment,
};
use async_trait::async_trait;
use domain::id::{ExperimentId, ProjectId, SampleSetId, SweepId};
use domain::stage::Stage;
use sea_orm::{DbErr, Value as Bound};
use wire::board::OutlineDocument;
use wire::stage::StageDocument;
use wire::stored;

use crate::dialect::{corrupt, failed, id, raw_json, whole};
use crate::experiments::document_headers::DocumentHeaders;
use crate::experiments::held_out;
use crate::open::Stores;
use crate::rows::{Row, read_all};

const FACTS: &str =
    "e.id, e.project_id, e.sample_set_id, e.repeats, e.holdout, e.revision, e.scoring_rev, s.count";

const OF_EXPERIMENT: &str =
    "e.outline FROM experiment e JOIN sample_set s ON s.id = e.sample_set_id WHERE e.id = $1";

const OF_SWEEP: &str = "w.outline FROM sweep w JOIN experiment e ON e.id = w.experiment_id \
     JOIN sample_set s ON s.id = e.sample_set_id WHERE w.id = $1";

const KEEP: &str = "UPDATE experiment SET outline = $1 WHERE id = $2 AND revision = $3";
const KEEP_OF_SWEEP: &str = "UPDATE sweep SET outline = $1 WHERE id = $2";

const STAGES: &str = "SELECT pipeline_stages FROM experiment WHERE id = $1";

/// The dimensions that runs of an experiment have values for. The recursion takes one step in the index for each.
const DIMENSIONS: &str = "WITH RECURSIVE d(name) AS ( \
     SELECT (SELECT MIN(name) FROM run_value WHERE experiment_id = $1) UNION ALL \
     SELECT (SELECT MIN(v.name) FROM run_value v WHERE v.experiment_id = $1 AND v.name > d.name) FROM d \
     WHERE d.name IS NOT NULL) SELECT name FROM d WHERE name IS NOT NULL";

#[async_trait]
impl FactStore for Stores {
    async fn facts(&self, experiment: ExperimentId) -> Result<Option<ExperimentFacts>, StoreError> {
        if let Some(known) = self.known_facts(OF_EXPERIMENT, experiment.bits()).await.map_err(failed)? {
            return Ok(Some(known));
        }
        let Some(stored) = self.experiment(experiment).await? else { return Ok(None) };
        let mut outline = Outline::of(&stored.definition);
        outline.dimensions.extend(self.tried_dimensions(experiment).await.map_err(failed)?);
        outline.dimensions.sort();
        outline.dimensions.dedup();
        let revision = whole(stored.revision);
        self.keep(KEEP, &outline, vec![id(experiment.bits()), revision]).await;
        Ok(Some(facts_of(&stored, outline)))
    }

    async fn stages(&self, experiment: ExperimentId) -> Result<Option<Vec<Stage>>, StoreError> {
        let values = vec![id(experiment.bits())];
        let row = self.database.read().one(STAGES, values).await.map_err(failed)?;
        let headers = DocumentHeaders { vault: &*self.vault, experiment };
        row.map(|row| read_stages(Row(&row), headers)).transpose().map_err(failed)
    }

    async fn facts_of_sweep(&self, sweep: SweepId) -> Result<Option<ExperimentFacts>, StoreError> {
        if let Some(known) = self.known_facts(OF_SWEEP, sweep.bits()).await.map_err(failed)? {
            return Ok(Some(known));
        }
        let Some(stored) = self.of_sweep(sweep).await? else { return Ok(None) };
        let outline = Outline::of(&stored.definition);
        self.keep(KEEP_OF_SWEEP, &outline, vec![id(sweep.bits())]).await;
        Ok(Some(facts_of(&stored, outline)))
    }
}

impl Stores {
    /// The facts with the stored outline; `None` where none is stored.
    async fn known_facts(&self, of: &str, key: u128) -> Result<Option<ExperimentFacts>, DbErr> {
        let sql = format!("SELECT {FACTS}, {of}");
        let row = self.database.read().one(&sql, vec![id(key)]).await?;
        row.map_or(Ok(None), |row| facts(Row(&row)))
    }

    async fn tried_dimensions(&self, experiment: ExperimentId) -> Result<Vec<String>, DbErr> {
        let rows = self.database.read().all(DIMENSIONS, vec![id(experiment.bits())]).await?;
        read_all(&rows, |row| row.text("name"))
    }

    /// Stores an outline for later readers. Where that fails, it is computed again.
    async fn keep(&self, statement: &str, outline: &Outline, key: Vec<Bound>) {
        let kept = async {
            let document = stored::write(&OutlineDocument::from(outline.clone())).map_err(corrupt)?;
            let values = std::iter::once(raw_json(&document)?).chain(key).collect();
            self.database.write().execute(statement, values).await
        };
        if let Err(error) = kept.await {
            tracing::debug!(%error, "the outline of an experiment could not be kept");
        }
    }
}

fn facts(row: Row<'_>) -> Result<Option<ExperimentFacts>, DbErr> {
    let Some(text) = row.maybe_raw_json("outline")? else { return Ok(None) };
    let outline: OutlineDocument = stored::read(&text).map_err(corrupt)?;
    Ok(Some(ExperimentFacts {
        id: ExperimentId::new(row.id("id")?),
        project: ProjectId::new(row.id("project_id")?),
        sample_set: SampleSetId::new(row.id("sample_set_id")?),
        samples: row.small("count")? - held_out(row)?,
        repeats: row.small("repeats")?,
        form: ExperimentForm { revision: row.whole("revision")?, scoring_rev: row.whole("scoring_rev")? },
        outline: Arc::new(outline.into()),
    }))
}

fn read_stages(row: Row<'_>, headers: DocumentHeaders<'_>) -> Result<Vec<Stage>, DbErr> {
    let documents: Vec<StageDocument> = stored::read(&row.raw_json("pipeline_stages")?).map_err(corrupt)?;
    let drafts: Result<Vec<_>, _> = documents.into_iter().map(StageDocument::into_draft).collect();
    let drafts = drafts.map_err(|_| corrupt("a stage"))?;
    domain::experiment::stages(headers.opened(drafts)?).map_err(|problems| corrupt(format!("{problems:?}")))
}

fn facts_of(stored: &StoredExperiment, outline: Outline) -> ExperimentFacts {
    ExperimentFacts {
        id: stored.id,
        project: stored.project,
        sample_set: stored.sample_set,
        samples: stored.samples,
        repeats: stored.definition.repeats(),
        form: stored.form(),
        outline: Arc::new(outline),
    }
}
