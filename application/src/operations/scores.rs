//! Operations on scores.

use std::str::FromStr;

use domain::access::Writer;
use domain::experiment::Draft;
use domain::id::{ExperimentId, RunId};
use domain::scoring::ScoringDraft;

use super::{CursorPage, PageRequest};
use crate::refusal::Refusal;
use crate::scores::{RescoringCost, ReviewItem};
use crate::services::Services;

/// A run and a sample of it.
struct OutputPlace(RunId, u32);

impl FromStr for OutputPlace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (run, sample) = text.split_once('.').ok_or(())?;
        Ok(Self(run.parse().map_err(drop)?, sample.parse().map_err(drop)?))
    }
}

impl Services {
    /// Has the runs of an experiment scored again, with these scoring entries where they are given; what that takes.
    ///
    /// # Errors
    /// Where there is no such experiment, or the entries do not make sense.
    pub async fn rescore(
        &self,
        by: &Writer,
        experiment: ExperimentId,
        scoring: Option<Vec<ScoringDraft>>,
    ) -> Result<RescoringCost, Refusal> {
        let known = self.experiments.overview(experiment).await?.draft;
        let scoring = scoring.unwrap_or_else(|| known.scoring.clone());
        let changed = Draft { scoring, ..known.clone() }.in_place_of(&known);
        let cost = self.scores.cost(experiment, &known.scoring, &changed.scoring).await?;
        if changed.scoring == known.scoring {
            self.scores.rescore(by, experiment).await?;
        } else {
            self.experiments.replace(by, experiment, changed, false).await?;
        }
        Ok(cost)
    }

    /// A page of outputs that no person has rated.
    ///
    /// # Errors
    /// Where there is no such experiment, or the cursor is none.
    pub async fn review(
        &self,
        experiment: ExperimentId,
        page: &PageRequest,
    ) -> Result<CursorPage<ReviewItem>, Refusal> {
        let after: Option<OutputPlace> = page.place()?;
        let after = after.map(|OutputPlace(run, sample)| (run, sample));
        let items = self.scores.review(experiment, after, page.limit).await?;
        Ok(CursorPage::new(items, |item| format!("{}.{}", item.run, item.sample)))
    }
}
