//! Accounts, sessions and settings.

use application::accounts;
use application::installation::InstallationSettings;
use application::model_defaults::ModelDefaults;
use domain::access::{Actor, Identity, Scope, User};
use domain::secret::Secret;
use poem_openapi::{Enum, Object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Moment, id};

/// Whether the installation has an account yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object, JsonSchema)]
pub struct SetupState {
    /// Whether the administrator's account has yet to be created.
    pub required: bool,
    /// Whether guests may read everything but secrets.
    pub guest_access: bool,
    /// The program's version.
    pub version: String,
}

/// A name and a password.
#[derive(Clone, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct Credentials {
    /// 1 to 64 characters without blanks. The case does not matter.
    #[oai(validator(min_length = 1))]
    #[schemars(length(min = 1))]
    pub username: String,
    /// 8 to 71 bytes.
    #[oai(validator(min_length = 8, max_length = 71))]
    #[schemars(length(min = 8, max = 71))]
    pub password: String,
}

impl From<Credentials> for accounts::Credentials {
    fn from(given: Credentials) -> Self {
        Self { username: given.username, password: Secret::new(given.password) }
    }
}

/// A request to change the caller's own password.
#[derive(Clone, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct PasswordChange {
    /// The current password.
    pub current: String,
    /// The new password, 8 to 71 bytes.
    #[oai(validator(min_length = 8, max_length = 71))]
    #[schemars(length(min = 8, max = 71))]
    pub new: String,
}

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object, JsonSchema)]
pub struct SessionUser {
    /// The account's id.
    pub id: Uuid,
    /// The name to log in with.
    pub username: String,
    /// Whether the person may change endpoints, settings and accounts.
    pub is_admin: bool,
}

impl From<&User> for SessionUser {
    fn from(user: &User) -> Self {
        Self { id: id(user.id.bits()), username: user.username.clone(), is_admin: user.is_admin }
    }
}

/// A session that has begun.
#[derive(Clone, Serialize, Object, JsonSchema)]
pub struct Session {
    /// The bearer token, to be sent as `Authorization: Bearer <token>`.
    pub token: String,
    /// When the session ends.
    pub expires_at: Moment,
    /// The person who logged in.
    pub user: SessionUser,
}

impl From<accounts::Session> for Session {
    fn from(session: accounts::Session) -> Self {
        Self {
            token: session.token.expose().to_owned(),
            expires_at: session.expires_at.into(),
            user: SessionUser::from(&session.user),
        }
    }
}

/// The kinds of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum CallerKind {
    /// A person who logged in.
    User,
    /// A program with a key.
    ApiKey,
    /// A caller without an account.
    Guest,
}

/// The rights of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Enum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum CallerScope {
    /// Read everything but secrets.
    Read,
    /// Change projects, experiments and sweeps.
    Write,
    /// Change endpoints, settings and accounts.
    Admin,
}

/// The current caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object, JsonSchema)]
pub struct Me {
    /// The kind of caller.
    pub kind: CallerKind,
    /// The person, if the caller has an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<SessionUser>,
    /// The rights of the caller.
    pub scope: CallerScope,
}

impl From<&Actor> for Me {
    fn from(actor: &Actor) -> Self {
        let (kind, user) = match actor.identity() {
            Identity::User(user) => (CallerKind::User, Some(SessionUser::from(user))),
            Identity::Key(_) | Identity::System => (CallerKind::ApiKey, None),
            Identity::Guest => (CallerKind::Guest, None),
        };
        let scope = match actor.scope() {
            Scope::Read => CallerScope::Read,
            Scope::Write => CallerScope::Write,
            Scope::Admin => CallerScope::Admin,
        };
        Self { kind, user, scope }
    }
}

/// The settings of the installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Object, JsonSchema)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields)]
pub struct Settings {
    /// Whether callers without an account may read everything but secrets.
    pub allow_guest_access: bool,
    /// The label of the endpoint of stages and scorers that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_endpoint: Option<String>,
    /// The model of `llm` stages that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_model: Option<String>,
    /// The model of judges that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_judge_model: Option<String>,
    /// The model of `retrieve` stages, and of scorers that compare embeddings, that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_embedding_model: Option<String>,
}

impl From<InstallationSettings> for Settings {
    fn from(InstallationSettings { allow_guests, defaults }: InstallationSettings) -> Self {
        Self {
            allow_guest_access: allow_guests,
            default_endpoint: defaults.endpoint,
            default_model: defaults.model,
            default_judge_model: defaults.judge_model,
            default_embedding_model: defaults.embedding_model,
        }
    }
}

impl From<Settings> for InstallationSettings {
    fn from(settings: Settings) -> Self {
        let defaults = ModelDefaults {
            endpoint: settings.default_endpoint,
            model: settings.default_model,
            judge_model: settings.default_judge_model,
            embedding_model: settings.default_embedding_model,
        };
        Self { allow_guests: settings.allow_guest_access, defaults }
    }
}
