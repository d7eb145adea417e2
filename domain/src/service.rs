//! Services of the user's own, which `http` stages call.

use std::fmt;
use std::sync::Arc;

/// Scheme, host and port of a service's URL: what a service is to limits and pauses.
///
/// ```
/// use promptlooper_domain::service::ServiceOrigin;
/// let origin = ServiceOrigin::parse("HTTP://Rank.example:8080/rerank?top=3").unwrap();
/// assert_eq!(origin.as_str(), "http://rank.example:8080");
/// assert_eq!(ServiceOrigin::parse("https://h/a"), ServiceOrigin::parse("https://h:443"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceOrigin(Arc<str>);

/// Why a text is no URL of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidServiceUrl {
    /// It does not begin with `http://` or `https://`.
    Scheme,
    /// It names no host.
    Host,
    /// Its port is no number from 1 to 65535.
    Port,
    /// It holds a user name or a password.
    UserInfo,
    /// It holds characters that no URL has.
    Character,
}

impl fmt::Display for InvalidServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "a URL begins with http:// or https://",
            Self::Host => "the URL names no host",
            Self::Port => "the port of a URL is a number from 1 to 65535",
            Self::UserInfo => "the URL holds a user name or a password: give them in a header",
            Self::Character => "the URL holds control characters",
        })
    }
}

impl std::error::Error for InvalidServiceUrl {}

impl ServiceOrigin {
    /// Exchanges with one service that a process has under way at once.
    pub const CONCURRENCY: u32 = 8;

    /// The origin of an absolute URL.
    ///
    /// # Errors
    /// Why it is no URL of a service.
    pub fn parse(url: &str) -> Result<Self, InvalidServiceUrl> {
        if url.contains(char::is_control) {
            return Err(InvalidServiceUrl::Character);
        }
        let (scheme, rest) = url.split_once("://").ok_or(InvalidServiceUrl::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        let usual_port = match scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => return Err(InvalidServiceUrl::Scheme),
        };
        let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
        let authority = rest[..end].to_lowercase();
        if authority.contains('@') {
            return Err(InvalidServiceUrl::UserInfo);
        }
        let bare = authority.strip_suffix(usual_port).unwrap_or(&authority);
        let (host, port) = split_port(bare);
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(InvalidServiceUrl::Host);
        }
        match port {
            None | Some("") => Ok(Self(format!("{scheme}://{host}").into())),
            Some(port) => match port.parse::<u16>() {
                Ok(port) if port > 0 => Ok(Self(format!("{scheme}://{host}:{port}").into())),
                _ => Err(InvalidServiceUrl::Port),
            },
        }
    }

    /// Its host, an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, authority)| authority);
        split_port(authority).0.trim_matches(['[', ']'])
    }

    /// Its text, such as `http://127.0.0.1:9000`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The host, and the port where one is given. An IPv6 address stands in brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

impl fmt::Display for ServiceOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (url, origin) in [
            ("http://h", Ok("http://h")),
            ("http://h:80/a", Ok("http://h")),
            ("https://h:80/a", Ok("https://h:80")),
            ("https://H.Example:443?q", Ok("https://h.example")),
            ("http://[::1]:9000/a", Ok("http://[::1]:9000")),
            ("http://[::1]/a", Ok("http://[::1]")),
            ("http://h:/a", Ok("http://h")),
            ("http://h/a@b", Ok("http://h")),
            ("h/a", Err(InvalidServiceUrl::Scheme)),
            ("http:/h", Err(InvalidServiceUrl::Scheme)),
            ("ftp://h", Err(InvalidServiceUrl::Scheme)),
            ("http:///a", Err(InvalidServiceUrl::Host)),
            ("http://:80", Err(InvalidServiceUrl::Host)),
            ("http://a b/", Err(InvalidServiceUrl::Host)),
            ("http://h:0", Err(InvalidServiceUrl::Port)),
            ("http://h:70000", Err(InvalidServiceUrl::Port)),
            ("http://h:x/", Err(InvalidServiceUrl::Port)),
            ("http://u:p@h/", Err(InvalidServiceUrl::UserInfo)),
            ("http://h/a\nb", Err(InvalidServiceUrl::Character)),
        ] {
            let parsed = ServiceOrigin::parse(url);
            assert_eq!(
                parsed.as_ref().map(ServiceOrigin::as_str),
                origin.as_ref().map(|text| *text),
                "{url}"
            );
        }
    }
}
