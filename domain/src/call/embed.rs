//! Calls of embedding models.

use crate::endpoint::EndpointIdentity;
use crate::pricing::estimated_tokens;
use crate::value::write_text;

/// A text to embed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedCall {
    /// The endpoint.
    pub endpoint: EndpointIdentity,
    /// The model asked for.
    pub model: String,
    /// The text.
    pub text: String,
}

impl EmbedCall {
    /// See [`Call::canonical`](super::Call::canonical).
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut out = String::with_capacity(128 + self.text.len());
        out.push_str(r#"{"embed":"#);
        write_text(&self.text, &mut out);
        out.push_str(r#","kind":"#);
        write_text(self.endpoint.kind.as_str(), &mut out);
        out.push_str(r#","model":"#);
        write_text(&self.model, &mut out);
        out.push_str(r#","url":"#);
        write_text(&self.endpoint.url, &mut out);
        out.push_str(r#","v":1}"#);
        out
    }

    /// The most tokens that this call can use: the bytes of its text, and 16 for what a server adds.
    #[must_use]
    pub fn token_bound(&self) -> u64 {
        (self.text.len() as u64).saturating_add(16)
    }

    /// An estimate of the text's tokens.
    #[must_use]
    pub fn estimated_input(&self) -> u64 {
        estimated_tokens(&self.text)
    }
}
