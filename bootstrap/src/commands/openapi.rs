//! Prints the API's document.

use crate::failure::Failure;

pub(crate) fn run() -> Result<(), Failure> {
    super::print(&http::openapi())
}
