//! The documents of experiments: how they are written and read.

use std::sync::Arc;

use application::ports::{
    ChangeOutcome, ChangeableWhen, ExperimentChange, NewExperiment, NewSamples, StoredExperiment, Vault,
};
use domain::call::Digest;
use domain::experiment::{Definition, Draft, check_names};
use domain::id::{ExperimentId, ProjectId, SampleSetId};
use domain::sample::{self, Sample};
use sea_orm::{DatabaseTransaction, DbErr, Value as Bound};
use wire::experiment::{Parts, SampleDocument, ScoringDocument};
use wire::stage::StageDocument;
use wire::stored;

use super::document_headers::DocumentHeaders;
use crate::batch::Rows;
use crate::columns::Columns;
use crate::dialect::{Session, corrupt, id, json, maybe_real, maybe_text, raw_json, text, whole};
use crate::rescoring_request;
use crate::rows::Row;

const SET: &str = "INSERT INTO sample_set (id, digest, count, check_names) VALUES ($1, $2, $3, $4) ON CONFLICT (digest) DO NOTHING";

/// Locks an experiment: waits for sweeps and runs that are being created, and blocks new ones.
const ALONE: &str = "SELECT revision FROM experiment WHERE id = $1 {for update}";

/// Where experiment `$1` may be changed: `$2` and `$3` say whether it has to be idle, and untried.
const CHANGED: &str = "updated_at = {now}, revision = revision + 1, outline = NULL, \
     document_digest = CASE WHEN $2 = 1 THEN NULL ELSE document_digest END WHERE id = $1 \
     AND ($2 = 0 OR NOT EXISTS (SELECT 1 FROM sweep WHERE experiment_id = $1 AND status IN ('running', 'paused'))) \
     AND ($3 = 0 OR (NOT EXISTS (SELECT 1 FROM run WHERE experiment_id = $1) \
     AND NOT EXISTS (SELECT 1 FROM sweep WHERE experiment_id = $1)))";

const USE_SET: &str =
    "UPDATE experiment SET sample_set_id = (SELECT id FROM sample_set WHERE digest = $2) WHERE id = $1";

/// The columns of an experiment's document except its name and space, for an experiment with alias `e` and its sample
/// set with alias `s`.
pub(super) const DOCUMENT: &str = "e.sample_set_id, e.documents, e.pipeline_stages, e.scoring_config, e.repeats, e.holdout, \
     e.revision, e.scoring_rev, s.digest, s.count, s.check_names";

/// The size of the document.
pub(super) const DOCUMENT_BYTES: &str = "CAST(length(CAST(e.documents AS text)) + length(CAST(e.pipeline_stages AS text)) \
     + length(CAST(e.parameter_space AS text)) AS bigint) AS document_bytes";

pub(super) async fn insert(
    session: Session<'_, DatabaseTransaction>,
    vault: &dyn Vault,
    new: NewExperiment,
) -> Result<(), DbErr> {
    insert_samples(session, &new.samples).await?;
    let columns = content(&new.draft, DocumentHeaders { vault, experiment: new.id })?;
    let sql = format!(
        "INSERT INTO experiment (id, project_id, sample_set_id, document_digest, status, {}) \
         VALUES ($1, $2, (SELECT id FROM sample_set WHERE digest = $3), $4, 'draft', {})",
        columns.names(),
        columns.places(5)
    );
    let of_set = text(new.samples.digest.to_string());
    let of_document = maybe_text(new.document_digest.map(|digest| digest.to_string()));
    let values = columns.values([id(new.id.bits()), id(new.project.bits()), of_set, of_document]);
    session.execute(&sql, values).await.map(drop)
}

pub(super) async fn change(
    session: Session<'_, DatabaseTransaction>,
    vault: &dyn Vault,
    change: ExperimentChange,
) -> Result<ChangeOutcome, DbErr> {
    let columns = content(&change.draft, DocumentHeaders { vault, experiment: change.id })?;
    let sql = format!("UPDATE experiment SET {}, {CHANGED}", columns.assignments(4));
    let idle = whole(i64::from(change.only != ChangeableWhen::Always));
    let untried = whole(i64::from(change.only == ChangeableWhen::Untried));
    let values = columns.values([id(change.id.bits()), idle, untried]);
    let revision = session.one(ALONE, vec![id(change.id.bits())]).await?;
    let revision = revision.map(|row| Row(&row).whole("revision")).transpose()?;
    if revision.is_some_and(|revision| revision != change.revision) {
        return Ok(ChangeOutcome::Stale);
    }
    if session.execute(&sql, values).await?.rows_affected() == 0 {
        return Ok(ChangeOutcome::Refused);
    }
    if let Some(by) = change.rescored_by.clone() {
        rescoring_request::revise(session, change.id, by).await?;
    }
    if let Some(samples) = &change.samples {
        insert_samples(session, samples).await?;
        session.execute(USE_SET, vec![id(change.id.bits()), text(samples.digest.to_string())]).await?;
    }
    Ok(ChangeOutcome::Changed)
}

async fn insert_samples(session: Session<'_, DatabaseTransaction>, new: &NewSamples) -> Result<(), DbErr> {
    let names = document(&check_names(&new.samples))?;
    let set = vec![id(new.set.bits()), text(new.digest.to_string()), whole(new.samples.len()), names];
    if session.execute(SET, set).await?.rows_affected() == 0 {
        return Ok(());
    }
    let rows = new.samples.iter().zip(0_u64..);
    let rows = rows.map(|(sample, index)| vec![id(new.set.bits()), whole(index), json(&sample.to_value())]);
    let insert = "INSERT INTO sample (set_id, idx, doc)";
    session.insert(Rows { insert, then: "", values: rows.collect() }).await
}

/// The columns of an experiment's document.
fn content(draft: &Draft, headers: DocumentHeaders<'_>) -> Result<Columns<8>, DbErr> {
    let mut parts = Parts::of_draft(draft);
    let sealed = headers.sealed(&draft.stages)?;
    parts.pipeline_stages = sealed.iter().map(StageDocument::of_draft).collect();
    let sealed = headers.sealed_scoring(&draft.scoring)?;
    parts.scoring_config = sealed.iter().map(ScoringDocument::of_draft).collect();
    Ok(Columns([
        ("name", text(draft.name.as_str())),
        ("description", maybe_text(draft.description.clone())),
        ("documents", document(&parts.documents)?),
        ("pipeline_stages", document(&parts.pipeline_stages)?),
        ("scoring_config", document(&parts.scoring_config)?),
        ("parameter_space", document(&parts.parameter_space)?),
        ("repeats", whole(draft.repeats)),
        ("holdout", maybe_real(Some(draft.holdout))),
    ]))
}

fn document<T: serde::Serialize>(document: &T) -> Result<Bound, DbErr> {
    raw_json(&stored::write(document).map_err(corrupt)?)
}

fn part<T: serde::de::DeserializeOwned>(row: Row<'_>, column: &str) -> Result<T, DbErr> {
    stored::read(&row.raw_json(column)?).map_err(corrupt)
}

pub(super) fn read(row: Row<'_>, vault: &dyn Vault) -> Result<StoredExperiment, DbErr> {
    Ok(StoredExperiment {
        id: ExperimentId::new(row.id("id")?),
        project: ProjectId::new(row.id("project_id")?),
        definition: Arc::new(definition(row, vault)?),
        sample_set: SampleSetId::new(row.id("sample_set_id")?),
        samples_digest: Digest::parse(&row.text("digest")?).ok_or_else(|| corrupt("sample digest"))?,
        samples: row.small("count")? - held_out(row)?,
        held_out: held_out(row)?,
        revision: row.whole("revision")?,
        scoring_rev: row.whole("scoring_rev")?,
    })
}

/// How many samples of an experiment are held out.
pub(crate) fn held_out(row: Row<'_>) -> Result<u32, DbErr> {
    Ok(sample::held_out(row.small("count")?, row.maybe_real("holdout")?.unwrap_or(0.0)))
}

/// Whether an experiment's document is small enough to be read without a thread of its own.
pub(super) fn is_small(row: Row<'_>) -> Result<bool, DbErr> {
    const SMALL: i64 = 64 << 10;
    Ok(row.whole("document_bytes")? <= SMALL)
}

fn definition(row: Row<'_>, vault: &dyn Vault) -> Result<Definition, DbErr> {
    draft(row, vault)?.define().map_err(|problems| corrupt(format!("{problems:?}")))
}

pub(super) fn draft(row: Row<'_>, vault: &dyn Vault) -> Result<Draft, DbErr> {
    let parts = Parts {
        documents: part(row, "documents")?,
        pipeline_stages: part(row, "pipeline_stages")?,
        scoring_config: part(row, "scoring_config")?,
        parameter_space: part(row, "parameter_space")?,
    };
    let headers = DocumentHeaders { vault, experiment: ExperimentId::new(row.id("id")?) };
    let parts = parts.into_draft().map_err(|problems| corrupt(format!("{problems:?}")))?;
    Ok(Draft {
        name: row.text("name")?,
        description: row.maybe_text("description")?,
        repeats: row.small("repeats")?,
        holdout: row.maybe_real("holdout")?.unwrap_or(0.0),
        check_names: part(row, "check_names")?,
        stages: headers.opened(parts.stages)?,
        scoring: headers.opened_scoring(parts.scoring)?,
        ..parts
    })
}

pub(super) fn sample(row: Row<'_>) -> Result<Sample, DbErr> {
    let document: SampleDocument = serde_json::from_str(&row.raw_json("doc")?).map_err(corrupt)?;
    Ok(document.into_sample())
}
