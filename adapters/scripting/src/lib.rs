//! Checks formats in processes of their own, which may take too long, too much memory or too much stack, and are ended
//! then. This process is never the one that ends.

mod pool;
mod process;
mod protocol;
mod worker;

use std::time::Duration;

pub use pool::FormatProcesses;
pub use worker::check_formats;

/// How long a check may take.
const MAX_DURATION: Duration = Duration::from_secs(10);
/// Processor time of one check, in seconds; ends a process whose parent is gone.
const MAX_CPU_SECONDS: u64 = 15;
/// Memory that a process may ask for, its program included, in bytes.
const MAX_MEMORY: u64 = 512 << 20;
/// Processes at once.
const MAX_PROCESSES: usize = 2;
/// How long a process waits for more work before it is ended.
const MAX_IDLE: Duration = Duration::from_secs(30);
/// Formats that a process keeps ready.
const KEPT_FORMATS: usize = 8;
