//! The operations under `/api/v1`. A handler reads its request, calls one use case, and writes the answer.

mod accounts;
mod endpoints;
mod events;
mod experiments;
mod exports;
mod projects;
mod runs;
mod samples;
mod scores;
mod sweeps;

use std::collections::HashMap;
use std::sync::Arc;

use application::services::Services;
use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService, Tags};

use crate::list_query::explode;

/// The groups of operations.
#[derive(Tags)]
enum Tag {
    /// Log in, and get the current caller.
    Auth,
    /// Settings of the installation.
    Admin,
    /// Workspaces of related experiments.
    Projects,
    /// Pipelines, samples, scoring and parameter spaces.
    Experiments,
    /// Batches of runs over a parameter space.
    Sweeps,
    /// Configurations, evaluated on every sample.
    Runs,
    /// Configurations and results, as files.
    Exports,
    /// Model servers.
    Endpoints,
    /// Events of experiments.
    Events,
}

type Operations = (
    accounts::Api,
    projects::Api,
    experiments::Api,
    sweeps::Api,
    runs::Api,
    scores::Api,
    samples::Api,
    exports::Api,
    endpoints::Api,
    events::Api,
);

/// The path of all operations.
pub(crate) const BASE: &str = "/api/v1";

/// All operations on these use cases.
pub(crate) fn service(services: &Arc<Services>) -> OpenApiService<impl OpenApi + use<>, ()> {
    let operations: Operations = (
        accounts::Api(Arc::clone(services)),
        projects::Api(Arc::clone(services)),
        experiments::Api(Arc::clone(services)),
        sweeps::Api(Arc::clone(services)),
        runs::Api(Arc::clone(services)),
        scores::Api(Arc::clone(services)),
        samples::Api,
        exports::Api(Arc::clone(services)),
        endpoints::Api(Arc::clone(services)),
        events::Api(Arc::clone(services)),
    );
    documented(operations)
}

/// The API's document of the operations, before it is completed.
pub(crate) fn described() -> String {
    documented(Described).spec()
}

fn documented<T: OpenApi>(operations: T) -> OpenApiService<FlatParameters<T>, ()> {
    OpenApiService::new(FlatParameters(operations), "PromptLooper", env!("CARGO_PKG_VERSION"))
        .description("Finds the best configuration of an LLM pipeline.")
        .server(BASE)
}

/// Operations whose document lists each parameter on its own.
pub(crate) struct FlatParameters<T>(T);

impl<T: OpenApi> OpenApi for FlatParameters<T> {
    fn meta() -> Vec<MetaApi> {
        explode(T::meta())
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn add_routes(self, routes: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        self.0.add_routes(routes);
    }
}

/// The operations without use cases, for their document.
struct Described;

impl OpenApi for Described {
    fn meta() -> Vec<MetaApi> {
        Operations::meta()
    }

    fn register(registry: &mut Registry) {
        Operations::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}
