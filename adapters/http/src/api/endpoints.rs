use std::sync::Arc;

use application::services::Services;
use domain::access::{Actor, Admin};
use domain::id::EndpointId;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;
use wire::api::{Endpoint, EndpointPage, EndpointTest};
use wire::endpoint::EndpointDocument;

use super::Tag;
use crate::body::Body;
use crate::caller::As;
use crate::failure::{Failure, refused};
use crate::json_response::{Created, Gone, JsonResponse, Result};
use crate::page::bits;

pub(super) struct Api(pub(super) Arc<Services>);

#[OpenApi(tag = "Tag::Endpoints")]
impl Api {
    /// List endpoints, by label
    #[oai(path = "/endpoints", method = "get", operation_id = "list_endpoints")]
    async fn list_endpoints(&self, _by: As<Actor>) -> Result<JsonResponse<EndpointPage>> {
        let all = self.0.endpoints.all().await.map_err(refused)?;
        JsonResponse::new(EndpointPage {
            items: all.into_iter().map(Endpoint::from).collect(),
            next_cursor: None,
        })
    }

    /// Register an endpoint
    #[oai(path = "/endpoints", method = "post", operation_id = "create_endpoint")]
    async fn create_endpoint(
        &self,
        by: As<Admin>,
        body: Body<EndpointDocument>,
    ) -> Result<Created<Endpoint>> {
        let endpoint = parse(body.value, self.0.endpoints.next_id())?;
        JsonResponse::new(self.0.endpoints.create(&by.0, endpoint).await.map_err(refused)?)
    }

    /// Get an endpoint
    #[oai(path = "/endpoints/:id", method = "get", operation_id = "get_endpoint")]
    async fn get_endpoint(&self, _by: As<Actor>, id: Path<Uuid>) -> Result<JsonResponse<Endpoint>> {
        JsonResponse::new(self.0.endpoints.endpoint(EndpointId::new(bits(id.0))).await.map_err(refused)?)
    }

    /// Replace an endpoint; without `api_key` it keeps its key, unless scheme, host or port change
    #[oai(path = "/endpoints/:id", method = "put", operation_id = "update_endpoint")]
    async fn update_endpoint(
        &self,
        by: As<Admin>,
        id: Path<Uuid>,
        body: Body<EndpointDocument>,
    ) -> Result<JsonResponse<Endpoint>> {
        let endpoint = parse(body.value, EndpointId::new(bits(id.0)))?;
        JsonResponse::new(self.0.endpoints.replace(&by.0, endpoint).await.map_err(refused)?)
    }

    /// Delete an endpoint that no experiment names
    #[oai(path = "/endpoints/:id", method = "delete", operation_id = "delete_endpoint")]
    async fn delete_endpoint(&self, by: As<Admin>, id: Path<Uuid>) -> Result<Gone> {
        self.0.endpoints.delete(&by.0, EndpointId::new(bits(id.0))).await.map_err(refused)?;
        Ok(Gone)
    }

    /// Ask an endpoint which models it offers
    #[oai(path = "/endpoints/:id/test", method = "post", operation_id = "test_endpoint")]
    async fn test_endpoint(&self, by: As<Admin>, id: Path<Uuid>) -> Result<JsonResponse<EndpointTest>> {
        JsonResponse::new(self.0.endpoints.test(&by.0, EndpointId::new(bits(id.0))).await.map_err(refused)?)
    }
}

/// `${NAME}` is not replaced here: requests must not read variables of the server's environment.
fn parse(document: EndpointDocument, id: EndpointId) -> Result<domain::endpoint::Endpoint> {
    document.into_endpoint(id, |text| Ok(text.to_owned())).map_err(Failure::invalid)
}
