//! Programs in other languages that tests start. `tests/run` installs them. A test fails if one is missing.

use std::path::{Path, PathBuf};

/// The folder of the installed Python programs.
///
/// # Panics
/// The variable that names the folder is not set.
#[must_use]
pub fn python_tools() -> PathBuf {
    let folder = std::env::var_os("PROMPTLOOPER_TEST_GENERATORS");
    let folder = folder.unwrap_or_else(|| {
        panic!("PROMPTLOOPER_TEST_GENERATORS names no folder of Python tools: start the tests with tests/run")
    });
    folder.into()
}

/// The path of one of them.
#[must_use]
pub fn python_tool(name: &str) -> PathBuf {
    python_tools().join(name)
}

/// A program of the gateway that is installed for tests.
///
/// # Panics
/// Where nobody says where it is.
#[must_use]
pub fn gateway_tool(name: &str) -> PathBuf {
    let folder = std::env::var_os("PROMPTLOOPER_TEST_GATEWAY");
    let folder = folder.unwrap_or_else(|| {
        panic!("PROMPTLOOPER_TEST_GATEWAY names no folder of a gateway: start the tests with tests/run")
    });
    Path::new(&folder).join(name)
}

/// The folder of packages for Node.js.
///
/// # Panics
/// Where it is not there.
#[must_use]
pub fn node_modules() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontend/node_modules");
    assert!(folder.is_dir(), "frontend/node_modules is not there: start the tests with tests/run");
    folder
}
