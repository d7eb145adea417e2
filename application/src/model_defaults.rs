//! The endpoint and the models of stages and scorers that name none.

use domain::experiment::Definition;
use domain::problem::{Problem, capped};
use domain::scoring::{AskedModel, ModelChoice, ScoringEntry};
use domain::space::Field;
use domain::stage::{CallTarget, Stage, StageKind};

use crate::ports::{SettingStore, StoreError};

/// The label of the endpoint that is used where neither a stage nor the settings name one.
pub const DEFAULT_ENDPOINT: &str = "default";

/// The names of the settings, and of their fields in documents.
const ENDPOINT: &str = "default_endpoint";
const MODEL: &str = "default_model";
const JUDGE_MODEL: &str = "default_judge_model";
const EMBEDDING_MODEL: &str = "default_embedding_model";

/// What the settings name for stages and scorers that name none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelDefaults {
    /// The label of the endpoint of every call.
    pub endpoint: Option<String>,
    /// The model of `llm` stages.
    pub model: Option<String>,
    /// The model of judges.
    pub judge_model: Option<String>,
    /// The model of `retrieve` stages, and of scorers that compare embeddings.
    pub embedding_model: Option<String>,
}

impl ModelDefaults {
    /// Those that are stored.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn load(settings: &dyn SettingStore) -> Result<Self, StoreError> {
        let mut stored = settings.settings(&[ENDPOINT, MODEL, JUDGE_MODEL, EMBEDDING_MODEL]).await?;
        Ok(Self {
            endpoint: stored.remove(ENDPOINT),
            model: stored.remove(MODEL),
            judge_model: stored.remove(JUDGE_MODEL),
            embedding_model: stored.remove(EMBEDDING_MODEL),
        })
    }

    /// Each with the name that it has as a setting and in documents.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Option<&str>); 4] {
        [
            (ENDPOINT, self.endpoint.as_deref()),
            (MODEL, self.model.as_deref()),
            (JUDGE_MODEL, self.judge_model.as_deref()),
            (EMBEDDING_MODEL, self.embedding_model.as_deref()),
        ]
    }

    /// The label of the endpoint of stages that name none.
    #[must_use]
    pub fn endpoint_label(&self) -> &str {
        self.endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT)
    }

    /// Where the calls of a stage go, with the defaults in place of what it does not name: the endpoint is always there. `None`
    /// if it makes no calls.
    #[must_use]
    pub fn target<'a>(&'a self, stage: &'a Stage) -> Option<CallTarget<'a>> {
        let CallTarget { endpoint, model } = stage.call_target()?;
        let default = self.model_of(stage).and_then(|(_, model)| model);
        Some(CallTarget { endpoint: endpoint.or(Some(self.endpoint_label())), model: model.or(default) })
    }

    /// The label of the endpoint and the model that a scorer asks, with the defaults in place of what it does not name.
    pub(crate) fn asked<'a>(&'a self, asked: AskedModel<'a>) -> (&'a str, Option<&'a str>) {
        let ModelChoice { endpoint, model } = asked.choice();
        let (_, default) = self.asked_model(asked);
        (endpoint.as_deref().unwrap_or(self.endpoint_label()), model.as_deref().or(default))
    }

    /// The problem of a scorer that has no model; the pointer is relative to its options.
    pub(crate) fn no_model(&self, asked: AskedModel<'_>) -> Problem {
        let (setting, _) = self.asked_model(asked);
        let detail = format!("name the model that the scorer asks, or set `{setting}` in the settings");
        Problem::new("/model", "missing", detail)
    }

    fn asked_model(&self, asked: AskedModel<'_>) -> (&'static str, Option<&str>) {
        match asked {
            AskedModel::Judge(_) => (JUDGE_MODEL, self.judge_model.as_deref()),
            AskedModel::Embedding(_) => (EMBEDDING_MODEL, self.embedding_model.as_deref()),
        }
    }

    /// The stages and scorers that have no model in some configuration: they name none, no dimension always does, and there is
    /// no default.
    #[must_use]
    pub fn unnamed_models(&self, definition: &Definition) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (i, stage) in definition.stages().iter().enumerate() {
            let unnamed = self.target(stage).is_some_and(|target| target.model.is_none());
            if let Some((setting, _)) = self.model_of(stage).filter(|_| unnamed)
                && !is_always_set(definition, stage, &Field::Model)
            {
                let detail = format!(
                    "name the model, give the parameter space a dimension without a condition that targets it, or set \
                     `{setting}` in the settings"
                );
                problems.push(Problem::new(format!("/pipeline_stages/{i}/model"), "missing", detail));
            }
        }
        for (i, entry) in definition.scoring().iter().enumerate() {
            let asked = always_asked(entry).filter(|asked| self.asked(*asked).1.is_none());
            let problem = asked.map(|asked| self.no_model(asked));
            problems.extend(problem.map(|problem| problem.under(&format!("/scoring_config/{i}/options"))));
        }
        capped(problems)
    }

    /// The default model of a kind of stage, with its name.
    fn model_of(&self, stage: &Stage) -> Option<(&'static str, Option<&str>)> {
        match stage.kind {
            StageKind::Llm(_) => Some((MODEL, self.model.as_deref())),
            StageKind::Retrieve(_) => Some((EMBEDDING_MODEL, self.embedding_model.as_deref())),
            StageKind::Chunk(_) | StageKind::Http(_) => None,
        }
    }
}

/// The model that an entry asks for every sample; `None` where it asks none, or where a template decides.
pub(crate) fn always_asked(entry: &ScoringEntry) -> Option<AskedModel<'_>> {
    let asked = entry.scorer.outline().asked_model()?;
    let ModelChoice { endpoint, model } = asked.choice();
    let rendered = [endpoint, model].into_iter().flatten().any(|text| text.contains("{{"));
    (!rendered).then_some(asked)
}

/// Whether a dimension without a condition sets a field of a stage.
pub(crate) fn is_always_set(definition: &Definition, stage: &Stage, field: &Field) -> bool {
    definition.space().dimensions().any(|dimension| {
        let target = dimension.target.as_ref();
        let aimed = target.is_some_and(|target| target.stage == stage.name && target.field == *field);
        aimed && dimension.when.is_empty()
    })
}
