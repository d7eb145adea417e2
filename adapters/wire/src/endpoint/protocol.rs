//! How servers of one kind differ, as somebody writes it down.

use domain::endpoint::{Api, Auth, EndpointKind};
use domain::problem::Problem;
use poem_openapi::Enum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which of OpenAI's protocols carries chat calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename = "EndpointApi", rename_all = "snake_case")]
#[schemars(rename = "EndpointApi")]
#[expect(missing_docs, reason = "the words are the protocols")]
pub enum ApiDocument {
    Chat,
    Responses,
}

/// Which header of a request carries the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[oai(rename = "EndpointAuth", rename_all = "kebab-case")]
#[schemars(rename = "EndpointAuth")]
#[expect(missing_docs, reason = "the words are the headers")]
pub enum AuthDocument {
    Bearer,
    ApiKey,
    XApiKey,
    XGoogApiKey,
}

impl From<ApiDocument> for Api {
    fn from(api: ApiDocument) -> Self {
        match api {
            ApiDocument::Chat => Self::Chat,
            ApiDocument::Responses => Self::Responses,
        }
    }
}

impl From<Api> for ApiDocument {
    fn from(api: Api) -> Self {
        match api {
            Api::Chat => Self::Chat,
            Api::Responses => Self::Responses,
        }
    }
}

impl From<AuthDocument> for Auth {
    fn from(auth: AuthDocument) -> Self {
        match auth {
            AuthDocument::Bearer => Self::Bearer,
            AuthDocument::ApiKey => Self::ApiKey,
            AuthDocument::XApiKey => Self::XApiKey,
            AuthDocument::XGoogApiKey => Self::XGoogApiKey,
        }
    }
}

impl From<Auth> for AuthDocument {
    fn from(auth: Auth) -> Self {
        match auth {
            Auth::Bearer => Self::Bearer,
            Auth::ApiKey => Self::ApiKey,
            Auth::XApiKey => Self::XApiKey,
            Auth::XGoogApiKey => Self::XGoogApiKey,
        }
    }
}

/// The protocol of chat calls, which only servers of `OpenAI`'s kind have a choice of.
pub(super) fn api(api: Option<ApiDocument>, kind: EndpointKind, problems: &mut Vec<Problem>) -> Api {
    if api.is_some() && kind != EndpointKind::OpenAi {
        let detail = format!("`api` is for endpoints of kind `openai`: leave it out for kind `{kind}`");
        problems.push(Problem::new("/api", "not_allowed", detail));
    }
    api.map_or_else(Api::default, Api::from)
}
