//! The one HTTP client of this program.
//!
//! Every request that leaves goes through [`Client`], which checks each address it is about to connect to, gives up in
//! bounded time and reads bounded answers. It never follows a redirect, never uses a proxy, never retries, and its
//! errors never hold a URL or a header.

mod address;
mod allow_list;
mod client;
mod error;
mod own_places;
mod request;
mod resolver;
mod zone;

pub use address::AddressPolicy;
pub use allow_list::{ALLOW_LIST_TAKES, AllowList, InvalidEntry};
pub use client::{Bounds, Client};
pub use error::{Error, RequestRefusal};
pub use own_places::OwnPlaces;
pub use request::{Request, Response};
