use std::sync::Arc;

use application::services::Services;
use domain::access::{Actor, Writer};
use domain::id::{ExperimentId, RunId};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;
use wire::api::{RatingRequest, RescoreRequest, Rescoring, ReviewItem, ReviewPage, Run};
use wire::experiment::ScoringDocument;

use super::Tag;
use crate::body::Body;
use crate::caller::As;
use crate::failure::{Failure, refused, wrong_query};
use crate::json_response::{Accepted, JsonResponse, Result};
use crate::list_query::PageQuery;
use crate::page::bits;

pub(super) struct Api(pub(super) Arc<Services>);

#[OpenApi(tag = "Tag::Runs")]
impl Api {
    /// Rate a run that has ended, or one of its samples: with a thumb, stars, or a score made outside
    #[oai(path = "/runs/:id/score", method = "post", operation_id = "rate_run")]
    async fn rate_run(
        &self,
        by: As<Writer>,
        id: Path<Uuid>,
        body: Body<RatingRequest>,
    ) -> Result<JsonResponse<Run>> {
        let request = body.value.into_request().map_err(Failure::invalid)?;
        let rated = self.0.scores.rate(&by.0, RunId::new(bits(id.0)), request).await.map_err(refused)?;
        JsonResponse::new(Run::from(&rated))
    }

    /// Score all ended runs of an experiment again, with other scoring entries where they are given; no pipeline's calls
    /// are made
    #[oai(path = "/experiments/:id/rescore", method = "post", operation_id = "rescore_experiment")]
    async fn rescore_experiment(
        &self,
        by: As<Writer>,
        id: Path<Uuid>,
        body: Body<RescoreRequest>,
    ) -> Result<Accepted<Rescoring>> {
        let documents = body.value.scoring_config;
        let scoring =
            documents.map(|documents| documents.into_iter().map(ScoringDocument::into_draft).collect());
        let cost = self.0.rescore(&by.0, ExperimentId::new(bits(id.0)), scoring).await.map_err(refused)?;
        Accepted::new(Rescoring::from(cost))
    }

    /// List outputs of the runs on the leaderboard that no person has rated
    #[oai(path = "/experiments/:id/review", method = "get", operation_id = "list_review")]
    async fn list_review(
        &self,
        _by: As<Actor>,
        id: Path<Uuid>,
        page: PageQuery,
    ) -> Result<JsonResponse<ReviewPage>> {
        let listed = self.0.review(ExperimentId::new(bits(id.0)), &page.0).await.map_err(wrong_query)?;
        let items = listed.items.into_iter().map(ReviewItem::from).collect();
        JsonResponse::new(ReviewPage { items, next_cursor: listed.next_cursor })
    }
}
