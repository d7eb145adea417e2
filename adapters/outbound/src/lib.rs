//! The one HTTP client of this program.
//!
//! Every request that leaves goes through [`Client`], which checks each address it is about to connect to, gives up in
//! bounded time and reads bounded answers. It never follows a redirect, never uses a proxy, never retries, and its
//! errors never hold a URL or a header.

mod address;
mod client;
mod error;
mod request;
mod resolver;

pub use address::AddressPolicy;
pub use client::{Bounds, Client};
pub use error::{Error, RequestRefusal};
pub use request::{Request, Response};
