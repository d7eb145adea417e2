//! What PromptLooper does, said without any technology: use cases, and the ports through which they meet the world.

pub mod ports;
