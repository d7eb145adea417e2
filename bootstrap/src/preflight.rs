//! Asks the endpoints that an experiment needs whether they are there: one that is down is better known before a sweep
//! than after.

use std::collections::BTreeSet;
use std::time::Duration;

use application::catalog::Catalog;
use application::ports::ModelServer;
use domain::call::FailureKind;
use domain::endpoint::{Endpoint, EndpointKind};
use domain::experiment::Definition;
use futures::future::join_all;

use crate::failure::Failure;
use crate::progress::Screen;

/// How long an endpoint may take to list its models.
const LIST_TIMEOUT: Duration = Duration::from_secs(10);

/// Checks every endpoint that some configuration can call.
pub(crate) async fn check(
    servers: &dyn ModelServer,
    catalog: &Catalog,
    definition: &Definition,
    screen: &Screen,
) -> Result<(), Failure> {
    let wanted = catalog.calls(definition);
    let mut endpoints: Vec<&Endpoint> = wanted.iter().map(|(endpoint, _)| *endpoint).collect();
    endpoints.dedup_by(|a, b| a.label == b.label);
    let answers = join_all(endpoints.iter().map(|endpoint| reach(servers, endpoint))).await;
    let mut down = Vec::new();
    for (endpoint, answer) in endpoints.iter().zip(answers) {
        match answer {
            Err(error) => down.push(error),
            Ok(listed) => {
                let models =
                    wanted.iter().filter(|(of, _)| of.label == endpoint.label).map(|(_, model)| *model);
                missing(endpoint, &listed, &models.collect(), &mut down, screen);
            }
        }
    }
    if down.is_empty() { Ok(()) } else { Err(Failure::Error(down)) }
}

/// The models that an endpoint lists, or why it cannot be used. Servers that list none may well answer.
async fn reach(servers: &dyn ModelServer, endpoint: &Endpoint) -> Result<Vec<String>, String> {
    let quick = Endpoint { timeout: LIST_TIMEOUT.min(endpoint.timeout), ..endpoint.clone() };
    let failure = match servers.models(&quick).await {
        Ok(models) => return Ok(models.into_iter().map(|model| model.name).collect()),
        Err(failure) => failure,
    };
    let advice = match failure.kind {
        FailureKind::Connect | FailureKind::Timeout | FailureKind::BadHttp | FailureKind::AddressRefused => {
            "start the server or fix the URL, or skip this check with --no-check"
        }
        FailureKind::Unauthorized => "give the endpoint its key (api_key)",
        _ => return Ok(Vec::new()),
    };
    let Endpoint { label, identity, .. } = endpoint;
    Err(format!("endpoint `{label}` at {} cannot be used: {failure}; {advice}", identity.url))
}

/// Models that are not listed: the simulation has no others, a server may know more than it says.
fn missing(
    endpoint: &Endpoint,
    listed: &[String],
    wanted: &BTreeSet<&str>,
    down: &mut Vec<String>,
    screen: &Screen,
) {
    let unknown = wanted.iter().filter(|model| !listed.iter().any(|name| name == *model));
    for model in unknown.filter(|_| !listed.is_empty()) {
        let known = listed.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
        let told = format!("endpoint `{}` does not list a model `{model}`: it lists {known}", endpoint.label);
        if endpoint.identity.kind == EndpointKind::Simulated {
            down.push(told);
        } else {
            screen.say(&format!("note: {told}"));
        }
    }
}
