//! What hosted models cost by the lists of their providers. The data are those of genai-prices (MIT licensed, see
//! `list_prices/genai-prices.LICENSE`), as `list_prices/update.py` writes them.

mod listing;

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use domain::endpoint::{Endpoint, EndpointKind};
use domain::pricing::{CostSource, Price};

use self::listing::{Listing, Provider};

/// The list that ships with the product.
static LISTING: LazyLock<Listing> =
    LazyLock::new(|| Listing::read(include_str!("list_prices/genai-prices.json")).unwrap_or_default());

/// Prices that were looked up, by URL and model.
static KNOWN: LazyLock<RwLock<HashMap<String, Models>>> = LazyLock::new(RwLock::default);

type Models = HashMap<String, Option<Arc<Price>>>;

/// Prices that are kept at most.
const MAX_KNOWN: usize = 4_096;

/// The price of a model at an endpoint.
#[derive(Debug, Clone)]
pub enum KnownPrice<'a> {
    /// The endpoint has a price of its own.
    Own(&'a Price),
    /// The provider's list has one.
    Listed(Arc<Price>),
}

impl KnownPrice<'_> {
    /// Where it is known from.
    #[must_use]
    pub const fn source(&self) -> CostSource {
        match self {
            Self::Own(_) => CostSource::Endpoint,
            Self::Listed(_) => CostSource::List,
        }
    }
}

impl Deref for KnownPrice<'_> {
    type Target = Price;

    fn deref(&self) -> &Price {
        match self {
            Self::Own(price) => price,
            Self::Listed(price) => price,
        }
    }
}

/// The list that prices are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPrices {
    /// The provider whose list it is.
    pub provider: &'static str,
    /// The data, with their version.
    pub source: &'static str,
    /// The day that they are of, as in `2026-11-10`.
    pub day: &'static str,
}

/// The price of a model at an endpoint: its own, else that of its provider's list; `None` where neither has one.
#[must_use]
pub fn price_of<'a>(endpoint: &'a Endpoint, model: &str) -> Option<KnownPrice<'a>> {
    if let Some(own) = endpoint.prices.get(model) {
        return Some(KnownPrice::Own(own));
    }
    listed(endpoint, model).map(KnownPrice::Listed)
}

/// The list that prices of an endpoint's models are taken from, where its URL is a known provider's.
#[must_use]
pub fn list_of(endpoint: &Endpoint) -> Option<ListPrices> {
    let provider = provider_of(endpoint)?;
    Some(ListPrices { provider: &provider.name, source: &LISTING.source, day: day() })
}

/// The day that the list is of.
#[must_use]
pub fn day() -> &'static str {
    &LISTING.day
}

fn listed(endpoint: &Endpoint, model: &str) -> Option<Arc<Price>> {
    let url = endpoint.identity.url.as_str();
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(price) = known.get(url).and_then(|models| models.get(model)) {
        return price.clone();
    }
    drop(known);
    let price = provider_of(endpoint).and_then(|provider| LISTING.price(provider, model)).map(Arc::new);
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if known.values().map(HashMap::len).sum::<usize>() >= MAX_KNOWN {
        known.clear();
    }
    known.entry(url.to_owned()).or_default().insert(model.to_owned(), price.clone());
    price
}

fn provider_of(endpoint: &Endpoint) -> Option<&'static Provider> {
    if has_public_name(endpoint) { LISTING.provider(&endpoint.identity.url) } else { None }
}

/// Whether an endpoint's host may be a provider's: never an address, or a name that only a private network has.
fn has_public_name(endpoint: &Endpoint) -> bool {
    const PRIVATE: [&str; 6] = ["localhost", "local", "internal", "lan", "home.arpa", "corp"];
    if endpoint.identity.kind == EndpointKind::Simulated {
        return false;
    }
    let host = listing::host(&endpoint.identity.url).trim_end_matches('.');
    let is_private = |end: &str| host.strip_suffix(end).is_some_and(|before| before.ends_with('.'));
    host.contains('.')
        && !host.starts_with('[')
        && !host.ends_with(|c: char| c.is_ascii_digit())
        && !PRIVATE.iter().any(|end| is_private(end))
}

#[cfg(test)]
mod tests {
    use domain::endpoint::EndpointIdentity;
    use domain::id::EndpointId;
    use domain::money::NanoDollars;

    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint::new(EndpointId::new(1), "e", EndpointIdentity::new(EndpointKind::OpenAi, url))
    }

    fn input(url: &str, model: &str) -> Option<f64> {
        price_of(&endpoint(url), model).map(|price| price.rates.input.dollars())
    }

    #[test]
    fn models_cost_what_their_provider_s_list_says() {
        for (url, model, dollars) in [
            ("https://api.openai.com/v1", "gpt-5", Some(1.25)),
            ("https://api.openai.com/v1", "GPT-5", Some(1.25)),
            ("https://api.openai.com/v1", "gpt-5-2025-08-07", Some(1.25)),
            ("https://api.openai.com/v1", "a-model-of-mine", None),
            ("https://api.anthropic.com/v1", "claude-3-5-sonnet-20241022", Some(3.0)),
            ("https://openrouter.ai/api/v1", "anthropic/claude-haiku-5.5", Some(0.1)),
            ("https://mine.openai.azure.com/openai/v1", "gpt-5", Some(1.25)),
        ] {
            assert_eq!(input(url, model), dollars, "{model} at {url}");
        }
        let openai = endpoint("https://api.openai.com/v1");
        let tiered = price_of(&openai, "gpt-5.4").unwrap();
        assert_eq!(tiered.tiers[0].above_input_tokens, 272_000);
        assert_eq!(tiered.tiers[0].rates.input, NanoDollars::new(5_000_000_000));
        assert_eq!(tiered.rates.cache_read, Some(NanoDollars::new(250_000_000)));
    }

    #[test]
    fn what_is_not_the_provider_has_no_list_price() {
        for url in [
            "http://127.0.0.1:8000/v1",
            "http://[::1]:8000/v1",
            "http://192.168.1.7/https://api.openai.com/v1",
            "http://localhost:11434/v1",
            "http://api.openai.com.lan/v1",
            "https://api.openai.com.evil.example/v1",
            "https://10.0.0.1/x.googleapis.com/v1",
            "https://a.example/x.googleapis.com/v1",
            "http://vllm:8000/v1",
            "https://llm.internal/v1",
        ] {
            assert_eq!(input(url, "gpt-5"), None, "{url}");
            assert_eq!(input(url, "gemini-2.5-flash"), None, "{url}");
            assert_eq!(list_of(&endpoint(url)), None, "{url}");
        }
    }

    #[test]
    fn an_endpoint_s_own_price_wins() {
        let own = Price::flat(NanoDollars::new(7), NanoDollars::new(9));
        let mut endpoint = endpoint("https://api.openai.com/v1");
        endpoint.prices.insert("gpt-5".to_owned(), own.clone());
        let price = price_of(&endpoint, "gpt-5").unwrap();
        assert_eq!((price.source(), price.clone().rates), (CostSource::Endpoint, own.rates));
        assert_eq!(price_of(&endpoint, "gpt-5-mini").unwrap().source(), CostSource::List);
    }

    #[test]
    fn the_list_is_read_whole() {
        assert!(LISTING.source.starts_with("genai-prices "));
        assert_eq!(day().len(), "2026-11-10".len());
        let list = list_of(&endpoint("https://api.anthropic.com/v1")).unwrap();
        assert_eq!((list.provider, list.day), ("Anthropic", day()));
        assert!(LISTING.models() > 1_000, "{} models", LISTING.models());
    }
}
