//! Documents and messages of PromptLooper as they are read and written: serde is the only codec.

#[cfg(test)]
mod agreement;
pub mod api;
pub mod board;
pub mod dimension;
pub mod endpoint;
pub mod experiment;
pub mod export;
pub mod file;
pub mod json;
pub mod stage;
pub mod stored;
pub mod sweep;
pub mod table;
pub mod value;
pub mod wording;
pub mod yaml;
