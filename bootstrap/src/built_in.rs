//! The endpoints that are there from the start: the simulation, and the one that the environment names.

use std::collections::BTreeMap;

use application::ports::Ids as _;
use domain::endpoint::{Endpoint, EndpointIdentity, EndpointKind};
use domain::id::EndpointId;
use domain::money::NanoDollars;
use domain::pricing::Price;
use system::SystemIds;
use wire::endpoint::SIMULATED_URL;

use crate::settings::Settings;

/// The label of the built-in simulation.
pub(crate) const SIMULATED: &str = "simulated";

/// What the simulated models would cost: in the proportion that hosted models of three sizes have, so that a newcomer sees how
/// cost is weighed. Dollars for a million tokens in and out.
fn simulated_prices() -> BTreeMap<String, Price> {
    let prices = [
        ("sim-small", 0.1, 0.4),
        ("sim-medium", 0.5, 2.0),
        ("sim-large", 2.5, 10.0),
        ("sim-embed", 0.02, 0.0),
        ("sim-embed-small", 0.005, 0.0),
    ];
    let dollars = |amount| NanoDollars::from_dollars(amount).unwrap_or_default();
    prices
        .map(|(model, input, output)| (model.to_owned(), Price::flat(dollars(input), dollars(output))))
        .into()
}

/// The built-in endpoints.
pub(crate) fn endpoints(settings: &Settings) -> Vec<Endpoint> {
    let endpoint = |label: &str, identity| Endpoint::new(EndpointId::new(SystemIds.next()), label, identity);
    let simulated = Endpoint {
        prices: simulated_prices(),
        ..endpoint(SIMULATED, EndpointIdentity::new(EndpointKind::Simulated, SIMULATED_URL))
    };
    let default = settings.default_endpoint.as_ref().map(|default| Endpoint {
        api_key: default.key.clone(),
        ..endpoint(
            application::model_defaults::DEFAULT_ENDPOINT,
            EndpointIdentity::new(EndpointKind::OpenAi, &default.url),
        )
    });
    std::iter::once(simulated).chain(default).collect()
}
