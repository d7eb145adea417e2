//! A disk of a few megabytes, for tests of full disks.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::postgres::is_root;

/// A file system in memory, unmounted on drop.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts a disk of this many MiB.
    ///
    /// # Panics
    /// Where it cannot be mounted, which takes root or sudo.
    #[must_use]
    pub fn new(mebibytes: u32) -> Self {
        let folder =
            tempfile::Builder::new().prefix("promptlooper-disk.").tempdir_in("/tmp").expect("a folder");
        let options = format!("size={mebibytes}m,mode=0777");
        let mounted =
            as_root("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).status();
        assert!(
            mounted.is_ok_and(|status| status.success()),
            "a small disk cannot be mounted: run this as root"
        );
        Self { folder }
    }

    /// Its mount point.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Fills it completely.
    ///
    /// # Panics
    /// Where it cannot be written to.
    pub fn fill(&self) {
        let mut file = File::options().append(true).create(true).open(self.ballast()).expect("a file");
        for size in [1 << 16, 1 << 10, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Frees the space again.
    ///
    /// # Panics
    /// Where it was not filled.
    pub fn free(&self) {
        std::fs::remove_file(self.ballast()).expect("a file to remove");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(as_root("umount").arg("-l").arg(self.path()).status());
    }
}

fn as_root(program: &str) -> Command {
    if is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg(program);
    command
}
