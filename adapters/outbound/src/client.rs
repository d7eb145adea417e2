//! The client itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::secret::Secret;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect;
use tokio::sync::OnceCell;
use url::Url;

use crate::address::AddressPolicy;
use crate::error::{Error, RequestRefusal};
use crate::request::{Request, Response};
use crate::resolver::GuardedResolver;

/// How long a client waits and how much it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// For a connection to be made.
    pub connect: Duration,
    /// For more of a body that has begun. The head of the answer may take as long as the whole request, since a model
    /// server says nothing while its model thinks.
    pub idle: Duration,
    /// Bytes of a body, after decompression.
    pub body: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), idle: Duration::from_mins(1), body: 16 << 20 }
    }
}

/// Makes requests within an address policy and bounds. Copies share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    general: Arc<Connector>,
    /// For the ports that this program or its database has: a resolver does not learn which port is connected to.
    own_ports: Arc<[Connector]>,
    /// The last URL that was read and allowed: most requests go where the one before went.
    last: Arc<Mutex<Option<Url>>>,
    policy: AddressPolicy,
    bounds: Bounds,
}

/// Connects to servers.
#[derive(Debug)]
struct Connector {
    own_port: Option<u16>,
    /// For `http:`. It trusts no certificate, so that none has to be read.
    plain: reqwest::Client,
    /// For `https:`. The system's certificates are read when the first request needs them.
    secure: OnceCell<reqwest::Client>,
}

impl Client {
    /// Connections kept open for each host while nothing is asked.
    const IDLE_CONNECTIONS: usize = 256;

    /// A client with the default bounds.
    ///
    /// # Errors
    /// [`Error::Connect`] where TLS cannot be set up.
    pub fn new(policy: AddressPolicy) -> Result<Self, Error> {
        Self::bounded(policy, Bounds::default())
    }

    /// A client with bounds of one's own.
    ///
    /// # Errors
    /// [`Error::Connect`] where TLS cannot be set up.
    pub fn bounded(policy: AddressPolicy, bounds: Bounds) -> Result<Self, Error> {
        let connector = |own_port| {
            let resolver = GuardedResolver { policy: policy.clone(), own_port };
            let plain = built(Self::builder(resolver, bounds).tls_certs_only([]))?;
            Ok(Connector { own_port, plain, secure: OnceCell::new() })
        };
        let own_ports = policy.own.ports().into_iter().map(|port| connector(Some(port)));
        let own_ports = own_ports.collect::<Result<_, Error>>()?;
        let general = Arc::new(connector(None)?);
        Ok(Self { general, own_ports, last: Arc::default(), policy, bounds })
    }

    fn builder(resolver: GuardedResolver, bounds: Bounds) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .user_agent(concat!("promptlooper/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(resolver)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(bounds.connect)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(Self::IDLE_CONNECTIONS)
    }

    /// The client for a URL's scheme and port.
    async fn of(&self, url: &Url) -> Result<&reqwest::Client, Error> {
        let port = url.port_or_known_default();
        let own = self.own_ports.iter().find(|connector| connector.own_port == port);
        let connector = own.unwrap_or(&self.general);
        if url.scheme() != "https" {
            return Ok(&connector.plain);
        }
        let (bounds, own_port) = (self.bounds, connector.own_port);
        let resolver = GuardedResolver { policy: self.policy.clone(), own_port };
        let build = || async move {
            // Hundreds of files may have to be read.
            let built = tokio::task::spawn_blocking(move || built(Self::builder(resolver, bounds)));
            built.await.unwrap_or_else(|error| Err(Error::Connect(error.to_string())))
        };
        connector.secure.get_or_try_init(build).await
    }

    /// Makes one request and reads its whole answer.
    ///
    /// # Errors
    /// Why there is none; an answer of any status is no error.
    pub async fn send(&self, request: Request<'_>) -> Result<Response, Error> {
        let request = self.prepare(request).await?;
        let response = request.send().await.map_err(|error| Error::before_answer(&error))?;
        self.read(response).await
    }

    async fn prepare(&self, request: Request<'_>) -> Result<reqwest::RequestBuilder, Error> {
        let url = self.url(request.url).await.map_err(Error::Refused)?;
        let http = self.of(&url).await?;
        let mut builder = match request.json {
            Some(json) => {
                let json_type = HeaderValue::from_static("application/json");
                http.post(url).header(CONTENT_TYPE, json_type).body(json)
            }
            None => http.get(url),
        };
        if let Some(key) = request.bearer {
            builder = builder.bearer_auth(key.expose());
        }
        if let Some(headers) = request.headers {
            builder = builder.headers(sensitive(headers)?);
        }
        Ok(builder.timeout(request.timeout))
    }

    /// The URL that a text spells, where the policy allows it.
    async fn url(&self, text: &str) -> Result<Url, RequestRefusal> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last().as_ref().filter(|url| url.as_str() == text).cloned();
        if let Some(url) = known {
            return Ok(url);
        }
        let url = Url::parse(text).map_err(|_| RequestRefusal::NotAUrl)?;
        self.policy.check(&url).await?;
        last().replace(url.clone());
        Ok(url)
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Response, Error> {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        while self.read_more(&mut response, &mut body).await? {}
        Ok(Response { status, headers, body })
    }

    /// Appends the next piece of the body; false at its end.
    async fn read_more(&self, response: &mut reqwest::Response, body: &mut Vec<u8>) -> Result<bool, Error> {
        let next = tokio::time::timeout(self.bounds.idle, response.chunk());
        let Some(chunk) = next.await.map_err(|_| Error::Timeout)?.map_err(|e| Error::within_answer(&e))?
        else {
            return Ok(false);
        };
        if body.len() + chunk.len() > self.bounds.body {
            return Err(Error::TooLarge(self.bounds.body));
        }
        body.extend_from_slice(&chunk);
        Ok(true)
    }
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Error> {
    builder.build().map_err(|error| Error::Connect(error.to_string()))
}

/// Headers that are not logged by whoever handles them.
fn sensitive(headers: &BTreeMap<String, Secret>) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let refused = || Error::Refused(RequestRefusal::Header);
        let name = HeaderName::try_from(name.as_str()).map_err(|_| refused())?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| refused())?;
        value.set_sensitive(true);
        map.insert(name, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests;
