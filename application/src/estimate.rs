//! Estimates a sweep before it starts.

mod census;
mod known;

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

use self::census::CallCensus;
use self::known::{AskedCalls, KnownAnswers, KnownIndexes};
use crate::catalog::Catalog;
use crate::parameter_support;
use crate::ports::{
    CallStore, EndpointStore, ExperimentStore, Offload, SettingStore, StoreError, StoredExperiment,
};
use crate::refusal::Refusal;
use crate::sweeps::{self, CappedRequest, SweepError, SweepRequest};
use crate::walk::{Walk, WalkRecord};

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
    offload: Arc<dyn Offload>,
}

impl Estimates {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(
        calls: Arc<dyn CallStore>,
        endpoints: Arc<dyn EndpointStore>,
        experiments: Arc<dyn ExperimentStore>,
        settings: Arc<dyn SettingStore>,
        offload: Arc<dyn Offload>,
    ) -> Self {
        Self { calls, endpoints, experiments, settings, offload }
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
        let survey = Survey { stored: &stored, catalog: &catalog, samples, indexes: KnownIndexes::default() };
        for point in points {
            self.count_configuration(&survey, point, &mut census).await?;
        }
        for kind in census.kinds() {
            let measured = self.calls.measured(kind.endpoint, &kind.model).await?;
            census.measure(&kind, measured);
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
        let Survey { stored, catalog, samples, indexes } = survey;
        let definition = &stored.definition;
        let configured = catalog.configure(definition, point.values().clone());
        let (configuration, _) = configured.map_err(|problem| Refusal::Invalid(vec![problem]))?;
        let pipeline = Arc::new(Pipeline::try_new(&configuration).map_err(|(stage, wrong)| {
            Refusal::invalid(format!("/pipeline_stages/{stage}"), "template", wrong.message)
        })?);
        let walk = Walk { pipeline: &pipeline, definition, offload: &*self.offload };
        for chunk in samples.chunks(CHUNK) {
            let found = self.experiments.samples(stored.sample_set, chunk).await?;
            let found: Vec<Value> =
                chunk.iter().zip(found).map(|(i, sample)| sample.into_parts(*i).0).collect();
            for repeat in 1..=definition.repeats() {
                let walk = |sample| self.walk(walk, sample, repeat, indexes).boxed();
                let walks: Vec<_> = found.clone().into_iter().map(walk).collect();
                let mut walks = stream::iter(walks).buffered(CHUNK);
                while let Some((record, asked)) = walks.next().await.transpose()? {
                    census.count(&pipeline, catalog, &record, asked);
                }
            }
        }
        Ok(())
    }

    /// Takes a sample through the stages as far as the cache knows the answers.
    async fn walk(
        &self,
        walk: Walk<'_>,
        sample: Value,
        repeat: u32,
        indexes: &KnownIndexes,
    ) -> Result<(WalkRecord, AskedCalls), StoreError> {
        let known = KnownAnswers::new(&*self.calls, indexes);
        let record = walk.through(SampleProgress::new(sample), repeat, &known).await?;
        Ok((record, known.into_asked()))
    }
}

/// What is looked at, for every configuration alike.
struct Survey<'a> {
    stored: &'a StoredExperiment,
    catalog: &'a Catalog,
    samples: Vec<u32>,
    /// The indexes of what its samples search.
    indexes: KnownIndexes,
}

/// About how many calls a sample needs: what a retrieval needs is known only when its texts are.
fn weight(definition: &Definition) -> u128 {
    let calls = definition.stages().iter().map(|stage| match stage.kind {
        StageKind::Llm(_) | StageKind::Chunk(_) => 1,
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
