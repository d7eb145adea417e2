//! Signs people in, and authenticates programs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::access::{Actor, Identity, Scope, User, Writer, check_password, username};
use domain::call::Digest;
use domain::id::UserId;
use domain::problem::Problem;
use domain::secret::Secret;
use domain::time::Timestamp;

use crate::digest::sha256;
use crate::ports::{Account, AccountStore, Claims, Clock, Ids, Passwords, SettingStore, Tokens};
use crate::refusal::{Refusal, Resource};
use crate::throttle::Throttle;

/// How long a session lasts.
const SESSION_LIFETIME: Duration = Duration::from_hours(7 * 24);
/// The setting that lets guests look.
pub(crate) const ALLOW_GUESTS: &str = "allow_guest_access";

/// What the use cases need from the world.
#[derive(Clone)]
#[expect(missing_docs, reason = "each port says what it is")]
pub struct Ports {
    pub accounts: Arc<dyn AccountStore>,
    pub settings: Arc<dyn SettingStore>,
    pub passwords: Arc<dyn Passwords>,
    pub tokens: Arc<dyn Tokens>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
}

/// A name and a password, as somebody entered them.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// What somebody gets who was let in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Proves later requests.
    pub token: Secret,
    /// Until when.
    pub expires_at: Timestamp,
    /// Who it is.
    pub user: User,
}

/// The use cases of accounts.
pub struct Accounts {
    ports: Ports,
    /// The installation's own key, where one is set.
    key: Option<Secret>,
    throttle: Throttle,
    /// Codes that let somebody in once, by their digest, with whom and until when.
    codes: Mutex<HashMap<Digest, UserId>>,
}

impl Accounts {
    /// The use cases over these ports. `key` is the key that programs may use without being registered.
    #[must_use]
    pub fn new(ports: Ports, key: Option<Secret>) -> Self {
        Self { ports, key, throttle: Throttle::default(), codes: Mutex::default() }
    }

    /// Whether nobody has an account yet.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn setup_required(&self) -> Result<bool, Refusal> {
        Ok(!self.ports.accounts.any().await?)
    }

    /// Whether guests may look.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn guests_allowed(&self) -> Result<bool, Refusal> {
        Ok(self.ports.settings.setting(ALLOW_GUESTS).await?.as_deref() == Some("true"))
    }

    /// Makes the first account, an administrator's. Of several at once one is made.
    ///
    /// # Errors
    /// Where there is an account already, or name or password cannot be used.
    pub async fn set_up(&self, credentials: Credentials) -> Result<Session, Refusal> {
        let name = username(&credentials.username);
        let password = check_password(credentials.password.expose(), "/password");
        let (name, ()) = both(name, password)?;
        if !self.setup_required().await? {
            return Err(is_set_up());
        }
        let password_hash = self.hash(credentials.password).await?;
        let user = User { id: UserId::new(self.ports.ids.next()), username: name, is_admin: true };
        let account = Account { user, password_hash, token_version: 1, disabled: false };
        if !self.ports.accounts.insert_first(account.clone()).await? {
            return Err(is_set_up());
        }
        self.session(account)
    }

    /// Logs in. `from` tells where the attempt comes from, so that guessing can be slowed down there.
    ///
    /// # Errors
    /// Where name and password do not fit, or there were too many attempts.
    pub async fn log_in(&self, credentials: Credentials, from: &str) -> Result<Session, Refusal> {
        // What cannot be a name is nobody's; it is not remembered either, however long it is.
        let name = username(&credentials.username).unwrap_or_default();
        let who = format!("{from} {name}");
        self.let_pass(&who)?;
        let account = self.ports.accounts.by_username(&name).await?.filter(|account| !account.disabled);
        let hash = match &account {
            Some(account) => account.password_hash.clone(),
            // Nobody's: so that an unknown name takes as long as a wrong password.
            None => self.hash(Secret::new("nobody has this password")).await?,
        };
        let fits = check_password(credentials.password.expose(), "/password").is_ok()
            && self.verify(credentials.password, hash).await?;
        match account.filter(|_| fits) {
            Some(account) => {
                self.throttle.passed(&who);
                self.session(account)
            }
            None => {
                self.throttle.failed(&who, self.ports.clock.now());
                Err(unauthorized("wrong_credentials", "username or password is wrong"))
            }
        }
    }

    /// Lets whoever has a code log in as a user, as often as they like while this process lives.
    pub fn admit(&self, code: &Secret, user: UserId) {
        self.codes().insert(sha256(code.expose()), user);
    }

    /// Logs in with such a code.
    ///
    /// # Errors
    /// Where no such code was given out since this process began.
    pub async fn redeem(&self, code: &Secret) -> Result<Session, Refusal> {
        let unknown = || {
            unauthorized(
                "unknown_link",
                "this link is not valid any more: take the one that the running program printed",
            )
        };
        let user = self.codes().get(&sha256(code.expose())).copied().ok_or_else(unknown)?;
        let account = self.ports.accounts.account(user).await?.filter(|account| !account.disabled);
        self.session(account.ok_or_else(unknown)?)
    }

    /// Who it is that comes with this token or key; a guest where nothing was given and guests may look. `None` where
    /// whoever comes has to log in.
    ///
    /// # Errors
    /// A token that does not count, or no longer.
    pub async fn authenticate(&self, bearer: Option<&str>) -> Result<Option<Actor>, Refusal> {
        let Some(bearer) = bearer else {
            return Ok(self.guests_allowed().await?.then(Actor::guest));
        };
        if self.key.as_ref().is_some_and(|key| same(key.expose(), bearer)) {
            return Ok(Some(Actor::key("API_KEY".to_owned(), Scope::Admin)));
        }
        let refused = || unauthorized("invalid_token", "this token is not valid: log in again");
        let claims = self.ports.tokens.read(bearer).ok_or_else(refused)?;
        let account = self.account_of(&claims).await?.ok_or_else(refused)?;
        Ok(Some(Actor::user(account.user)))
    }

    /// Changes one's own password; sessions that began before end.
    ///
    /// # Errors
    /// Where the current one is wrong, the new one cannot be used, or whoever asks has no password.
    pub async fn change_password(
        &self,
        by: &Writer,
        current: Secret,
        new: Secret,
    ) -> Result<Session, Refusal> {
        let Identity::User(user) = by.identity() else {
            return Err(Refusal::conflict("no_password", "who comes with a key has no password to change"));
        };
        check_password(new.expose(), "/new").map_err(|problem| Refusal::Invalid(vec![problem]))?;
        let who = format!("change {}", user.username);
        self.let_pass(&who)?;
        let account = self.ports.accounts.account(user.id).await?.ok_or(Refusal::NotFound(Resource::User))?;
        if !self.verify(current, account.password_hash).await? {
            self.throttle.failed(&who, self.ports.clock.now());
            return Err(Refusal::invalid("/current", "wrong_password", "the current password is another"));
        }
        let hash = self.hash(new).await?;
        self.ports.accounts.set_password(user.id, hash).await?;
        let changed = self.ports.accounts.account(user.id).await?.ok_or(Refusal::NotFound(Resource::User))?;
        self.session(changed)
    }

    fn let_pass(&self, who: &str) -> Result<(), Refusal> {
        self.throttle.wait(who, self.ports.clock.now()).map_or(Ok(()), |wait| Err(Refusal::TooMany(wait)))
    }

    async fn account_of(&self, claims: &Claims) -> Result<Option<Account>, Refusal> {
        if claims.expires <= self.ports.clock.now() {
            return Ok(None);
        }
        let account = self.ports.accounts.account(claims.user).await?;
        Ok(account.filter(|account| !account.disabled && account.token_version == claims.version))
    }

    fn session(&self, account: Account) -> Result<Session, Refusal> {
        let expires_at = self.ports.clock.now().after(SESSION_LIFETIME);
        let claims = Claims { user: account.user.id, version: account.token_version, expires: expires_at };
        let token = self.ports.tokens.issue(&claims);
        let token = token.map_err(|error| Refusal::Unavailable(error.to_string()))?;
        Ok(Session { token, expires_at, user: account.user })
    }

    fn codes(&self) -> MutexGuard<'_, HashMap<Digest, UserId>> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hash(&self, password: Secret) -> Result<Secret, Refusal> {
        let hash = self.ports.passwords.hash(password).await;
        hash.map_err(|error| Refusal::Unavailable(error.to_string()))
    }

    async fn verify(&self, password: Secret, hash: Secret) -> Result<bool, Refusal> {
        let verified = self.ports.passwords.verify(password, hash).await;
        verified.map_err(|error| Refusal::Unavailable(error.to_string()))
    }
}

/// Both, or everything that is wrong with either.
fn both<A, B>(one: Result<A, Problem>, other: Result<B, Problem>) -> Result<(A, B), Refusal> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => Err(Refusal::Invalid(one.err().into_iter().chain(other.err()).collect())),
    }
}

fn is_set_up() -> Refusal {
    Refusal::conflict("already_set_up", "there is an account already: log in")
}

const fn unauthorized(code: &'static str, detail: &'static str) -> Refusal {
    Refusal::Unauthorized { code, detail }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn same(one: &str, other: &str) -> bool {
    sha256(one).bytes() == sha256(other).bytes()
}
