//! Values of headers that stages and scorers send to services. They may be keys, so stored documents hold them sealed.

use application::ports::Vault;
use domain::experiment::{StageDraft, StageKindDraft};
use domain::id::ExperimentId;
use domain::scoring::ScoringDraft;
use domain::secret::Secret;
use sea_orm::DbErr;

use crate::dialect::corrupt;

/// Seals and opens the headers in one experiment's document.
#[derive(Clone, Copy)]
pub(crate) struct DocumentHeaders<'a> {
    pub(crate) vault: &'a dyn Vault,
    pub(crate) experiment: ExperimentId,
}

impl DocumentHeaders<'_> {
    /// The same stages with sealed values.
    pub(crate) fn sealed(self, stages: &[StageDraft]) -> Result<Vec<StageDraft>, DbErr> {
        stages.iter().cloned().map(|stage| with_values(stage, |value| self.seal(value))).collect()
    }

    /// The same stages with the values that were sealed.
    pub(crate) fn opened(self, stages: Vec<StageDraft>) -> Result<Vec<StageDraft>, DbErr> {
        stages.into_iter().map(|stage| with_values(stage, |value| self.open(value))).collect()
    }

    /// The same scoring entries with sealed values.
    pub(crate) fn sealed_scoring(self, entries: &[ScoringDraft]) -> Result<Vec<ScoringDraft>, DbErr> {
        entries.iter().cloned().map(|entry| with_secrets(entry, |value| self.seal(value))).collect()
    }

    /// The same scoring entries with the values that were sealed.
    pub(crate) fn opened_scoring(self, entries: Vec<ScoringDraft>) -> Result<Vec<ScoringDraft>, DbErr> {
        entries.into_iter().map(|entry| with_secrets(entry, |value| self.open(value))).collect()
    }

    fn seal(self, value: &str) -> Result<String, DbErr> {
        let sealed = self.vault.seal(&Secret::new(value), &self.context());
        sealed.map(|bytes| hex(&bytes)).map_err(|error| DbErr::Custom(error.to_string()))
    }

    fn open(self, value: &str) -> Result<String, DbErr> {
        let sealed = bytes(value).ok_or_else(|| corrupt("a sealed header"))?;
        let opened = self.vault.open(&sealed, &self.context()).map_err(corrupt)?;
        Ok(opened.expose().to_owned())
    }

    /// What a sealed value is bound to.
    fn context(self) -> String {
        format!("experiment/{}/headers", self.experiment)
    }
}

fn with_values(
    mut stage: StageDraft,
    change: impl Fn(&str) -> Result<String, DbErr>,
) -> Result<StageDraft, DbErr> {
    if let StageKindDraft::Http(draft) = &mut stage.kind {
        for value in draft.headers.values_mut() {
            *value = change(value)?;
        }
    }
    Ok(stage)
}

fn with_secrets(
    mut entry: ScoringDraft,
    change: impl Fn(&str) -> Result<String, DbErr>,
) -> Result<ScoringDraft, DbErr> {
    for value in entry.secrets_mut() {
        *value = change(value)?;
    }
    Ok(entry)
}

fn hex(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_hexadecimal_digits() {
        assert_eq!((hex(&[0, 171, 255]).as_str(), bytes("00abff")), ("00abff", Some(vec![0, 171, 255])));
        for wrong in ["0", "0g", "é0"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
