use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use application::installation::InstallationSettings;
use application::services::Services;
use domain::access::{Actor, Admin, Writer};
use domain::secret::Secret;
use poem::web::RemoteAddr;
use poem_openapi::OpenApi;
use wire::api::{Credentials, Me, PasswordChange, Session, Settings, SetupState};

use super::Tag;
use crate::body::Body;
use crate::caller::As;
use crate::failure::refused;
use crate::json_response::{Created, JsonResponse, Result};

pub(super) struct Api(pub(super) Arc<Services>);

#[OpenApi]
impl Api {
    /// Whether the installation has no account yet
    #[oai(path = "/auth/setup", method = "get", tag = "Tag::Auth", operation_id = "get_setup")]
    async fn get_setup(&self) -> Result<JsonResponse<SetupState>> {
        let accounts = &self.0.accounts;
        JsonResponse::new(SetupState {
            required: accounts.setup_required().await.map_err(refused)?,
            guest_access: accounts.guests_allowed().await.map_err(refused)?,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    /// Create the first account, an administrator
    #[oai(path = "/auth/setup", method = "post", tag = "Tag::Auth", operation_id = "set_up")]
    async fn set_up(&self, body: Body<Credentials>) -> Result<Created<Session>> {
        JsonResponse::new(self.0.accounts.set_up(body.value.into()).await.map_err(refused)?)
    }

    /// Log in
    #[oai(path = "/auth/login", method = "post", tag = "Tag::Auth", operation_id = "log_in")]
    async fn log_in(&self, from: &RemoteAddr, body: Body<Credentials>) -> Result<JsonResponse<Session>> {
        let from = from.as_socket_addr().map(SocketAddr::ip);
        let from = from.as_ref().map_or_else(String::new, IpAddr::to_string);
        JsonResponse::new(self.0.accounts.log_in(body.value.into(), &from).await.map_err(refused)?)
    }

    /// Log in with the one-time code of a link, sent as the bearer token
    #[oai(path = "/auth/once", method = "post", tag = "Tag::Auth", operation_id = "log_in_once")]
    async fn log_in_once(&self, code: As<Secret>) -> Result<JsonResponse<Session>> {
        JsonResponse::new(self.0.accounts.redeem(&code.0).await.map_err(refused)?)
    }

    /// Get the current caller
    #[oai(path = "/auth/me", method = "get", tag = "Tag::Auth", operation_id = "get_me")]
    #[expect(clippy::unused_async, reason = "operations are async")]
    async fn get_me(&self, by: As<Actor>) -> Result<JsonResponse<Me>> {
        JsonResponse::new(&by.0)
    }

    /// Change the caller's own password; earlier sessions end
    #[oai(path = "/auth/password", method = "put", tag = "Tag::Auth", operation_id = "change_password")]
    async fn change_password(
        &self,
        by: As<Writer>,
        body: Body<PasswordChange>,
    ) -> Result<JsonResponse<Session>> {
        let PasswordChange { current, new } = body.value;
        let changed = self.0.accounts.change_password(&by.0, Secret::new(current), Secret::new(new)).await;
        JsonResponse::new(changed.map_err(refused)?)
    }

    /// Get the settings of the installation
    #[oai(path = "/admin/settings", method = "get", tag = "Tag::Admin", operation_id = "get_settings")]
    async fn get_settings(&self, by: As<Admin>) -> Result<JsonResponse<Settings>> {
        let settings = self.0.installation.settings(&by.0).await.map_err(refused)?;
        JsonResponse::new(Settings::from(settings))
    }

    /// Replace the settings of the installation
    #[oai(path = "/admin/settings", method = "put", tag = "Tag::Admin", operation_id = "change_settings")]
    async fn change_settings(&self, by: As<Admin>, body: Body<Settings>) -> Result<JsonResponse<Settings>> {
        let settings = InstallationSettings::from(body.value);
        self.0.installation.replace(&by.0, &settings).await.map_err(refused)?;
        JsonResponse::new(Settings::from(settings))
    }
}
