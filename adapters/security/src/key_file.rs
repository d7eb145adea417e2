//! A key of one's own, made at first use.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use domain::call::Digest as Hex;
use domain::secret::Secret;

use crate::key::KeyError;

const NAME: &str = "secret.key";

/// The text in the folder's key file, which is made where there is none. Of several processes that make it at once,
/// one wins and all read the same.
pub(crate) fn read_or_make(folder: &Path) -> Result<Secret, KeyError> {
    let path = folder.join(NAME);
    if !path.exists() {
        make(folder, &path).map_err(|source| KeyError::File { path: path.clone(), source })?;
    }
    read(path)
}

fn read(path: PathBuf) -> Result<Secret, KeyError> {
    check_permissions(&path)?;
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Secret::new(text.trim())),
        Err(source) => Err(KeyError::File { path, source }),
    }
}

/// Writes a new key beside its place and links it there, so that it is never seen half-written and never replaced.
fn make(folder: &Path, path: &Path) -> io::Result<()> {
    let beside = folder.join(format!("{NAME}.{:016x}", getrandom::u64().map_err(no_randomness)?));
    let linked = write_new(&beside).and_then(|()| fs::hard_link(&beside, path));
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => File::open(folder)?.sync_all(),
    }
}

fn write_new(path: &Path) -> io::Result<()> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(no_randomness)?;
    let mut file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
    writeln!(file, "{}", Hex::new(bytes))?;
    file.sync_all()
}

fn no_randomness(error: getrandom::Error) -> io::Error {
    io::Error::other(error.to_string())
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn check_permissions(path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let file = |source| KeyError::File { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(file)?.permissions().mode() & 0o777;
    let others = mode & 0o077;
    if others == 0 { Ok(()) } else { Err(KeyError::Permissions { path: path.to_owned(), mode }) }
}

/// Other systems have no such bits; the folder's own protection is all there is.
#[cfg(not(unix))]
fn check_permissions(_: &Path) -> Result<(), KeyError> {
    Ok(())
}
