//! Model servers, with OpenAI's or Anthropic's protocols and a built-in simulation, and services of the user's own.
//!
//! A server makes one exchange and returns its outcome. It never retries or waits, and has no memory of an endpoint's
//! failures: its callers decide about those.

mod anthropic;
mod body;
mod exchange;
mod openai;
mod servers;
mod services;
mod simulated;

pub use anthropic::AnthropicServer;
pub use openai::OpenAiServer;
pub use servers::Servers;
pub use services::HttpServices;
pub use simulated::SimulatedServer;
