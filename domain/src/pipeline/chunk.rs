//! Cuts texts into overlapping chunks.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::{Render, StageOutput, Step, parsed};
use crate::run::{ErrorKind, StageError};
use crate::stage::{ChunkInput, ChunkStage};
use crate::template::Template;
use crate::text_unit::TextUnit;
use crate::value::Value;

/// The most chunks of one sample.
pub(super) const MAX_CHUNKS: usize = 100_000;
/// The most bytes of all chunks together.
const MAX_BYTES: usize = 64 << 20;

/// A `chunk` stage whose template is parsed.
#[derive(Debug, Clone)]
pub(super) struct CompiledChunk {
    /// The text to cut; the documents where absent.
    input: Option<Template>,
    cut: Cut,
    /// Where all samples share the chunks: their key, and the chunks once they are cut.
    shared: Option<SharedChunks>,
}

/// The chunks of texts that do not depend on the sample.
#[derive(Debug, Clone)]
struct SharedChunks {
    key: String,
    cut: OnceLock<Result<StageOutput, StageError>>,
}

/// How texts are cut.
#[derive(Debug, Clone, Copy)]
struct Cut {
    unit: TextUnit,
    size: usize,
    /// The distance between the beginnings of consecutive chunks.
    step: usize,
}

impl CompiledChunk {
    pub(super) fn new(stage: &ChunkStage) -> Result<Self, StageError> {
        let input = match &stage.input {
            ChunkInput::Template(source) => Some(parsed(source)?),
            ChunkInput::Documents => None,
        };
        let (size, overlap) = (stage.size as usize, stage.overlap as usize);
        let Some(step) = size.checked_sub(overlap).filter(|step| *step > 0) else {
            let detail = format!("chunk_overlap {overlap} has to be less than chunk_size {size}");
            return Err(StageError::new(ErrorKind::Configuration, detail));
        };
        let is_shared = input.as_ref().is_none_or(reads_only_documents);
        let shared = is_shared.then(|| SharedChunks { key: key_of(stage), cut: OnceLock::new() });
        Ok(Self { input, cut: Cut { unit: stage.unit, size, step }, shared })
    }

    /// Tells its chunks from those of other stages, where all samples share them.
    pub(super) fn shared_key(&self) -> Option<&str> {
        self.shared.as_ref().map(|shared| shared.key.as_str())
    }

    pub(super) fn begin(&self, documents: &Value, render: &impl Render) -> Option<Result<Step, StageError>> {
        let Some(shared) = &self.shared else {
            return Some(self.chunks(documents, render)?.map(Step::Output));
        };
        if shared.cut.get().is_none() {
            let chunks = self.chunks(documents, render)?;
            // Another sample may have been quicker; its chunks are the same.
            drop(shared.cut.set(chunks));
        }
        Some(shared.cut.get()?.clone().map(Step::Output))
    }

    fn chunks(&self, documents: &Value, render: &impl Render) -> Option<Result<StageOutput, StageError>> {
        let texts: Vec<Cow<'_, str>> = match &self.input {
            Some(template) => match render.render(template)? {
                Ok(text) => vec![text.into()],
                Err(error) => return Some(Err(error)),
            },
            None => documents.as_list().unwrap_or_default().iter().map(Value::to_text).collect(),
        };
        if !render.takes(texts.iter().map(|text| text.len()).sum()) {
            return None;
        }
        let mut chunks = Chunks::default();
        let cut = texts.iter().try_for_each(|text| self.cut.add(text, &mut chunks));
        Some(cut.map(|()| Value::List(chunks.texts).into()))
    }
}

/// Whether a template is the same for every sample of an experiment.
fn reads_only_documents(template: &Template) -> bool {
    template
        .references()
        .iter()
        .all(|read| read.path.first().is_some_and(|name| name == ChunkInput::DOCUMENTS))
}

/// Everything that the chunks of an experiment's documents depend on.
fn key_of(stage: &ChunkStage) -> String {
    let fields = stage.fields().into_iter().map(|(name, value)| (name.to_owned(), value));
    Value::Map(fields.collect()).canonical()
}

#[derive(Default)]
struct Chunks {
    texts: Vec<Value>,
    bytes: usize,
}

impl Chunks {
    fn push(&mut self, text: &str) -> Result<(), StageError> {
        self.bytes += text.len();
        if self.texts.len() >= MAX_CHUNKS || self.bytes > MAX_BYTES {
            let detail = format!(
                "more than {MAX_CHUNKS} chunks or {} MiB of text: raise chunk_size, or lower chunk_overlap",
                MAX_BYTES >> 20
            );
            return Err(StageError::new(ErrorKind::TooManyChunks, detail));
        }
        self.texts.push(Value::from(text));
        Ok(())
    }
}

impl Cut {
    fn add(self, text: &str, chunks: &mut Chunks) -> Result<(), StageError> {
        match self.unit {
            TextUnit::Characters => {
                let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
                let last = starts.len() - 1;
                self.windows(last).try_for_each(|(from, to)| chunks.push(&text[starts[from]..starts[to]]))
            }
            TextUnit::Words => {
                let words: Vec<(usize, usize)> = words(text).collect();
                self.windows(words.len())
                    .try_for_each(|(from, to)| chunks.push(&text[words[from].0..words[to - 1].1]))
            }
            // A token is estimated as four bytes.
            TextUnit::Tokens => {
                let at = |tokens: usize| text.floor_char_boundary(tokens.saturating_mul(4));
                let tokens = text.len().div_ceil(4);
                self.windows(tokens).try_for_each(|(from, to)| chunks.push(&text[at(from)..at(to)]))
            }
        }
    }

    /// The chunks of a text with this many units, as ranges of units. The last one ends with the text.
    fn windows(self, units: usize) -> impl Iterator<Item = (usize, usize)> {
        let mut next = (units > 0).then_some(0_usize);
        std::iter::from_fn(move || {
            let from = next?;
            let to = from.saturating_add(self.size).min(units);
            next = (to < units).then_some(from + self.step);
            Some((from, to))
        })
    }
}

/// The beginning and end of each word.
fn words(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let begin = text.as_ptr() as usize;
    text.split_whitespace().map(move |word| {
        let from = word.as_ptr() as usize - begin;
        (from, from + word.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(unit: TextUnit, size: usize, step: usize, text: &str) -> Vec<String> {
        let mut chunks = Chunks::default();
        Cut { unit, size, step }.add(text, &mut chunks).unwrap();
        chunks.texts.iter().map(|text| text.to_text().into_owned()).collect()
    }

    #[test]
    fn a_text_is_cut_into_overlapping_chunks() {
        for (unit, size, step, text, expected) in [
            (TextUnit::Characters, 4, 4, "abcdefghij", &["abcd", "efgh", "ij"][..]),
            (TextUnit::Characters, 4, 3, "abcdefghij", &["abcd", "defg", "ghij"]),
            (TextUnit::Characters, 2, 2, "é→ü", &["é→", "ü"]),
            (TextUnit::Characters, 9, 1, "abc", &["abc"]),
            (TextUnit::Words, 2, 1, " one  two\nthree ", &["one  two", "two\nthree"]),
            (TextUnit::Words, 3, 3, " \n ", &[]),
            (TextUnit::Tokens, 1, 1, "abcdefghi", &["abcd", "efgh", "i"]),
            (TextUnit::Tokens, 1, 1, "abcédef", &["abc", "édef"]),
            (TextUnit::Characters, 3, 3, "", &[]),
        ] {
            assert_eq!(chunks(unit, size, step, text), expected, "{unit:?} {size}/{step} of {text:?}");
        }
    }

    #[test]
    fn a_text_of_too_many_chunks_is_refused() {
        let mut chunks = Chunks::default();
        let cut = Cut { unit: TextUnit::Characters, size: 1, step: 1 };
        let refused = cut.add(&"x".repeat(MAX_CHUNKS + 1), &mut chunks).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::TooManyChunks);
    }
}
