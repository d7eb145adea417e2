//! A list of prices, and how providers and models are recognised in it.

use domain::money::NanoDollars;
use domain::pricing::{Price, PriceTier, Rates};
use regex::Regex;
use serde::{Deserialize, Deserializer};

/// Prices of many providers.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Listing {
    /// Whose data they are, with their version.
    pub(super) source: String,
    /// The day that they are of.
    pub(super) day: String,
    providers: Vec<Provider>,
}

/// Who serves models.
#[derive(Debug, Deserialize)]
pub(super) struct Provider {
    id: String,
    /// Its name.
    pub(super) name: String,
    /// What its addresses begin with.
    address: Pattern,
    /// Providers whose models it serves too.
    also: Vec<String>,
    models: Vec<Model>,
}

#[derive(Debug, Deserialize)]
struct Model {
    #[serde(rename = "match")]
    names: Clause,
    #[serde(flatten)]
    rates: ListedRates,
    #[serde(default)]
    tiers: Vec<Tier>,
}

#[derive(Debug, Deserialize)]
struct Tier {
    above: u64,
    #[serde(flatten)]
    rates: ListedRates,
}

/// US dollars for a million tokens, as decimals.
#[derive(Debug, Deserialize)]
struct ListedRates {
    input: Option<String>,
    output: Option<String>,
    cache_read: Option<String>,
    cache_write: Option<String>,
}

/// Which names of models are meant; case does not count.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Clause {
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Regex(Pattern),
    Any(Vec<Self>),
    All(Vec<Self>),
    Not(Box<Self>),
}

#[derive(Debug)]
struct Pattern(Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pattern = String::deserialize(deserializer)?;
        Regex::new(&pattern).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Listing {
    /// The list that a JSON text holds.
    pub(super) fn read(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// The provider that a URL belongs to.
    pub(super) fn provider(&self, url: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.is_at(url))
    }

    /// The price of a model that a provider serves.
    pub(super) fn price(&self, provider: &Provider, model: &str) -> Option<Price> {
        let model = model.to_lowercase();
        provider.price(&model).or_else(|| {
            let mut others =
                provider.also.iter().filter_map(|id| self.providers.iter().find(|one| one.id == *id));
            others.find_map(|other| other.price(&model))
        })
    }

    /// How many models it has.
    #[cfg(test)]
    pub(super) fn models(&self) -> usize {
        self.providers.iter().map(|provider| provider.models.len()).sum()
    }
}

/// The host that a URL names, in front of its port.
pub(super) fn host(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    authority.split_once(':').filter(|_| !authority.starts_with('[')).map_or(authority, |(host, _)| host)
}

impl Provider {
    /// Whether the URL is one of its addresses. What the pattern says of the host is held against the host alone: a name in
    /// the path, or one that goes on behind the pattern, is somebody else's.
    fn is_at(&self, url: &str) -> bool {
        let pattern = &self.address.0;
        let host = host(url);
        let head = &url[..url.find(host).unwrap_or_default() + host.len()];
        let begins = |text| pattern.find(text).filter(|found| found.start() == 0);
        match begins(head) {
            Some(found) => found.end() == head.len() || found.as_str().ends_with('.'),
            None => names_path(pattern.as_str()) && begins(url).is_some(),
        }
    }

    fn price(&self, model: &str) -> Option<Price> {
        self.models.iter().find(|one| one.names.matches(model)).map(Model::price)
    }
}

/// Whether a pattern of addresses says more than scheme and host.
fn names_path(pattern: &str) -> bool {
    let behind_scheme = pattern.split_once("://").map_or(pattern, |(_, rest)| rest);
    behind_scheme.replace("(?:/|$)", "").replace("(/|$)", "").replace("[^/]", "").contains('/')
}

impl Clause {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Equals(text) => name == text,
            Self::StartsWith(text) => name.starts_with(text),
            Self::EndsWith(text) => name.ends_with(text),
            Self::Contains(text) => name.contains(text),
            Self::Regex(pattern) => pattern.0.is_match(name),
            Self::Any(clauses) => clauses.iter().any(|clause| clause.matches(name)),
            Self::All(clauses) => clauses.iter().all(|clause| clause.matches(name)),
            Self::Not(clause) => !clause.matches(name),
        }
    }
}

impl Model {
    fn price(&self) -> Price {
        let nothing = Rates {
            input: NanoDollars::ZERO,
            output: NanoDollars::ZERO,
            cache_read: None,
            cache_write: None,
        };
        let rates = self.rates.over(nothing);
        let beyond = Rates { cache_read: None, cache_write: None, ..rates };
        let tiers = self.tiers.iter();
        let tiers =
            tiers.map(|tier| PriceTier { above_input_tokens: tier.above, rates: tier.rates.over(beyond) });
        Price { rates, tiers: tiers.collect(), factor_millionths: Price::WHOLE }
    }
}

impl ListedRates {
    /// These rates; where they are left out, those of `base`.
    fn over(&self, base: Rates) -> Rates {
        let amount = |text: &Option<String>| NanoDollars::from_dollars(text.as_ref()?.parse().ok()?);
        Rates {
            input: amount(&self.input).unwrap_or(base.input),
            output: amount(&self.output).unwrap_or(base.output),
            cache_read: amount(&self.cache_read).or(base.cache_read),
            cache_write: amount(&self.cache_write).or(base.cache_write),
        }
    }
}
