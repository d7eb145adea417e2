//! The API over real HTTP.

mod description;
mod documents;
mod imports;
mod previews;
mod requests;
mod sweeps;

use promptlooper_tests::support::fake_llm::{FakeLlm, Options};

async fn fake() -> FakeLlm {
    FakeLlm::start(Options::default()).await.unwrap()
}
