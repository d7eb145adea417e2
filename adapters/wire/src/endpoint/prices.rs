//! What models cost.

use std::collections::BTreeMap;

use domain::money::NanoDollars;
use domain::pricing::{Price, PriceTier, Rates};
use domain::problem::{Problem, segment};
use poem_openapi::Object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a model costs, in US dollars for a million tokens.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(rename = "Price", deny_unknown_fields)]
#[schemars(rename = "Price")]
pub struct PriceDocument {
    /// Prompt tokens.
    pub input_per_million: f64,
    /// Completion tokens.
    pub output_per_million: f64,
    /// Prompt tokens that the server reads from its cache; as other prompt tokens where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub cache_read_per_million: Option<f64>,
    /// Prompt tokens that the server writes to its cache; as other prompt tokens where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub cache_write_per_million: Option<f64>,
    /// Prices of longer prompts, which hold for every token of the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[oai(default, skip_serializing_if_is_empty)]
    pub tiers: Vec<PriceTierDocument>,
    /// What the result is multiplied by, such as 0.5 for half of it; 1 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub factor: Option<f64>,
}

/// The prices of calls with more than so many prompt tokens, in US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(rename = "PriceTier", deny_unknown_fields)]
#[schemars(rename = "PriceTier")]
pub struct PriceTierDocument {
    /// Prompt tokens above which it holds.
    pub above_input_tokens: u64,
    /// Prompt tokens.
    pub input_per_million: f64,
    /// Completion tokens.
    pub output_per_million: f64,
    /// Prompt tokens that the server reads from its cache; in proportion to the price of prompt tokens where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub cache_read_per_million: Option<f64>,
    /// Prompt tokens that the server writes to its cache; in proportion to the price of prompt tokens where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub cache_write_per_million: Option<f64>,
}

/// The largest factor of a price.
const LARGEST_FACTOR: f64 = 1_000.0;

/// Prices by model; what is wrong with them is added to the problems.
pub(super) fn read(
    prices: BTreeMap<String, PriceDocument>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Price> {
    let mut known = BTreeMap::new();
    for (model, price) in prices {
        match price.into_price() {
            Ok(price) => drop(known.insert(model, price)),
            Err((field, detail)) => {
                let pointer = format!("/prices/{}{field}", segment(&model));
                problems.push(Problem::new(pointer, "out_of_range", detail));
            }
        }
    }
    known
}

impl PriceDocument {
    /// The price, or what is wrong, with its place.
    fn into_price(self) -> Result<Price, (String, String)> {
        let rates = rates(
            self.input_per_million,
            self.output_per_million,
            self.cache_read_per_million,
            self.cache_write_per_million,
        );
        let rates = rates.map_err(|detail| (String::new(), detail))?;
        let mut tiers: Vec<PriceTier> = Vec::with_capacity(self.tiers.len());
        for (place, tier) in self.tiers.into_iter().enumerate() {
            let wrong = |detail| (format!("/tiers/{place}"), detail);
            let tier = tier.into_tier().map_err(wrong)?;
            if tiers.last().is_some_and(|last| last.above_input_tokens >= tier.above_input_tokens) {
                return Err(wrong("tiers stand in the order of `above_input_tokens`, each once".to_owned()));
            }
            tiers.push(tier);
        }
        Ok(Price { rates, tiers, factor_millionths: factor(self.factor)? })
    }
}

impl PriceTierDocument {
    fn into_tier(self) -> Result<PriceTier, String> {
        let rates = rates(
            self.input_per_million,
            self.output_per_million,
            self.cache_read_per_million,
            self.cache_write_per_million,
        )?;
        Ok(PriceTier { above_input_tokens: self.above_input_tokens, rates })
    }
}

fn rates(
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
) -> Result<Rates, String> {
    let dollars = |amount: f64| {
        let amount = NanoDollars::from_dollars(amount).filter(|amount| *amount >= NanoDollars::ZERO);
        amount.ok_or_else(|| "prices are US dollars from 0 up".to_owned())
    };
    Ok(Rates {
        input: dollars(input)?,
        output: dollars(output)?,
        cache_read: cache_read.map(dollars).transpose()?,
        cache_write: cache_write.map(dollars).transpose()?,
    })
}

fn factor(factor: Option<f64>) -> Result<u32, (String, String)> {
    let Some(factor) = factor else { return Ok(Price::WHOLE) };
    if factor > 0.0 && factor <= LARGEST_FACTOR {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the bounds above"
        )]
        let millionths = (factor * f64::from(Price::WHOLE)).round() as u32;
        return Ok(millionths.max(1));
    }
    let detail =
        format!("a factor is a number above 0, at most {LARGEST_FACTOR}: 0.5 charges half of the price");
    Err(("/factor".to_owned(), detail))
}

impl From<&Price> for PriceDocument {
    fn from(price: &Price) -> Self {
        let Rates { input, output, cache_read, cache_write } = price.rates;
        let factor = f64::from(price.factor_millionths) / f64::from(Price::WHOLE);
        Self {
            input_per_million: input.dollars(),
            output_per_million: output.dollars(),
            cache_read_per_million: cache_read.map(NanoDollars::dollars),
            cache_write_per_million: cache_write.map(NanoDollars::dollars),
            tiers: price.tiers.iter().map(PriceTierDocument::from).collect(),
            factor: (price.factor_millionths != Price::WHOLE).then_some(factor),
        }
    }
}

impl From<&PriceTier> for PriceTierDocument {
    fn from(tier: &PriceTier) -> Self {
        let Rates { input, output, cache_read, cache_write } = tier.rates;
        Self {
            above_input_tokens: tier.above_input_tokens,
            input_per_million: input.dollars(),
            output_per_million: output.dollars(),
            cache_read_per_million: cache_read.map(NanoDollars::dollars),
            cache_write_per_million: cache_write.map(NanoDollars::dollars),
        }
    }
}
