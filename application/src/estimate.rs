//! Estimates a sweep before it starts.

mod busy_time;
mod census;
mod scorers;

use std::sync::Arc;

use domain::experiment::Definition;
use domain::id::ExperimentId;
use domain::money::NanoDollars;
use domain::pipeline::{Pipeline, SampleProgress};
use domain::space::{Point, Size};
use domain::stage::StageKind;
use domain::strategy::{History, guide};
use domain::sweep::{SweepKind, SweepLimits};
use domain::value::Value;
use futures::FutureExt as _;
use futures::stream::{self, StreamExt as _};

use self::census::{CallCensus, Server};
use self::scorers::AskingScorers;
use crate::catalog::Catalog;
use crate::digest::sha256;
use crate::parameter_support;
use crate::ports::{CallStore, EndpointStore, ExperimentStore, SettingStore, StoreError, StoredExperiment};
use crate::refusal::Refusal;
use crate::scoring::{self, Evaluator};
use crate::sweeps::{self, CappedRequest, SweepError, SweepRequest};
use crate::walk::{AskedCalls, KnownAnswers, KnownIndexes, Walk, WalkRecord};

/// Calls that are looked at one by one; of more a part is.
const EXACT: u128 = 100_000;
/// Calls looked up at once.
const CHUNK: usize = 500;
/// What a retrieval counts for among them.
const RETRIEVAL: u128 = 200;
/// Configurations of a large sweep that are looked at.
const CONFIGURATIONS: usize = 100;
/// Samples of a large sweep that are looked at.
const SAMPLES: usize = 100;
/// Configurations that are looked at without a sweep.
const ANY_POINTS: usize = 1_000;
/// Seeds the choice of the part that is looked at.
const SEED: u64 = 0x6573_7469_6d61_7465;

/// What a sweep would come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Configurations, where there are fewer than 2^53 of them.
    pub configurations: Option<u64>,
    /// Their number in words or digits.
    pub configurations_text: String,
    /// Calls that its runs need.
    pub calls: u64,
    /// Those that the cache answers, or an equal call of the same sweep.
    pub cached_calls: u64,
    /// Tokens that it would pay for.
    pub tokens: u64,
    /// What it would cost, where every price is known.
    pub cost: Option<NanoDollars>,
    /// How long it would take, in seconds, where it is known how long such calls take.
    pub seconds: Option<f64>,
    /// Only a part of the calls was looked at.
    pub sampled: bool,
    /// What should be known before it starts, though nothing is wrong with it.
    pub warnings: Vec<String>,
}

/// The use cases of estimates.
pub struct Estimates {
    calls: Arc<dyn CallStore>,
    endpoints: Arc<dyn EndpointStore>,
    experiments: Arc<dyn ExperimentStore>,
    settings: Arc<dyn SettingStore>,
    scoring: scoring::Ports,
}

impl Estimates {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(
        calls: Arc<dyn CallStore>,
        endpoints: Arc<dyn EndpointStore>,
        experiments: Arc<dyn ExperimentStore>,
        settings: Arc<dyn SettingStore>,
        scoring: scoring::Ports,
    ) -> Self {
        Self { calls, endpoints, experiments, settings, scoring }
    }

    /// Says what a sweep of an experiment would come to; nothing is stored or called.
    ///
    /// # Errors
    /// Where it could not start.
    pub async fn estimate(
        &self,
        experiment: ExperimentId,
        request: &CappedRequest,
    ) -> Result<Estimate, Refusal> {
        let stored = self.experiments.experiment(experiment).await?.ok_or(SweepError::NoExperiment)?;
        let catalog = Catalog::load(&*self.endpoints, &*self.settings).await?;
        let definition = &stored.definition;
        sweeps::check(&catalog, definition, request)?;
        let size = size(definition, request.limits.max_runs);
        let each = u128::from(stored.samples) * u128::from(definition.repeats());
        let walks = size.saturating_mul(each);
        let whole = walks.saturating_mul(weight(definition)) <= EXACT;
        let points = points(definition, request, size, if whole { usize::MAX } else { CONFIGURATIONS });
        let samples = samples(stored.order(), if whole { usize::MAX } else { SAMPLES });
        let warned =
            parameter_support::warnings(definition, &catalog, &self.endpoints.model_lists().await?, &points);
        let mut census = CallCensus::default();
        let evaluator = Evaluator::new(Arc::clone(&stored.definition), self.scoring.clone());
        let scorers = AskingScorers { evaluator: &evaluator, catalog: &catalog, calls: &*self.calls };
        let survey = Survey { stored: &stored, scorers, samples, indexes: KnownIndexes::default() };
        for point in points {
            self.count_configuration(&survey, point, &mut census).await?;
        }
        for kind in census.kinds() {
            if let Server::Model { endpoint, model } = &kind.server {
                let measured = self.calls.measured(*endpoint, model).await?;
                census.measure(&kind, measured);
            }
        }
        Ok(Estimate { warnings: warned, ..census.scaled_to(size, walks) })
    }

    /// Counts the calls of one configuration.
    async fn count_configuration(
        &self,
        survey: &Survey<'_>,
        point: Point,
        census: &mut CallCensus,
    ) -> Result<(), Refusal> {
        let Survey { stored, scorers, samples, indexes } = survey;
        let (definition, catalog) = (&stored.definition, scorers.catalog);
        let configured = catalog.configure(definition, point.values().clone());
        let (configuration, _) = configured.map_err(|problem| Refusal::Invalid(vec![problem]))?;
        let pipeline = Arc::new(Pipeline::try_new(&configuration).map_err(|(stage, wrong)| {
            Refusal::invalid(format!("/pipeline_stages/{stage}"), "template", wrong.message)
        })?);
        let hash = sha256(&configuration.canonical());
        let walk = Walk { pipeline: &pipeline, definition, offload: &*self.scoring.offload };
        for chunk in samples.chunks(CHUNK) {
            let found = self.experiments.samples(stored.sample_set, chunk).await?;
            let found: Vec<_> =
                chunk.iter().zip(found).map(|(i, sample)| (*i, sample.into_parts(*i))).collect();
            for repeat in 1..=definition.repeats() {
                let walks = found.iter().map(|(index, (sample, _))| {
                    let owner = format!("estimate {hash}/{index}/{repeat}");
                    let known = KnownAnswers::new(&*self.calls, indexes, owner);
                    walked(walk, sample.clone(), repeat, known).boxed()
                });
                let mut walks =
                    stream::iter(walks.collect::<Vec<_>>()).buffered(CHUNK).zip(stream::iter(&found));
                while let Some((walked, (_, (_, expected)))) = walks.next().await {
                    let (record, asked) = walked?;
                    let scoring = scorers.count(&pipeline, &record, expected).await?;
                    census.count(&pipeline, catalog, &record, asked);
                    census.count_scoring(catalog, scoring);
                }
            }
        }
        Ok(())
    }
}

/// What is looked at, for every configuration alike.
struct Survey<'a> {
    stored: &'a StoredExperiment,
    scorers: AskingScorers<'a>,
    samples: Vec<u32>,
    /// The indexes of what its samples search.
    indexes: KnownIndexes,
}

/// Takes a sample through the stages as far as the cache knows the answers.
async fn walked(
    walk: Walk<'_>,
    sample: Value,
    repeat: u32,
    known: KnownAnswers<'_>,
) -> Result<(WalkRecord, AskedCalls), StoreError> {
    let record = walk.through(SampleProgress::new(sample), repeat, &known).await?;
    Ok((record, known.into_asked()))
}

/// About how many calls a sample needs: what a retrieval needs is known only when its texts are.
fn weight(definition: &Definition) -> u128 {
    let calls = definition.stages().iter().map(|stage| match stage.kind {
        StageKind::Llm(_) | StageKind::Chunk(_) | StageKind::Http(_) => 1,
        StageKind::Retrieve(_) => RETRIEVAL,
    });
    calls.sum()
}

/// How many configurations a sweep would try. A sweep of an endless space has a limit.
fn size(definition: &Definition, limit: Option<u64>) -> u128 {
    let points = match definition.space().size() {
        Size::Points(points) => points,
        _ => u128::MAX,
    };
    limit.map_or(points, |limit| points.min(u128::from(limit)))
}

/// Configurations that the sweep would try: the first ones, at most so many.
fn points(definition: &Definition, request: &SweepRequest, size: u128, most: usize) -> Vec<Point> {
    let want = usize::try_from(size).unwrap_or(usize::MAX).min(most);
    let history = History {
        space: definition.space(),
        samples: 1,
        // Without a seed of its own any will do: all are alike.
        seed: request.seed.unwrap_or(SEED),
        asked: 0,
        limit: request.limits.max_runs,
        trials: &[],
    };
    // The first points of a grid have much in common: of a large one any others say more.
    let kind = match request.kind {
        SweepKind::Grid { .. } if size > want as u128 => SweepKind::Grid { shuffle: true },
        kind => kind,
    };
    guide(kind).propose(&history, want).into_points().collect()
}

/// Some configurations of an experiment: all, where there are no more than 1,000.
#[must_use]
pub fn any_points(definition: &Definition) -> Vec<Point> {
    let kind = match definition.space().size() {
        Size::Points(_) => SweepKind::Grid { shuffle: false },
        _ => SweepKind::Random,
    };
    let request = SweepRequest { kind, seed: None, limits: SweepLimits::default() };
    points(definition, &request, size(definition, None), ANY_POINTS)
}

/// Samples to look at, in the set's own order.
fn samples(mut order: Vec<u32>, most: usize) -> Vec<u32> {
    order.truncate(most);
    order.sort_unstable();
    order
}
