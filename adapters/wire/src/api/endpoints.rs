//! Model servers.

use std::collections::BTreeMap;

use application::{endpoints, list_prices};
use domain::endpoint::{self, EndpointKind, MaxTokensField};
use domain::secret::Secret;
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{id, pages};
use crate::endpoint::{
    ApiDocument, AuthDocument, KindDocument, LimitsDocument, MaxTokensFieldDocument, PriceDocument,
};

/// A model server. Its key is never shown.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct Endpoint {
    /// Its id.
    pub id: Uuid,
    /// Its name in experiments.
    pub label: String,
    /// The protocol of the server.
    pub kind: KindDocument,
    /// The protocol of chat calls; for kind `openai` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiDocument>,
    /// The header that carries the key.
    pub auth: AuthDocument,
    /// Its base URL.
    pub url: String,
    /// Whether a key is stored for it.
    pub has_key: bool,
    /// The last four characters of a key of at least 12.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_last4: Option<String>,
    /// Additional headers of its requests, with `***` for their values. In an update, `***` keeps a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// Prices in US dollars, by model.
    pub prices: BTreeMap<String, PriceDocument>,
    /// The list that the prices of other models are taken from, where its URL is a known provider's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_prices: Option<ListPrices>,
    /// Limits of its use.
    pub limits: LimitsDocument,
    /// The field of a request that carries the limit of output tokens.
    pub max_tokens_field: MaxTokensFieldDocument,
    /// The most output tokens of an answer, for stages without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// The time limit of one exchange, in seconds.
    pub timeout_s: f64,
}

/// A provider's list prices.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct ListPrices {
    /// The provider.
    pub provider: String,
    /// The data, with their version.
    pub source: String,
    /// The day that they are of.
    pub date: String,
}

impl From<list_prices::ListPrices> for ListPrices {
    fn from(list: list_prices::ListPrices) -> Self {
        let list_prices::ListPrices { provider, source, day } = list;
        Self { provider: provider.to_owned(), source: source.to_owned(), date: day.to_owned() }
    }
}

/// Of shorter keys, no characters are shown.
const SHOWN_FROM: usize = 12;

impl From<endpoint::Endpoint> for Endpoint {
    fn from(endpoint: endpoint::Endpoint) -> Self {
        let list_prices = list_prices::list_of(&endpoint).map(ListPrices::from);
        let key = endpoint.api_key.as_ref().map(Secret::expose);
        let letters: Vec<char> = key.unwrap_or_default().chars().collect();
        let last4 = letters.len().checked_sub(4).filter(|_| letters.len() >= SHOWN_FROM);
        Self {
            id: id(endpoint.id.bits()),
            label: endpoint.label,
            kind: match endpoint.identity.kind {
                EndpointKind::OpenAi => KindDocument::Openai,
                EndpointKind::Anthropic => KindDocument::Anthropic,
                EndpointKind::Simulated => KindDocument::Simulated,
            },
            api: (endpoint.identity.kind == EndpointKind::OpenAi).then(|| endpoint.api.into()),
            auth: endpoint.auth.into(),
            url: endpoint.identity.url,
            has_key: key.is_some(),
            key_last4: last4.map(|from| letters[from..].iter().collect()),
            headers: endpoint.headers.filter(|headers| !headers.is_empty()).map(masked),
            prices: endpoint.prices.iter().map(|(model, price)| (model.clone(), price.into())).collect(),
            list_prices,
            limits: endpoint.limits.into(),
            max_tokens_field: match endpoint.max_tokens_field {
                MaxTokensField::MaxTokens => MaxTokensFieldDocument::MaxTokens,
                MaxTokensField::MaxCompletionTokens => MaxTokensFieldDocument::MaxCompletionTokens,
            },
            max_output_tokens: endpoint.max_output_tokens,
            timeout_s: endpoint.timeout.as_secs_f64(),
        }
    }
}

fn masked(headers: BTreeMap<String, Secret>) -> BTreeMap<String, String> {
    headers.into_keys().map(|name| (name, Secret::MASK.to_owned())).collect()
}

/// The result of testing an endpoint.
#[derive(Debug, Clone, Serialize, Object, JsonSchema)]
pub struct EndpointTest {
    /// Whether it answered.
    pub ok: bool,
    /// How long it took, in milliseconds.
    pub latency_ms: u64,
    /// The models that it offers.
    pub models: Vec<String>,
    /// Why it did not answer as expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl From<endpoints::EndpointTest> for EndpointTest {
    fn from(tried: endpoints::EndpointTest) -> Self {
        let (models, error) = match tried.models {
            Ok(models) => (models, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Self { ok: error.is_none(), latency_ms: tried.latency_ms, models, error }
    }
}

pages! {
    /// Endpoints, by label.
    EndpointPage of Endpoint,
}
