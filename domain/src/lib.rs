//! The language and the decisions of PromptLooper: experiments, parameter spaces, sweeps, scoring, statistics, hashing.
//!
//! Pure: it awaits nothing, reads no clock, rolls no dice, knows no file and no network. Whoever embeds it brings those.

pub mod call;
pub mod configuration;
pub mod decimal;
pub mod endpoint;
pub mod event;
pub mod experiment;
pub mod export;
pub mod id;
pub mod leaderboard;
pub mod money;
pub mod name;
pub mod pipeline;
pub mod pricing;
pub mod problem;
pub mod random;
pub mod retry;
pub mod run;
pub mod sample;
pub mod scoring;
pub mod secret;
pub mod space;
pub mod stage;
pub mod statistics;
pub mod strategy;
pub mod sweep;
pub mod template;
pub mod time;
pub mod value;
