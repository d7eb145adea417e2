//! Tokens: JWTs signed with HS256, and no other algorithm is read.

use application::ports::{Claims, TokenError, Tokens};
use domain::id::UserId;
use domain::secret::Secret;
use domain::time::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

/// Signs with one secret.
pub struct JwtTokens {
    signing: EncodingKey,
    reading: DecodingKey,
    validation: Validation,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    sub: String,
    ver: i64,
    /// In seconds, as RFC 7519 has it.
    exp: i64,
}

impl JwtTokens {
    /// Characters that a secret has at least.
    pub const SHORTEST_SECRET: usize = 16;

    /// Tokens under a secret.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        let bytes = secret.expose().as_bytes();
        let mut validation = Validation::new(Algorithm::HS256);
        // Whoever reads a token compares its end with a clock of their own.
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["sub", "exp"]);
        Self {
            signing: EncodingKey::from_secret(bytes),
            reading: DecodingKey::from_secret(bytes),
            validation,
        }
    }
}

impl Tokens for JwtTokens {
    fn issue(&self, claims: &Claims) -> Result<Secret, TokenError> {
        let payload = Payload {
            sub: claims.user.to_string(),
            ver: claims.version,
            exp: claims.expires.micros().div_euclid(1_000_000),
        };
        let token = encode(&Header::new(Algorithm::HS256), &payload, &self.signing);
        token.map(Secret::new).map_err(|error| TokenError(error.to_string()))
    }

    fn read(&self, token: &str) -> Option<Claims> {
        let payload = decode::<Payload>(token, &self.reading, &self.validation).ok()?.claims;
        Some(Claims {
            user: payload.sub.parse::<UserId>().ok()?,
            version: payload.ver,
            expires: Timestamp::from_micros(payload.exp.checked_mul(1_000_000)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(secret: &str) -> JwtTokens {
        JwtTokens::new(&Secret::new(secret))
    }

    #[test]
    fn a_token_reads_back_under_its_secret_only() {
        let expires = Timestamp::from_micros(1_800_000_000_000_000);
        let claims = Claims { user: UserId::new(5), version: 3, expires };
        let token = tokens("one secret of many").issue(&claims).unwrap();
        assert_eq!(tokens("one secret of many").read(token.expose()), Some(claims));
        assert_eq!(tokens("another secret").read(token.expose()), None);
        let (signed, _) = token.expose().rsplit_once('.').unwrap();
        assert_eq!(tokens("one secret of many").read(&format!("{signed}.")), None, "unsigned");
        assert_eq!(tokens("one secret of many").read("nonsense"), None);
    }

    #[test]
    fn no_other_algorithm_is_read() {
        // {"alg":"none"} over the claims of an administrator.
        let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDUiLCJ2ZXIiOjMsImV4cCI6MTgwMDAwMDAwMH0.";
        assert_eq!(tokens("one secret of many").read(unsigned), None);
    }
}
