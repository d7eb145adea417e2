//! Why runs and stages failed.

use crate::call::FailureKind;
use crate::excerpt::excerpt;

/// The kind of an error. Programs and stored rows hold its word, which never changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// A call failed.
    Call(FailureKind),
    /// The stored experiment and the stored run do not give a configuration.
    Configuration,
    /// Something stored cannot be read.
    Corrupt,
    /// The endpoint was removed, or its URL changed, after the run was made.
    EndpointChanged,
    /// A fault of this program.
    Internal,
    /// An answer has nothing at the place that its stage takes its output from.
    MissingOutput,
    /// An answer is no JSON where its stage answers JSON.
    NotJson,
    /// A template could not be parsed or rendered.
    Template,
    /// A text has more chunks than a stage may give.
    TooManyChunks,
    /// Worker processes ended repeatedly while they executed the run.
    WorkerLost,
    /// The input of a stage has a type that the stage does not take.
    WrongInput,
    /// A word that another release stored.
    Unknown(String),
}

/// Kinds of errors that are not those of calls.
const OWN: [ErrorKind; 10] = [
    ErrorKind::Configuration,
    ErrorKind::Corrupt,
    ErrorKind::EndpointChanged,
    ErrorKind::Internal,
    ErrorKind::MissingOutput,
    ErrorKind::NotJson,
    ErrorKind::Template,
    ErrorKind::TooManyChunks,
    ErrorKind::WorkerLost,
    ErrorKind::WrongInput,
];

impl ErrorKind {
    /// The stable word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Call(kind) => kind.as_str(),
            Self::Configuration => "configuration",
            Self::Corrupt => "corrupt",
            Self::EndpointChanged => "endpoint_changed",
            Self::Internal => "internal",
            Self::MissingOutput => "missing_output",
            Self::NotJson => "not_json",
            Self::Template => "template",
            Self::TooManyChunks => "too_many_chunks",
            Self::WorkerLost => "worker_lost",
            Self::WrongInput => "wrong_input",
            Self::Unknown(word) => word,
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        let own = || OWN.into_iter().find(|kind| kind.as_str() == word);
        let kind = FailureKind::parse(word).map(Self::Call).or_else(own);
        kind.unwrap_or_else(|| Self::Unknown(word.to_owned()))
    }
}

impl From<FailureKind> for ErrorKind {
    fn from(kind: FailureKind) -> Self {
        Self::Call(kind)
    }
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunError {
    /// The kind of error.
    pub kind: ErrorKind,
    /// What happened, for people.
    pub message: String,
    /// The stage that failed, where it was one.
    pub stage: Option<String>,
    /// The first sample that failed with this error.
    pub sample: Option<u32>,
}

/// Why a stage gave no output for a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageError {
    /// The kind of error.
    pub kind: ErrorKind,
    /// What happened, for people.
    pub message: String,
}

impl StageError {
    /// An error of this kind.
    #[must_use]
    pub fn new(kind: impl Into<ErrorKind>, message: impl Into<String>) -> Self {
        Self { kind: kind.into(), message: message.into() }
    }

    /// A stage answered no JSON where it has to. `advice` says what to do about it, where that is known.
    #[must_use]
    pub fn not_json(stage: &str, answer: &str, advice: Option<&str>) -> Self {
        /// Characters of the answer that are shown.
        const SHOWN: usize = 200;
        let shown = match answer.trim() {
            "" => "its answer is empty".to_owned(),
            answer => excerpt(answer, SHOWN),
        };
        let advice = advice.map(|advice| format!(" ({advice})")).unwrap_or_default();
        Self::new(ErrorKind::NotJson, format!("stage `{stage}` answered no JSON{advice}: {shown}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        let calls = [FailureKind::Timeout, FailureKind::RateLimited];
        for kind in OWN.into_iter().chain(calls.map(ErrorKind::Call)) {
            assert_eq!(ErrorKind::of_word(kind.as_str()), kind);
        }
    }

    #[test]
    fn words_of_other_releases_are_kept() {
        assert_eq!(ErrorKind::of_word("bad_luck").as_str(), "bad_luck");
    }
}
