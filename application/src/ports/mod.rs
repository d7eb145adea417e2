//! What the use cases need from the world, as small traits.

mod models;

pub use models::ModelServer;
