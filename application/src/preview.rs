//! Shows what one sample would be asked, and tries it where that is wanted.

use std::sync::{Arc, Mutex, PoisonError};

use domain::access::Writer;
use domain::call::Call;
use domain::endpoint::Endpoint;
use domain::experiment::{Definition, Draft};
use domain::id::RunId;
use domain::pipeline::{Pipeline, SampleProgress};
use domain::problem::Problem;
use domain::run::ErrorKind;
use domain::sample::Sample;
use domain::space::Size;
use domain::strategy::{History, guide};
use domain::sweep::SweepKind;
use domain::value::{Map, Value};

use crate::catalog::Catalog;
use crate::engine::{Blocked, CallAnswer, Destination, Engine};
use crate::experiments::ValidDraft;
use crate::ports::{EndpointStore, EnginePorts, Ids, Offload, RunConfig, SettingStore, Tasks, started};
use crate::refusal::{Refusal, Resource};
use crate::walk::{Answers, HashedCall, Replies, StageEnd, Walk, WalkRecord};
use crate::{advice, estimate, parameter_support};

/// What is to be tried.
#[derive(Debug, Clone)]
pub struct PreviewRequest {
    /// The experiment.
    pub draft: Draft,
    /// The sample, by its index.
    pub sample: usize,
    /// The point; the space's first where absent.
    pub values: Option<Map>,
}

/// What one stage would ask, and what it answered where it was.
#[derive(Debug, Clone, PartialEq)]
pub struct StagePreview {
    /// Its name.
    pub stage: String,
    /// Its calls; none where it needs none.
    pub calls: Vec<Arc<Call>>,
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
    settings: Arc<dyn SettingStore>,
    engine: Arc<Engine>,
    ids: Arc<dyn Ids>,
    offload: Arc<dyn Offload>,
    tasks: Arc<dyn Tasks>,
}

impl Previews {
    /// The use cases over an engine's ports; the engine makes their calls.
    #[must_use]
    pub fn new(ports: &EnginePorts, engine: Arc<Engine>) -> Self {
        Self {
            endpoints: Arc::clone(&ports.endpoints),
            settings: Arc::clone(&ports.settings),
            engine,
            ids: Arc::clone(&ports.ids),
            offload: Arc::clone(&ports.offload),
            tasks: Arc::clone(&ports.tasks),
        }
    }

    /// Shows the calls of one sample. With `caller` they are answered from the cache or made, within the limits of their
    /// endpoints; without one a stage that needs the output of another is not shown.
    ///
    /// # Errors
    /// Everything that is wrong with the document, the sample or the point; a call that fails.
    pub async fn preview(
        &self,
        request: PreviewRequest,
        caller: Option<&Writer>,
    ) -> Result<Preview, Refusal> {
        let trial = self.prepare(request, caller.is_some()).await?;
        // A call that has begun is waited for, whether or not the client still is there.
        let walked = started(&*self.tasks, trial.walk(Arc::clone(&self.offload))).await;
        walked.unwrap_or_else(|panicked| Err(Refusal::Unavailable(format!("the preview {panicked}"))))
    }

    /// What is to be tried, checked.
    async fn prepare(&self, request: PreviewRequest, call: bool) -> Result<Trial, Refusal> {
        let under = |problem: Problem| problem.under("/document");
        let catalog = Catalog::load(&*self.endpoints, &*self.settings).await?;
        let checked = ValidDraft::of(request.draft, catalog.defaults(), &*self.offload).await;
        let ValidDraft { draft, definition, .. } =
            checked.map_err(|found| Refusal::Invalid(found.into_iter().map(under).collect()))?;
        let values = request.values.unwrap_or_else(|| first_point(&definition));
        let configured = catalog.configure(&definition, values);
        let (configuration, config) = configured.map_err(|problem| Refusal::Invalid(vec![problem]))?;
        let pipeline = Pipeline::try_new(&configuration)
            .map_err(|(stage, wrong)| template_refused(stage, wrong.message))?;
        let sample = draft.samples.get(request.sample).ok_or_else(|| {
            let detail = format!("there are {} samples, counted from 0", draft.samples.len());
            Refusal::invalid("/sample_index", "unknown_sample", detail)
        })?;
        let index = u32::try_from(request.sample).unwrap_or(u32::MAX);
        let sample = sample.clone().into_parts(index).0;
        Ok(Trial {
            sample,
            warnings: self.warnings(&definition, &catalog, &draft.samples).await?,
            definition: Arc::new(definition),
            pipeline: Arc::new(pipeline),
            answers: PreviewAnswers {
                owner: format!("preview {}", RunId::new(self.ids.next())),
                endpoints: endpoints(&catalog, &config),
                engine: call.then(|| Arc::clone(&self.engine)),
                calls: Mutex::default(),
            },
        })
    }

    async fn warnings(
        &self,
        definition: &Definition,
        catalog: &Catalog,
        samples: &[Sample],
    ) -> Result<Vec<String>, Refusal> {
        let lists = self.endpoints.model_lists().await?;
        let points = estimate::any_points(definition);
        let mut warnings = advice::warnings(definition, samples);
        warnings.extend(parameter_support::warnings(definition, catalog, &lists, &points));
        Ok(warnings)
    }
}

/// A sample that is taken through a pipeline.
struct Trial {
    sample: Value,
    warnings: Vec<String>,
    definition: Arc<Definition>,
    pipeline: Arc<Pipeline>,
    answers: PreviewAnswers,
}

impl Trial {
    async fn walk(self, offload: Arc<dyn Offload>) -> Result<Preview, Refusal> {
        let walk = Walk { pipeline: &self.pipeline, definition: &self.definition, offload: &*offload };
        let record = walk.through(SampleProgress::new(self.sample), 1, &self.answers).await?;
        let calls = self.answers.calls.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut preview = shown(&self.pipeline, &record, &calls)?;
        preview.warnings.extend(self.warnings);
        Ok(preview)
    }
}

/// Notes the calls of each stage; where an engine is there it has them answered.
struct PreviewAnswers {
    /// The owner of its calls that are not shared.
    owner: String,
    /// The endpoint of each stage's calls; `None` where it calls no model.
    endpoints: Vec<Option<Arc<Endpoint>>>,
    engine: Option<Arc<Engine>>,
    calls: Mutex<Vec<(usize, Arc<Call>)>>,
}

impl PreviewAnswers {
    fn note(&self, stage: usize, calls: &[HashedCall]) {
        let mut noted = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        noted.extend(calls.iter().map(|call| (stage, Arc::clone(&call.call))));
    }
}

impl Answers for PreviewAnswers {
    type Stop = Refusal;

    fn owner(&self) -> String {
        self.owner.clone()
    }

    async fn answer(&self, stage: usize, calls: Vec<HashedCall>) -> Result<Replies, Refusal> {
        self.note(stage, &calls);
        let Some(engine) = &self.engine else { return Ok(Replies::Unknown) };
        let Some(first) = calls.first() else { return Ok(Replies::Complete(Vec::new())) };
        let endpoint = self.endpoints.get(stage).and_then(Option::as_ref);
        let to = Destination::of(&first.call, endpoint).ok_or(Refusal::NotFound(Resource::Endpoint))?;
        let mut answers = Vec::with_capacity(calls.len());
        for answer in engine.answer_apart(calls, &to).await? {
            match answer {
                CallAnswer::Stored(answer) => answers.push(answer),
                CallAnswer::Failed(failure) => return Ok(Replies::of(answers, Some(failure))),
                CallAnswer::Blocked(blocked) => return Err(blocked_refusal(blocked, &to)),
            }
        }
        Ok(Replies::Complete(answers))
    }
}

fn endpoints(catalog: &Catalog, config: &RunConfig) -> Vec<Option<Arc<Endpoint>>> {
    let of = |id| catalog.by_id(id).cloned().map(Arc::new);
    config.stages.iter().map(|binding| of(binding.as_ref()?.endpoint)).collect()
}

fn blocked_refusal(blocked: Blocked, to: &Destination) -> Refusal {
    match blocked {
        Blocked::Endpoint(breaker) => {
            let detail = format!("{} refuses every call: {}", to.shown(), breaker.reason);
            Refusal::conflict("call_failed", detail)
        }
        Blocked::Postponed(wait) => {
            let wait = wait.as_secs();
            let detail = format!("{} asks for a wait of {wait} s: try again then", to.shown());
            Refusal::conflict("call_failed", detail)
        }
        Blocked::Misconfigured(error) => Refusal::conflict("misconfigured", error.message),
        Blocked::Store(error) => error.into(),
        Blocked::Budget | Blocked::Stopping => Refusal::Unavailable("the server is stopping".to_owned()),
    }
}

/// What is shown of a walk with these calls.
fn shown(pipeline: &Pipeline, record: &WalkRecord, calls: &[(usize, Arc<Call>)]) -> Result<Preview, Refusal> {
    let name = |stage: usize| pipeline.stages()[stage].name();
    let mut warnings = Vec::new();
    for (stage, ended) in record.stages.iter().enumerate() {
        match &ended.end {
            StageEnd::Passed | StageEnd::Unanswered => {}
            StageEnd::Undetermined(_) => {
                let name = name(stage);
                warnings.push(format!("stage `{name}` needs an earlier output: preview it with `call`"));
            }
            StageEnd::Failed(error) if error.kind == ErrorKind::Template => {
                return Err(template_refused(stage, error.message.clone()));
            }
            StageEnd::Failed(error) => {
                let detail = format!("stage `{}`: {}", name(stage), error.message);
                return Err(Refusal::conflict("call_failed", detail));
            }
        }
    }
    let stages =
        record.stages.iter().enumerate().filter(|(_, ended)| !matches!(ended.end, StageEnd::Undetermined(_)));
    let stages = stages.map(|(stage, _)| StagePreview {
        stage: name(stage).to_owned(),
        calls: calls.iter().filter(|(of, _)| *of == stage).map(|(_, call)| Arc::clone(call)).collect(),
        output: record.progress.output(name(stage)).cloned(),
    });
    Ok(Preview { stages: stages.collect(), warnings })
}

fn template_refused(stage: usize, detail: String) -> Refusal {
    Refusal::invalid(format!("/document/pipeline_stages/{stage}"), "template", detail)
}

/// The first point of the space in its own order; of an endless one the first that is drawn.
fn first_point(definition: &Definition) -> Map {
    let space = definition.space();
    let kind = match space.size() {
        Size::Points(_) => SweepKind::Grid { shuffle: false },
        _ => SweepKind::Random,
    };
    let history = History { space, samples: 1, seed: 0, asked: 0, limit: Some(1), trials: &[] };
    let first = guide(kind).propose(&history, 1).into_points().next();
    first.map(|point| point.values().clone()).unwrap_or_default()
}
