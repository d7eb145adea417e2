use std::sync::Arc;

use application::services::Services;
use domain::access::Actor;
use domain::id::{ExperimentId, RunId};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use super::Tag;
use crate::caller::As;
use crate::exported::{AsEnv, AsJson, AsReport, AsTable, AsYaml, Exported, Form, Forms};
use crate::failure::{Failure, refused};
use crate::json_response::Result;
use crate::page::bits;

pub(super) struct Api(pub(super) Arc<Services>);

#[OpenApi(tag = "Tag::Exports")]
impl Api {
    /// Export the configuration of the best run, or of `run_id`, as JSON
    #[oai(path = "/experiments/:id/export/best", method = "get", operation_id = "export_best")]
    async fn export_best(
        &self,
        by: As<Actor>,
        id: Path<Uuid>,
        run_id: Query<Option<Uuid>>,
    ) -> Result<Exported<AsJson>> {
        self.export(&by.0, id.0, run_id.0, Form::Json).await
    }

    /// Export the configuration as variables for a `.env` file
    #[oai(path = "/experiments/:id/export/env", method = "get", operation_id = "export_env")]
    async fn export_env(
        &self,
        by: As<Actor>,
        id: Path<Uuid>,
        run_id: Query<Option<Uuid>>,
    ) -> Result<Exported<AsEnv>> {
        self.export(&by.0, id.0, run_id.0, Form::Env).await
    }

    /// Export the configuration as YAML
    #[oai(path = "/experiments/:id/export/yaml", method = "get", operation_id = "export_yaml")]
    async fn export_yaml(
        &self,
        by: As<Actor>,
        id: Path<Uuid>,
        run_id: Query<Option<Uuid>>,
    ) -> Result<Exported<AsYaml>> {
        self.export(&by.0, id.0, run_id.0, Form::Yaml).await
    }

    /// Export a report in Markdown
    #[oai(path = "/experiments/:id/export/report", method = "get", operation_id = "export_report")]
    async fn export_report(
        &self,
        by: As<Actor>,
        id: Path<Uuid>,
        run_id: Query<Option<Uuid>>,
    ) -> Result<Exported<AsReport>> {
        self.export(&by.0, id.0, run_id.0, Form::Report).await
    }

    /// Export all runs, as CSV or JSON lines
    #[oai(path = "/experiments/:id/export/runs", method = "get", operation_id = "export_runs")]
    async fn export_runs(
        &self,
        by: As<Actor>,
        id: Path<Uuid>,
        /// `csv` (the default) or `jsonl`
        format: Query<Option<String>>,
    ) -> Result<Exported<AsTable>> {
        let form = match format.0.as_deref() {
            None => Form::Csv,
            Some(word) => AsTable::ALL.iter().copied().find(|form| form.word() == word).ok_or_else(|| {
                let words: Vec<&str> = AsTable::ALL.iter().map(|form| form.word()).collect();
                Failure::parameter("format", format!("takes {}", words.join(" or ")))
            })?,
        };
        self.export(&by.0, id.0, None, form).await
    }
}

impl Api {
    async fn export<F: Forms>(
        &self,
        by: &Actor,
        id: Uuid,
        run: Option<Uuid>,
        form: Form,
    ) -> Result<Exported<F>> {
        let (experiment, run) = (ExperimentId::new(bits(id)), run.map(|run| RunId::new(bits(run))));
        let exports = &self.0.exports;
        let configuration = async || exports.configuration(experiment, run).await.map_err(refused);
        let text = match form {
            Form::Json => wire::export::json(&configuration().await?).map_err(|error| unwritable(&error))?,
            Form::Yaml => wire::export::yaml(&configuration().await?).map_err(|error| unwritable(&error))?,
            Form::Env => configuration().await?.env(),
            Form::Report => exports.report(experiment, run).await.map_err(refused)?,
            Form::Csv | Form::Jsonl => {
                exports.check(experiment).await.map_err(refused)?;
                let runs = exports.runs(experiment).await.map_err(refused)?;
                let written = match form {
                    Form::Csv => wire::table::csv(&runs),
                    _ => wire::table::jsonl(&runs),
                };
                written.map_err(|error| unwritable(&error))?
            }
        };
        exports.record(by, experiment, run, form.word()).await.map_err(refused)?;
        Ok(Exported::new(form, text))
    }
}

fn unwritable(error: &dyn std::error::Error) -> Failure {
    tracing::error!(%error, "an export cannot be written");
    Failure::internal()
}
