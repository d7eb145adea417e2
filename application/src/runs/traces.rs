//! What became of a run's samples: prompts, answers and scores.

use domain::id::RunId;
use domain::sample::Sample;
use domain::scoring::{Entry, sample_weights, weighted};

use super::Runs;
use crate::page::Page;
use crate::ports::{Outline, ResultRow, ScoreRow, StoreError};
use crate::refusal::Refusal;

/// What became of one repetition of one sample.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The sample, by its index in the set.
    pub sample_index: u32,
    /// The repetition, from 1.
    pub repeat: u32,
    /// The sample itself.
    pub sample: Sample,
    /// Its weighted score, where it has one.
    pub score: Option<f64>,
    /// What each stage came to.
    pub results: Vec<ResultRow>,
    /// What each scorer said.
    pub scores: Vec<ScoreRow>,
}

/// A place among the results of a run: sample, repetition, stage.
pub type ResultPlace = (u32, u32, u32);

impl Runs {
    /// Results of a run's stages, by sample, repetition and stage.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn results(
        &self,
        id: RunId,
        after: Option<ResultPlace>,
        limit: usize,
    ) -> Result<Page<ResultRow>, Refusal> {
        Ok(Page::of(self.ports.runs.results(id, after, limit + 1).await?, limit))
    }

    /// What became of a run's samples, with prompts, answers and scores; those after a sample and repetition.
    ///
    /// # Errors
    /// Where there is no such run.
    pub async fn traces(
        &self,
        id: RunId,
        after: Option<(u32, u32)>,
        limit: usize,
    ) -> Result<Page<Trace>, Refusal> {
        let run = self.run(id).await?;
        let facts = self.facts_of_run(&run).await?;
        let stages = facts.outline.stages.len();
        let after = after.map(|(sample, repeat)| (sample, repeat, u32::MAX));
        let rows = self.ports.runs.results(id, after, (limit + 1) * stages).await?;
        let mut groups: Vec<Vec<ResultRow>> = Vec::new();
        for row in rows {
            match groups.last_mut() {
                Some(group) if (group[0].sample, group[0].repeat) == (row.sample, row.repeat) => {
                    group.push(row);
                }
                _ => groups.push(vec![row]),
            }
        }
        let page = Page::of(groups, limit);
        let indices: Vec<u32> = page.items.iter().map(|group| group[0].sample).collect();
        let samples = self.samples(facts.sample_set, &indices).await?;
        let (first, last) = (indices.first().copied(), indices.last().copied());
        let scores = match first.zip(last) {
            Some((first, last)) => self.ports.runs.sample_scores(id, first, last).await?,
            None => Vec::new(),
        };
        let mut samples = samples.into_iter();
        Ok(page.map(|results| {
            let (sample_index, repeat) = (results[0].sample, results[0].repeat);
            let of = |row: &&ScoreRow| (row.sample, row.repeat) == (sample_index, repeat);
            let scores: Vec<ScoreRow> = scores.iter().filter(of).cloned().collect();
            let sample = samples.next().unwrap_or_default();
            let score = weighted_score(&facts.outline, &sample, &scores);
            Trace { sample_index, repeat, sample, score, results, scores }
        }))
    }

    /// Samples by their indices, which may repeat.
    async fn samples(
        &self,
        set: domain::id::SampleSetId,
        indices: &[u32],
    ) -> Result<Vec<Sample>, StoreError> {
        let mut distinct = indices.to_vec();
        distinct.dedup();
        let found = self.ports.experiments.samples(set, &distinct).await?;
        let of = |index: &u32| distinct.binary_search(index).ok().and_then(|at| found.get(at)).cloned();
        Ok(indices.iter().map(|index| of(index).unwrap_or_default()).collect())
    }
}

/// The weighted score of a sample, from what is stored of its scorers.
fn weighted_score(outline: &Outline, sample: &Sample, scores: &[ScoreRow]) -> Option<f64> {
    let weights = sample_weights(&outline.scorers, &sample.checks);
    let entries = (0..).zip(weights).map(|(number, weight)| {
        let value = match scores.iter().find(|row| row.scorer == number).map(|row| &row.judgement) {
            None => Entry::Absent,
            Some(Ok(judgement)) => Entry::Value(judgement.value),
            Some(Err(_)) => Entry::Failed,
        };
        (weight, value)
    });
    weighted(&entries.collect::<Vec<_>>())
}
