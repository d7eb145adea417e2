//! The responses protocol of `OpenAI`, for its newer models.

pub(super) mod request;
pub(super) mod response;
