//! The fake model server as a process: `fake_llm [--port N] [--latency-ms N]`. It prints its URL and serves until it
//! is ended.

use std::io::{self, Write as _};
use std::time::Duration;

use promptlooper_tests::support::fake_llm::{FakeLlm, Options};

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut fake = FakeLlm::start(options(std::env::args().skip(1))?).await?;
    writeln!(io::stdout(), "{}", fake.url())?;
    fake.wait().await;
    Ok(())
}

fn options(mut words: impl Iterator<Item = String>) -> io::Result<Options> {
    let mut options = Options::default();
    while let Some(name) = words.next() {
        let value = words.next().unwrap_or_default();
        match name.as_str() {
            "--port" => options.port = value.parse().map_err(io::Error::other)?,
            "--latency-ms" => {
                options.latency = Duration::from_millis(value.parse().map_err(io::Error::other)?);
            }
            _ => return Err(io::Error::other(format!("unknown option {name}"))),
        }
    }
    Ok(options)
}
