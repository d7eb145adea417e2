//! Finds or builds the dashboard's files. `PROMPTLOOPER_DASHBOARD` names a folder of built files. Without it, release
//! builds run npm, and debug builds read `frontend/dist` at run time.

#![expect(clippy::disallowed_methods, reason = "cargo tells build scripts everything by the environment")]

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

type BuildResult<T> = Result<T, Box<dyn Error>>;

/// What the built files depend on.
const SOURCES: [&str; 10] = [
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "vite.config.ts",
    "tsconfig.json",
    "tsconfig.app.json",
    "tsconfig.node.json",
];

fn main() -> BuildResult<()> {
    println!("cargo:rerun-if-env-changed=PROMPTLOOPER_DASHBOARD");
    let frontend = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../frontend");
    let files = match env::var_os("PROMPTLOOPER_DASHBOARD") {
        Some(folder) => given(Path::new(&folder))?,
        None if env::var("PROFILE")? == "release" => built(&frontend)?,
        None => frontend.join("dist"),
    };
    println!("cargo:rustc-env=PROMPTLOOPER_DASHBOARD_FILES={}", files.display());
    Ok(())
}

fn given(folder: &Path) -> BuildResult<PathBuf> {
    if !folder.join("index.html").is_file() {
        return Err(format!(
            "PROMPTLOOPER_DASHBOARD names {}, where there is no index.html",
            folder.display()
        )
        .into());
    }
    Ok(folder.canonicalize()?)
}

fn built(frontend: &Path) -> BuildResult<PathBuf> {
    let frontend = frontend.canonicalize()?;
    for source in SOURCES {
        println!("cargo:rerun-if-changed={}", frontend.join(source).display());
    }
    let files = PathBuf::from(env::var("OUT_DIR")?).join("dashboard");
    // Two builds with different target folders must not install packages at the same time.
    let lock = File::create(frontend.join(".build.lock"))?;
    lock.lock()?;
    if files.exists() {
        fs::remove_dir_all(&files)?;
    }
    npm(&frontend, &["ci", "--no-audit", "--no-fund"])?;
    npm(&frontend, &["run", "build", "--", "--outDir", &files.display().to_string(), "--emptyOutDir"])?;
    Ok(files)
}

fn npm(frontend: &Path, arguments: &[&str]) -> BuildResult<()> {
    let advice = "a release build makes the dashboard with npm: install Node.js 20 or newer (on Debian: apt install \
                  nodejs npm), or set PROMPTLOOPER_DASHBOARD to a folder with a built one";
    let output = Command::new("npm").args(arguments).current_dir(frontend).output();
    let output = output.map_err(|error| format!("npm cannot be started ({error}): {advice}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    Err(format!("`npm {}` failed:\n{said}", arguments.join(" ")).into())
}
