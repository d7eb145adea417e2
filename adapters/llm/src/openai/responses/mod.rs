//! The protocol of responses, which newer models of `OpenAI` are made for.

pub(super) mod request;
pub(super) mod response;
