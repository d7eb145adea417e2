//! Shows what one sample would be asked, and tries it where that is wanted.

use std::sync::Arc;

use domain::access::Writer;
use domain::call::Call;
use domain::experiment::{Definition, Draft};
use domain::pipeline::{Pipeline, Progress};
use domain::problem::Problem;
use domain::space::Size;
use domain::strategy::{Ask, SweepView, guide};
use domain::sweep::SweepKind;
use domain::value::{Map, Value};

use crate::catalog::Catalog;
use crate::experiments::Checked;
use crate::json::output;
use crate::ports::{EndpointStore, ModelServer, Offload};
use crate::refusal::Refusal;

/// What is to be tried.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The experiment.
    pub draft: Draft,
    /// The sample, by its index.
    pub sample: usize,
    /// The point; the space's first where absent.
    pub values: Option<Map>,
}

/// What one stage would be asked, and what it answered where it was.
#[derive(Debug, Clone, PartialEq)]
pub struct StagePreview {
    /// Its name.
    pub stage: String,
    /// The call.
    pub call: Call,
    /// The output.
    pub output: Option<Value>,
}

/// A pipeline tried on one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// Its stages, as far as they could be shown.
    pub stages: Vec<StagePreview>,
    /// What whoever wrote it should know.
    pub warnings: Vec<String>,
}

/// The use cases of previews.
pub struct Previews {
    endpoints: Arc<dyn EndpointStore>,
    servers: Arc<dyn ModelServer>,
    offload: Arc<dyn Offload>,
}

impl Previews {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(
        endpoints: Arc<dyn EndpointStore>,
        servers: Arc<dyn ModelServer>,
        offload: Arc<dyn Offload>,
    ) -> Self {
        Self { endpoints, servers, offload }
    }

    /// Shows the calls of one sample. With `caller` they are made, one after the other, past the cache; without one a
    /// stage that needs the output of another is not shown.
    ///
    /// # Errors
    /// Everything that is wrong with the document, the sample or the point; a call that fails.
    pub async fn preview(&self, wanted: Wanted, caller: Option<&Writer>) -> Result<Preview, Refusal> {
        let under = |problem: Problem| problem.under("/document");
        let checked = Checked::of(wanted.draft, &*self.offload).await;
        let Checked { draft, definition, .. } =
            checked.map_err(|found| Refusal::Invalid(found.into_iter().map(under).collect()))?;
        let catalog = Catalog::new(self.endpoints.all().await?);
        let values = wanted.values.unwrap_or_else(|| first_point(&definition));
        let configured = catalog.configure(&definition, values);
        let (configuration, _) = configured.map_err(|problem| Refusal::Invalid(vec![problem]))?;
        let pipeline = configuration.pipeline().map_err(|(stage, wrong)| {
            let at = format!("/document/pipeline_stages/{stage}");
            Refusal::invalid(at, "template", wrong.to_string())
        })?;
        let sample = draft.samples.get(wanted.sample).cloned().ok_or_else(|| {
            let detail = format!("there are {} samples, counted from 0", draft.samples.len());
            Refusal::invalid("/sample_index", "unknown_sample", detail)
        })?;
        let sample = sample.for_templates(u32::try_from(wanted.sample).unwrap_or(u32::MAX));
        let tried = Tried { definition: &definition, pipeline: &pipeline, catalog: &catalog };
        let mut preview = self.stages(tried, Progress::new(sample), caller.is_some()).await?;
        preview.warnings.extend(warnings(&definition));
        Ok(preview)
    }

    async fn stages(&self, tried: Tried<'_>, mut progress: Progress, call: bool) -> Result<Preview, Refusal> {
        let mut preview = Preview { stages: Vec::new(), warnings: Vec::new() };
        for (index, stage) in tried.pipeline.stages().iter().enumerate() {
            let name = stage.name().to_owned();
            let rendered = tried.pipeline.call(index, &progress, tried.definition.documents(), 1);
            let asked = match rendered {
                Ok(asked) => asked,
                Err(_) if index > 0 && !call => {
                    let told = format!("stage `{name}` needs an earlier output: preview it with `call`");
                    preview.warnings.push(told);
                    return Ok(preview);
                }
                Err(error) => {
                    let at = format!("/document/pipeline_stages/{index}");
                    return Err(Refusal::invalid(at, "template", error.to_string()));
                }
            };
            let mut shown = StagePreview { stage: name, call: asked, output: None };
            if call {
                let endpoint = tried.catalog.by_identity(&shown.call.endpoint);
                let endpoint = endpoint.ok_or(Refusal::NotFound("endpoint"))?;
                let completion = self.servers.complete(endpoint, &shown.call).await;
                let completion = completion.map_err(|failure| {
                    let detail = format!("stage `{}`: {}", shown.stage, failure.message);
                    Refusal::conflict("call_failed", detail)
                })?;
                let said = output(stage, &completion);
                progress.passed(stage.name(), said.clone());
                shown.output = Some(said);
            }
            preview.stages.push(shown);
        }
        Ok(preview)
    }
}

/// What is being tried.
#[derive(Clone, Copy)]
struct Tried<'a> {
    definition: &'a Definition,
    pipeline: &'a Pipeline,
    catalog: &'a Catalog,
}

/// The first point of the space in its own order; of an endless one the first that is drawn.
fn first_point(definition: &Definition) -> Map {
    let space = definition.space();
    let kind = match space.size() {
        Size::Points(_) => SweepKind::Grid { shuffle: false },
        _ => SweepKind::Random,
    };
    let view = SweepView { space, samples: 1, seed: 0, asked: 0, limit: Some(1), trials: &[] };
    match guide(kind).ask(&view, 1) {
        Ask::Evaluate(work) => work.first().map(|work| work.point.values().clone()).unwrap_or_default(),
        Ask::Wait | Ask::Done(_) => Map::new(),
    }
}

fn warnings(definition: &Definition) -> Vec<String> {
    let told =
        |name: &str| format!("stage `{name}` sees the reference: what it answers with is no longer its own");
    let peeking = definition.stages().iter().filter(|stage| stage.reads_reference());
    peeking.map(|stage| told(stage.name.as_str())).collect()
}
