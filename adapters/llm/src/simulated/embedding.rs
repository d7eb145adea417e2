//! Vectors of texts, which are similar for texts with common words.

use std::time::Duration;

use domain::call::Embedding;

use super::dice::fnv1a;

/// The only embedding model.
pub(super) const MODEL: &str = "sim-embed";

/// The duration of an exchange at a pace of 1.
pub(super) const THINKING_TIME: Duration = Duration::from_millis(5);

const DIMENSIONS: usize = 512;

/// Feature hashing (Weinberger et al. 2009): each word adds or subtracts its length at a place that its hash selects.
/// Long words have more weight because they say more about the topic of a text.
pub(super) fn of(text: &str) -> Option<Embedding> {
    let mut numbers = vec![0.0_f32; DIMENSIONS];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let hash = fnv1a(&word.to_lowercase());
        let length = word.chars().count() as f32;
        let weight = if hash >> 63 == 0 { length } else { -length };
        let place = usize::try_from(hash % DIMENSIONS as u64).unwrap_or_default();
        numbers[place] += weight;
    }
    let norm = numbers.iter().map(|number| number * number).sum::<f32>().sqrt().max(1.0);
    for number in &mut numbers {
        *number /= norm;
    }
    Embedding::try_new(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_words_in_common_are_alike() {
        let of = |text| of(text).unwrap();
        let query = of("How do I return a payment?");
        let near = query.cosine(&of("You can return each payment within 30 days."));
        let far = query.cosine(&of("The app crashes on start."));
        assert!(near > far + 0.1, "{near} against {far}");
        assert!((query.cosine(&of("how do i RETURN a payment")) - 1.0).abs() < 1e-6);
        assert_eq!(of("").numbers().len(), DIMENSIONS);
    }
}
