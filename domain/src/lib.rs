//! The language and the decisions of PromptLooper: experiments, parameter spaces, sweeps, scoring, statistics, hashing.
//!
//! Pure: it has no async code, clock, randomness, files or network. Programs that embed it provide those.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use promptlooper_domain::name::Name;
//! use promptlooper_domain::scoring::{AsciiRules, Scorer};
//! use promptlooper_domain::space::{Dimension, Levels, Size, Space};
//! use promptlooper_domain::statistics::interval_of_mean;
//! use promptlooper_domain::strategy::{History, Proposal, guide};
//! use promptlooper_domain::sweep::SweepKind;
//! use promptlooper_domain::value::{Map, Value};
//!
//! // What may vary, and the first two configurations of a random sweep.
//! let tone = Dimension {
//!     name: Name::try_new("tone").unwrap(),
//!     target: None,
//!     levels: Levels::Choice(["dry", "warm", "brief"].map(Value::from).to_vec()),
//!     default: None,
//!     when: BTreeMap::new(),
//! };
//! let space = Space::try_new(vec![tone]).unwrap();
//! assert_eq!(space.size(), Size::Points(3));
//! let history = History { space: &space, samples: 4, seed: 7, asked: 0, limit: None, trials: &[] };
//! let Proposal::Steps(steps) = guide(SweepKind::Random).propose(&history, 2) else { panic!() };
//! assert_eq!(steps.len(), 2);
//!
//! // How good the answers to one of them are, and how sure that is.
//! let scorer = Scorer::try_new("exact_match", &Map::new()).unwrap();
//! let answers = [("bug", "bug"), ("billing", "bug"), ("bug", "bug"), ("bug", "bug")];
//! let judged = answers.map(|(answer, reference)| {
//!     let judged = scorer.evaluate(&Value::from(answer), &[Value::from(reference)], &AsciiRules);
//!     judged.unwrap().unwrap().value.value()
//! });
//! let interval = interval_of_mean(&judged, 1).unwrap();
//! assert!(interval.low < 0.75 && 0.75 < interval.high);
//! ```

pub mod access;
pub mod call;
pub mod configuration;
pub mod decimal;
mod edits;
pub mod endpoint;
pub mod event;
pub mod excerpt;
pub mod experiment;
pub mod export;
pub mod extra;
pub mod header;
pub mod id;
pub mod leaderboard;
pub mod money;
pub mod name;
pub mod pipeline;
pub mod pricing;
pub mod problem;
pub mod random;
pub mod rate;
pub mod retry;
pub mod run;
pub mod sample;
pub mod scoring;
pub mod secret;
pub mod service;
pub mod space;
pub mod stage;
pub mod statistics;
pub mod strategy;
pub mod sweep;
pub mod template;
pub mod text_unit;
pub mod time;
pub mod value;
