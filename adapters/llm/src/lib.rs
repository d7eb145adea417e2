//! Model servers: those that speak OpenAI's or Anthropic's protocols, and a built-in simulation.
//!
//! A server makes one exchange and says what came of it. It never retries, waits or remembers an endpoint's troubles:
//! that is decided by who calls it.

mod anthropic;
mod body;
mod exchange;
mod openai;
mod servers;
mod simulated;

pub use anthropic::AnthropicServer;
pub use openai::OpenAiServer;
pub use servers::Servers;
pub use simulated::SimulatedServer;
