//! Documents and messages of PromptLooper as they are read and written: serde is the only codec.

pub mod api;
pub mod experiment;
pub mod export;
pub mod file;
pub mod stored;
pub mod table;
pub mod value;
