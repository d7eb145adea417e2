//! Log lines on stderr, above whatever progress is shown there.

use std::io::{self, IsTerminal as _, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::failure::Failure;
use crate::progress::Screen;
use crate::settings::Settings;

pub(crate) fn start(settings: &Settings, screen: &Screen) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&settings.log).map_err(Failure::error)?;
    let coloured = io::stderr().is_terminal();
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(coloured).with_writer(screen.clone());
    let started =
        if settings.log_as_json { lines.json().try_init() } else { lines.with_target(false).try_init() };
    started.map_err(Failure::error)
}

/// One log line on its way.
pub(crate) struct Line(Screen);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.log(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for Screen {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(self.clone())
    }
}
