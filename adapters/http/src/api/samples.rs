use application::samples::{self, Reading};
use domain::access::Writer;
use domain::problem::Problem;
use poem_openapi::OpenApi;
use wire::api::SampleImport;
use wire::experiment::checks;
use wire::file::ColumnsDocument;
use wire::json::{self, Refusal};

use super::Tag;
use crate::caller::As;
use crate::failure::Failure;
use crate::json_response::{JsonResponse, Result};
use crate::offload::work_on;
use crate::upload::SampleUpload;

pub(super) struct Api;

#[OpenApi(tag = "Tag::Experiments")]
impl Api {
    /// Read a file of samples, without storing anything
    #[oai(path = "/samples/import", method = "post", operation_id = "import_samples")]
    async fn import_samples(
        &self,
        _by: As<Writer>,
        upload: SampleUpload,
    ) -> Result<JsonResponse<SampleImport>> {
        work_on(upload.file.len(), move || JsonResponse::new(read(upload)?)).await
    }
}

fn read(upload: SampleUpload) -> Result<samples::SampleFile> {
    let columns = upload.columns.as_deref().map_or_else(|| Ok(ColumnsDocument::default()), columns)?;
    let reading =
        Reading { name: upload.name, format: upload.format, columns: columns.into_columns(), checks };
    samples::read(&upload.file, &reading).map_err(|error| Failure::of_problem(error.into_problem()))
}

fn columns(text: &str) -> Result<ColumnsDocument> {
    json::read(text).map_err(|refusal| {
        let problem = match refusal {
            Refusal::Syntax(error) => Problem::new("", "broken_json", format!("this is not JSON: {error}")),
            Refusal::Value { pointer, code, detail, .. } => Problem::new(pointer, code, detail),
        };
        Failure::invalid(vec![problem.under("/columns")])
    })
}
