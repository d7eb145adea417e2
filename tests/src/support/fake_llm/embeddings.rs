//! Embeddings. The vector of a text counts its words, so that texts with common words are similar.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher as _};

use serde::Deserialize;

const DIMENSIONS: usize = 512;

/// The fields of a request that matter.
#[derive(Deserialize)]
pub(super) struct Request {
    pub(super) model: String,
    pub(super) input: Vec<String>,
}

impl Request {
    /// Whether the server refuses the whole request because of one of its texts.
    pub(super) fn is_refused(&self) -> bool {
        self.input.iter().any(|text| text.contains("[[refuse]]"))
    }

    /// Whether the server fails the request the first time.
    pub(super) fn stumbles(&self) -> bool {
        self.input.iter().any(|text| text.contains("[[stumble]]"))
    }

    /// A quarter of the texts' bytes.
    pub(super) fn tokens(&self) -> u64 {
        self.input.iter().map(|text| (text.len() as u64).div_ceil(4)).sum()
    }

    /// The vectors in reverse order, so that clients have to use their indices.
    pub(super) fn reply(&self) -> String {
        let items = self.input.iter().enumerate().rev().map(|(index, text)| {
            let numbers: Vec<String> = vector(text).iter().map(u32::to_string).collect();
            format!(r#"{{"object":"embedding","index":{index},"embedding":[{}]}}"#, numbers.join(","))
        });
        let (items, tokens) = (items.collect::<Vec<_>>().join(","), self.tokens());
        let mut out = String::from(r#"{"object":"list","model":"#);
        domain::value::write_text(&self.model, &mut out);
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            r#","data":[{items}],"usage":{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}}}"#
        );
        out
    }
}

fn vector(text: &str) -> [u32; DIMENSIONS] {
    let mut numbers = [0; DIMENSIONS];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut hasher = DefaultHasher::new();
        hasher.write(word.to_lowercase().as_bytes());
        let place = usize::try_from(hasher.finish() % DIMENSIONS as u64).unwrap_or_default();
        numbers[place] += 1;
    }
    numbers
}
