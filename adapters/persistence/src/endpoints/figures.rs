//! Prices, limits and lists of models as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use domain::endpoint::Limits;
use domain::money::NanoDollars;
use domain::pricing::{Price, PriceTier, Rates};
use domain::rate::RateLimits;
use domain::value::{Map, Value};

/// Prices as they are stored.
pub(super) fn of_prices(prices: &BTreeMap<String, Price>) -> Value {
    Value::Map(prices.iter().map(|(model, price)| (model.clone(), of_price(price))).collect())
}

fn of_price(price: &Price) -> Value {
    let mut fields = of_rates(price.rates);
    let tiers = price.tiers.iter().map(|tier| {
        let mut fields = of_rates(tier.rates);
        fields.insert("above_input_tokens".to_owned(), Value::from(tier.above_input_tokens));
        Value::Map(fields)
    });
    if !price.tiers.is_empty() {
        fields.insert("tiers".to_owned(), Value::List(tiers.collect()));
    }
    if price.factor_millionths != Price::WHOLE {
        fields.insert("factor_millionths".to_owned(), Value::from(price.factor_millionths));
    }
    Value::Map(fields)
}

fn of_rates(rates: Rates) -> Map {
    let named = [
        ("input_nano_per_million", Some(rates.input)),
        ("output_nano_per_million", Some(rates.output)),
        ("cache_read_nano_per_million", rates.cache_read),
        ("cache_write_nano_per_million", rates.cache_write),
    ];
    let known =
        named.into_iter().filter_map(|(name, rate)| Some((name.to_owned(), Value::from(rate?.nanos()))));
    known.collect()
}

/// Prices as they were stored; what cannot be read is left out.
pub(super) fn prices(value: &Value) -> BTreeMap<String, Price> {
    let models = value.as_map().into_iter().flatten();
    models.filter_map(|(model, value)| Some((model.clone(), price(value.as_map()?)?))).collect()
}

fn price(fields: &Map) -> Option<Price> {
    let whole = |fields: &Map, name: &str| fields.get(name)?.as_number()?.as_u64();
    let tier = |value: &Value| {
        let fields = value.as_map()?;
        Some(PriceTier { above_input_tokens: whole(fields, "above_input_tokens")?, rates: rates(fields)? })
    };
    let tiers = fields.get("tiers").and_then(Value::as_list).unwrap_or_default();
    let factor = whole(fields, "factor_millionths").and_then(|factor| u32::try_from(factor).ok());
    Some(Price {
        rates: rates(fields)?,
        tiers: tiers.iter().filter_map(tier).collect(),
        factor_millionths: factor.unwrap_or(Price::WHOLE),
    })
}

fn rates(fields: &Map) -> Option<Rates> {
    let rate = |name: &str| fields.get(name)?.as_number()?.as_i64().map(NanoDollars::new);
    Some(Rates {
        input: rate("input_nano_per_million")?,
        output: rate("output_nano_per_million")?,
        cache_read: rate("cache_read_nano_per_million"),
        cache_write: rate("cache_write_nano_per_million"),
    })
}

/// Limits as they are stored.
pub(super) fn of_limits(limits: Limits) -> Value {
    let RateLimits { requests_per_minute, tokens_per_minute } = limits.rate;
    let rate = [("requests_per_minute", requests_per_minute), ("tokens_per_minute", tokens_per_minute)];
    let rate = rate.into_iter().filter_map(|(name, limit)| Some((name, limit?)));
    let all = [("concurrency", limits.concurrency)].into_iter().chain(rate);
    Value::Map(all.map(|(name, limit)| (name.to_owned(), Value::from(limit.get()))).collect())
}

/// Limits as they were stored.
pub(super) fn limits(value: &Value) -> Limits {
    let limit = |name: &str| {
        let number = value.as_map()?.get(name)?.as_number()?.as_u64()?;
        NonZeroU32::new(u32::try_from(number).ok()?)
    };
    let rate = RateLimits {
        requests_per_minute: limit("requests_per_minute"),
        tokens_per_minute: limit("tokens_per_minute"),
    };
    Limits { concurrency: limit("concurrency").unwrap_or(Limits::default().concurrency), rate }
}

/// The parameters that models take, as they are stored.
pub(super) fn of_model_list(models: &BTreeMap<String, BTreeSet<String>>) -> Value {
    let names =
        |names: &BTreeSet<String>| Value::List(names.iter().map(|name| Value::from(name.as_str())).collect());
    Value::Map(models.iter().map(|(model, taken)| (model.clone(), names(taken))).collect())
}

/// The parameters that models take, as they were stored.
pub(super) fn model_list(value: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let names = |value: &Value| {
        let names = value.as_list().unwrap_or_default().iter().filter_map(Value::as_text);
        names.map(str::to_owned).collect()
    };
    value.as_map().into_iter().flatten().map(|(model, taken)| (model.clone(), names(taken))).collect()
}
