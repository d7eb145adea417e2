//! Callers and their rights. A use case that changes something takes a [`Writer`] or an [`Admin`], and only an
//! [`Actor`] with that right can create one. So a call without the right does not compile.

use std::fmt;

use crate::id::UserId;
use crate::problem::Problem;

/// The rights of an actor; each scope includes the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read everything but secrets.
    Read,
    /// Change projects, experiments and sweeps.
    Write,
    /// Change endpoints, settings and accounts.
    Admin,
}

impl Scope {
    /// The stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The account's id.
    pub id: UserId,
    /// The name to log in with.
    pub username: String,
    /// Whether they may change endpoints, settings and accounts.
    pub is_admin: bool,
}

/// The identity of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A caller without an account.
    Guest,
    /// A person who logged in.
    User(User),
    /// A program with a key, identified by the key's label.
    Key(String),
    /// This program itself, on behalf of the person who started it.
    System,
}

impl Identity {
    /// The name of the identity in events and histories.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Guest => "guest",
            Self::User(user) => &user.username,
            Self::Key(label) => label,
            Self::System => "system",
        }
    }
}

/// A caller with its rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    identity: Identity,
    scope: Scope,
}

/// The right to change projects, experiments and sweeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer(Identity);

/// The right to change endpoints, settings and accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin(Writer);

/// A right that the actor does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forbidden {
    needed: Scope,
    has: Scope,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this needs the scope `{}`, and you have `{}`", self.needed.as_str(), self.has.as_str())
    }
}

impl std::error::Error for Forbidden {}

impl Actor {
    /// A caller without an account, where guests are allowed.
    #[must_use]
    pub const fn guest() -> Self {
        Self { identity: Identity::Guest, scope: Scope::Read }
    }

    /// A person who logged in.
    #[must_use]
    pub const fn user(user: User) -> Self {
        let scope = if user.is_admin { Scope::Admin } else { Scope::Write };
        Self { identity: Identity::User(user), scope }
    }

    /// A program with a key.
    #[must_use]
    pub const fn key(label: String, scope: Scope) -> Self {
        Self { identity: Identity::Key(label), scope }
    }

    /// This program itself, with all rights. Only for the process that starts it.
    #[must_use]
    pub const fn system() -> Self {
        Self { identity: Identity::System, scope: Scope::Admin }
    }

    /// The caller's identity.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The caller's scope.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The right to change things.
    ///
    /// # Errors
    /// The scope is [`Scope::Read`].
    pub fn writer(&self) -> Result<Writer, Forbidden> {
        self.with(Scope::Write).map(Writer)
    }

    /// The right to change the installation.
    ///
    /// # Errors
    /// The scope is not [`Scope::Admin`].
    pub fn admin(&self) -> Result<Admin, Forbidden> {
        self.with(Scope::Admin).map(|identity| Admin(Writer(identity)))
    }

    fn with(&self, needed: Scope) -> Result<Identity, Forbidden> {
        if self.scope < needed {
            return Err(Forbidden { needed, has: self.scope });
        }
        Ok(self.identity.clone())
    }
}

impl Writer {
    /// The identity of the caller.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.0
    }

    /// The caller's name in events.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }
}

/// The right to change the installation includes the right to change what is in it.
impl std::ops::Deref for Admin {
    type Target = Writer;

    fn deref(&self) -> &Writer {
        &self.0
    }
}

/// The fewest bytes of a password.
pub const SHORTEST_PASSWORD: usize = 8;
/// The most bytes of a password: bcrypt ignores the rest.
pub const LONGEST_PASSWORD: usize = 71;
const LONGEST_USERNAME: usize = 64;

/// The form in which a username is stored and looked up. It ignores case.
///
/// # Errors
/// The text is empty, longer than 64 characters, or contains blanks or control characters.
pub fn username(text: &str) -> Result<String, Problem> {
    let name = text.trim().to_lowercase();
    let fits = (1..=LONGEST_USERNAME).contains(&name.chars().count())
        && !name.contains(|c: char| c.is_whitespace() || c.is_control());
    let detail = format!("a username has 1 to {LONGEST_USERNAME} characters and no blanks");
    if fits { Ok(name) } else { Err(Problem::new("/username", "invalid_username", detail)) }
}

/// Checks whether a text can be a password.
///
/// # Errors
/// The text has fewer than 8 bytes or more than 71. The problem has this pointer.
pub fn check_password(text: &str, pointer: &str) -> Result<(), Problem> {
    let (code, detail) = match text.len() {
        ..SHORTEST_PASSWORD => {
            ("password_too_short", format!("a password has at least {SHORTEST_PASSWORD} characters"))
        }
        SHORTEST_PASSWORD..=LONGEST_PASSWORD => return Ok(()),
        _ => ("password_too_long", format!("a password has at most {LONGEST_PASSWORD} bytes of UTF-8")),
    };
    Err(Problem::new(pointer, code, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(is_admin: bool) -> Actor {
        Actor::user(User { id: UserId::new(1), username: "ada".into(), is_admin })
    }

    #[test]
    fn each_right_needs_its_scope() {
        for (actor, writes, rules) in [
            (Actor::guest(), false, false),
            (user(false), true, false),
            (user(true), true, true),
            (Actor::key("ci".into(), Scope::Read), false, false),
            (Actor::key("ci".into(), Scope::Write), true, false),
            (Actor::key("ci".into(), Scope::Admin), true, true),
        ] {
            assert_eq!((actor.writer().is_ok(), actor.admin().is_ok()), (writes, rules), "{actor:?}");
        }
        assert_eq!(
            Actor::guest().writer().unwrap_err().to_string(),
            "this needs the scope `write`, and you have `read`"
        );
        assert_eq!(user(true).admin().unwrap().name(), "ada");
    }

    #[test]
    fn usernames_have_one_spelling() {
        assert_eq!(username(" Ada ").unwrap(), "ada");
        for wrong in ["", "  ", "a b", "a\nb", "a\u{7}b", &"x".repeat(65)] {
            assert_eq!(username(wrong).unwrap_err().pointer, "/username", "{wrong:?}");
        }
    }

    #[test]
    fn passwords_fit_into_bcrypt() {
        for (length, fits) in [(7, false), (8, true), (71, true), (72, false)] {
            assert_eq!(check_password(&"x".repeat(length), "/new").is_ok(), fits, "{length}");
        }
        assert!(check_password(&"é".repeat(36), "/new").is_err(), "bytes count, not characters");
    }
}
