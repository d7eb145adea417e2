//! The caller of a request: authenticated once by the guard, and read by operations.

use domain::access::{Actor, Admin, Forbidden, Writer};
use domain::secret::Secret;
use poem::http::StatusCode;
use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::failure::Failure;
use crate::guard::token;

/// What a request proves about its caller.
pub(crate) trait Proof: Sized + Send {
    fn of(request: &Request) -> std::result::Result<Self, Failure>;
}

impl Proof for Actor {
    fn of(request: &Request) -> std::result::Result<Self, Failure> {
        request.extensions().get::<Self>().cloned().ok_or_else(Failure::unauthorized)
    }
}

impl Proof for Writer {
    fn of(request: &Request) -> std::result::Result<Self, Failure> {
        Actor::of(request)?.writer().map_err(forbidden)
    }
}

impl Proof for Admin {
    fn of(request: &Request) -> std::result::Result<Self, Failure> {
        Actor::of(request)?.admin().map_err(forbidden)
    }
}

/// The token itself, not checked.
impl Proof for Secret {
    fn of(request: &Request) -> std::result::Result<Self, Failure> {
        token(request)?.map(Self::new).ok_or_else(Failure::unauthorized)
    }
}

fn forbidden(missing: Forbidden) -> Failure {
    Failure::new(StatusCode::FORBIDDEN, "forbidden", missing.to_string())
}

/// The caller, with the right that an operation needs.
pub(crate) struct As<P>(pub(crate) P);

const SCHEME: &str = "bearer";

impl<'a, P: Proof> ApiExtractor<'a> for As<P> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let scheme = MetaSecurityScheme {
            ty: "http",
            description: Some("A session's token, or an API key."),
            name: None,
            key_in: None,
            scheme: Some("bearer"),
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme(SCHEME, scheme);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        Ok(Self(P::of(request)?))
    }
}
