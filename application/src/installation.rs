//! The settings of the installation, which hold for everybody.

use std::sync::Arc;

use domain::access::Admin;
use domain::problem::{Problem, unknown};

use crate::accounts::ALLOW_GUESTS;
use crate::model_defaults::ModelDefaults;
use crate::ports::{EndpointStore, SettingStore};
use crate::refusal::Refusal;

/// What an administrator can set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationSettings {
    /// Whether callers without an account may read everything but secrets.
    pub allow_guests: bool,
    /// The endpoint and the models of stages and scorers that name none.
    pub defaults: ModelDefaults,
}

/// The use cases of the installation's settings.
pub struct Installation {
    settings: Arc<dyn SettingStore>,
    endpoints: Arc<dyn EndpointStore>,
}

impl Installation {
    /// The use cases over these ports.
    #[must_use]
    pub const fn new(settings: Arc<dyn SettingStore>, endpoints: Arc<dyn EndpointStore>) -> Self {
        Self { settings, endpoints }
    }

    /// The settings.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn settings(&self, _by: &Admin) -> Result<InstallationSettings, Refusal> {
        let allowed = self.settings.setting(ALLOW_GUESTS).await?;
        let defaults = ModelDefaults::load(&*self.settings).await?;
        Ok(InstallationSettings { allow_guests: allowed.as_deref() == Some("true"), defaults })
    }

    /// Replaces all settings. Runs keep the endpoints and models that they were made with.
    ///
    /// # Errors
    /// Where a default is blank, or the default endpoint does not exist.
    pub async fn replace(&self, _by: &Admin, settings: &InstallationSettings) -> Result<(), Refusal> {
        let problems = self.problems(&settings.defaults).await?;
        if !problems.is_empty() {
            return Err(Refusal::Invalid(problems));
        }
        let guests = if settings.allow_guests { "true" } else { "false" };
        let mut changes = vec![(ALLOW_GUESTS, Some(guests))];
        changes.extend(settings.defaults.named());
        let changes = changes.into_iter().map(|(name, value)| (name, value.map(str::to_owned)));
        Ok(self.settings.change_settings(changes.collect()).await?)
    }

    async fn problems(&self, defaults: &ModelDefaults) -> Result<Vec<Problem>, Refusal> {
        let blank = |(name, value): &(&'static str, Option<&str>)| {
            let detail = format!("`{name}` is blank: leave it out where there is to be no default");
            value
                .is_some_and(|value| value.trim().is_empty())
                .then(|| Problem::new(format!("/{name}"), "empty", detail))
        };
        let mut problems: Vec<Problem> = defaults.named().iter().filter_map(blank).collect();
        if let Some(label) = defaults.endpoint.as_deref().filter(|label| !label.trim().is_empty()) {
            let endpoints = self.endpoints.all().await?;
            if !endpoints.iter().any(|endpoint| endpoint.label == label) {
                let labels = endpoints.iter().map(|endpoint| endpoint.label.as_str());
                let detail = unknown("endpoint", label, labels);
                problems.push(Problem::new("/default_endpoint", "unknown_endpoint", detail));
            }
        }
        Ok(problems)
    }
}
