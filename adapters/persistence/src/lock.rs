//! Lets only one process at a time use a data folder.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use fs4::fs_std::FileExt as _;

/// The lock of a folder. The operating system releases it when the process ends.
pub(crate) struct FolderLock {
    _file: File,
}

/// Why the folder was not locked.
pub(crate) enum LockError {
    /// Another process holds it; the text is what that process wrote into the lock file.
    Held(String),
    Io(io::Error),
}

impl From<io::Error> for LockError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl FolderLock {
    pub(crate) fn take(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join("promptlooper.lock");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if !file.try_lock_exclusive()? {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            return Err(LockError::Held(holder.trim().to_owned()));
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "process {}", std::process::id())?;
        Ok(Self { _file: file })
    }
}
