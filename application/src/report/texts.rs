//! Texts that are too long for a table. The table names each by a number, and the whole text stands below it.

/// Texts in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct LongTexts {
    texts: Vec<String>,
}

impl LongTexts {
    /// The number of a text, from 1.
    pub(super) fn number(&mut self, text: &str) -> usize {
        let known = self.texts.iter().position(|known| known == text);
        1 + known.unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        })
    }

    /// The texts with their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &str)> {
        self.texts.iter().enumerate().map(|(i, text)| (i + 1, text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_number() {
        let mut long = LongTexts::default();
        assert_eq!(["a", "b", "a"].map(|text| long.number(text)), [1, 2, 1]);
        assert!(long.iter().eq([(1, "a"), (2, "b")]));
    }
}
