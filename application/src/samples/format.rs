//! The forms of sample files, and how they are told apart.

/// The forms of sample file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleFormat {
    /// Values separated by commas or semicolons, with a header.
    Csv,
    /// Values separated by tabs, with a header.
    Tsv,
    /// A list of objects.
    Json,
    /// An object a line.
    Jsonl,
    /// The whole file is one input.
    Text,
    /// Each line is an input.
    Lines,
    /// The rows that Hugging Face's data set server gives: `{features, rows: [{row_idx, row}]}`.
    HuggingFace,
    /// Requests of `OpenAI`'s batch API, one a line.
    OpenAiBatch,
    /// Items of `OpenAI`'s evals, one a line: `{item, sample?}`.
    OpenAiEvals,
    /// Conversations for `OpenAI`'s fine-tuning, one a line: `{messages}`.
    OpenAiChat,
}

impl SampleFormat {
    /// All of them, with the words that stand for them; the first is the one that is shown.
    const WORDS: [(Self, &[&str]); 10] = [
        (Self::Csv, &["csv"]),
        (Self::Tsv, &["tsv", "tab"]),
        (Self::Json, &["json"]),
        (Self::Jsonl, &["jsonl", "ndjson"]),
        (Self::Text, &["text", "md"]),
        (Self::Lines, &["lines", "txt"]),
        (Self::HuggingFace, &["hugging_face"]),
        (Self::OpenAiBatch, &["openai_batch"]),
        (Self::OpenAiEvals, &["openai_evals"]),
        (Self::OpenAiChat, &["openai_chat"]),
    ];

    /// The format with this word or suffix of file names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let found = Self::WORDS.iter().find(|(_, words)| words.contains(&word.as_str()));
        found.map(|(format, _)| *format)
    }

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(format, _)| *format == self);
        found.and_then(|(_, words)| words.first()).copied().unwrap_or_default()
    }

    /// The words of all of them, for people.
    #[must_use]
    pub fn known() -> String {
        let words = Self::WORDS.iter().filter_map(|(_, words)| words.first().copied());
        words.collect::<Vec<_>>().join(", ")
    }

    /// What a text without a telling name is: JSON by its first character, else values with a header.
    pub(super) fn of_content(text: &str) -> Self {
        let is_object = |line: &str| line.trim_start().starts_with('{') && line.trim_end().ends_with('}');
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        match text.trim_start().chars().next() {
            Some('{') if lines.next().is_some_and(is_object) && lines.next().is_none_or(is_object) => {
                Self::Jsonl
            }
            Some('{' | '[') => Self::Json,
            _ => Self::Csv,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_content_tell_formats() {
        for (format, words) in SampleFormat::WORDS {
            assert_eq!(
                words.iter().map(|word| SampleFormat::parse(word)).collect::<Vec<_>>(),
                vec![Some(format); words.len()]
            );
            assert_eq!(SampleFormat::parse(format.as_str()), Some(format));
        }
        for (text, format) in [
            ("[{\"input\": 1}]", SampleFormat::Json),
            ("{\n\"rows\": []}", SampleFormat::Json),
            ("{\"input\": 1}\n\n{\"input\": 2}\n", SampleFormat::Jsonl),
            ("input,reference\n", SampleFormat::Csv),
        ] {
            assert_eq!(SampleFormat::of_content(text), format, "{text}");
        }
    }
}
