//! What the use cases need from the world, as small traits.

mod models;
mod system;
mod vault;

pub use models::ModelServer;
pub use system::{Chance, Clock, Ids};
pub use vault::{Vault, VaultError};
