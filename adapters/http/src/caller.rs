//! Who asks: found out once, in front of everything, and read by operations.

use domain::access::{Actor, Admin, Forbidden, Writer};
use domain::secret::Secret;
use poem::http::StatusCode;
use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::failure::Failure;
use crate::guard::token;

/// A right that an operation needs.
pub(crate) trait Right: Sized + Send {
    fn of(actor: &Actor) -> std::result::Result<Self, Forbidden>;
}

impl Right for Actor {
    fn of(actor: &Actor) -> std::result::Result<Self, Forbidden> {
        Ok(actor.clone())
    }
}

impl Right for Writer {
    fn of(actor: &Actor) -> std::result::Result<Self, Forbidden> {
        actor.writer()
    }
}

impl Right for Admin {
    fn of(actor: &Actor) -> std::result::Result<Self, Forbidden> {
        actor.admin()
    }
}

/// Whoever asks, with this right.
pub(crate) struct As<R>(pub(crate) R);

/// The token that came with a request, whatever it is.
pub(crate) struct Bearer(pub(crate) Secret);

const SCHEME: &str = "bearer";

/// How requests say who asks.
fn register_scheme(registry: &mut Registry) {
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

impl<'a, R: Right> ApiExtractor<'a> for As<R> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_scheme(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let actor = request.extensions().get::<Actor>().ok_or_else(Failure::unauthorized)?;
        let right = R::of(actor);
        Ok(Self(
            right.map_err(|missing| Failure::new(StatusCode::FORBIDDEN, "forbidden", missing.to_string()))?,
        ))
    }
}

impl<'a> ApiExtractor<'a> for Bearer {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_scheme(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        Ok(Self(Secret::new(token(request)?.ok_or_else(Failure::unauthorized)?)))
    }
}
