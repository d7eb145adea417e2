//! Vectors of texts, which are similar for texts that mean similar things.

use std::time::Duration;

use domain::call::Embedding;

use super::dice::fnv1a;
use super::{meaning, words};

/// The duration of an exchange at a pace of 1.
pub(super) const THINKING_TIME: Duration = Duration::from_millis(5);

/// The embedding models of the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EmbeddingModel {
    /// Knows inflections and synonyms.
    Full,
    /// Compares words only as they are written.
    Small,
}

/// The weights of what a word tells, beside the word itself.
const SYNONYMS: f32 = 0.9;
const TOPIC: f32 = 0.45;
/// That of all parts of three characters together.
const TRIGRAMS: f32 = 0.4;
/// The weight of a word that says nothing about the topic.
const STOP_WORD: f32 = 0.05;

/// Feature hashing (Weinberger et al. 2009): each feature adds or subtracts its weight at a place that its hash selects.
struct Features(Vec<f32>);

impl EmbeddingModel {
    pub(super) const ALL: [Self; 2] = [Self::Full, Self::Small];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "sim-embed",
            Self::Small => "sim-embed-small",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.as_str() == name)
    }

    const fn dimensions(self) -> usize {
        match self {
            Self::Full => 512,
            Self::Small => 128,
        }
    }

    /// The vector of a text.
    pub(super) fn embed(self, text: &str) -> Option<Embedding> {
        let mut features = Features(vec![0.0; self.dimensions()]);
        for word in words::of(text) {
            match self {
                Self::Full => features.add_meaning(&word),
                Self::Small => features.add("word", &word, 1.0),
            }
        }
        Embedding::try_new(features.unit())
    }
}

impl Features {
    fn add(&mut self, kind: &str, name: &str, weight: f32) {
        let hash = fnv1a(name) ^ fnv1a(kind).rotate_left(17);
        // The places of similar names must not be near each other.
        let mixed = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let signed = if mixed >> 63 == 0 { weight } else { -weight };
        let place = usize::try_from((mixed >> 16) % self.0.len() as u64).unwrap_or_default();
        self.0[place] += signed;
    }

    fn add_meaning(&mut self, word: &str) {
        if meaning::is_stop(word) {
            return self.add("word", word, STOP_WORD);
        }
        let stem = meaning::stem(word);
        self.add("word", &stem, 1.0);
        let meaning = meaning::of(&stem);
        if let Some(group) = meaning.synonyms {
            self.add("synonyms", &group.to_string(), SYNONYMS);
        }
        if let Some(topic) = meaning.topic {
            self.add("topic", &topic.to_string(), TOPIC);
        }
        let starts: Vec<usize> = stem.char_indices().map(|(at, _)| at).chain([stem.len()]).collect();
        let parts: Vec<&str> = starts.windows(4).map(|at| &stem[at[0]..at[3]]).collect();
        let each = TRIGRAMS / (parts.len().max(1) as f32).sqrt();
        for part in parts {
            self.add("part", part, each);
        }
    }

    /// The vector of length 1 in this direction.
    fn unit(self) -> Vec<f32> {
        let norm = self.0.iter().map(|number| number * number).sum::<f32>().sqrt();
        let norm = if norm > 0.0 { norm } else { 1.0 };
        self.0.into_iter().map(|number| number / norm).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text, one that means nearly the same, and one that does not.
    const TRIPLES: [[&str; 3]; 24] = [
        [
            "How do I return a payment?",
            "You can return each payment within 30 days.",
            "The app crashes on start.",
        ],
        [
            "I want my money refunded",
            "Please reimburse the money for this",
            "Where can I change my password?",
        ],
        ["My parcel has not arrived", "The package was never delivered", "The invoice shows the wrong VAT"],
        ["The app crashes on start", "Application freezing when it is started", "Please delete my account"],
        ["I was charged twice", "You billed me two times, a double charge", "The courier lost the parcel"],
        ["I forgot my password", "Cannot log in, passcode forgotten", "The shop opens on Saturdays"],
        ["Cancel my subscription", "I would like to terminate the plan", "The package arrived damaged"],
        [
            "How much does express delivery cost?",
            "The price of fast shipping",
            "An account locks after failures",
        ],
        [
            "When is an account locked?",
            "Accounts are blocked after ten wrong passwords",
            "Invoices go out monthly",
        ],
        ["Delete my profile", "Erase the account of this client", "Late payments cost a fee"],
        [
            "What fee is charged for late payments?",
            "Overdue bills cost five euros",
            "The desk answers the phone",
        ],
        [
            "When does the support desk answer?",
            "Help is available by phone from eight",
            "Refunds take five days",
        ],
        [
            "Are parcels insured?",
            "Packages are covered by insurance up to 500 euros",
            "Dark mode would be great",
        ],
        ["How long are invoices kept?", "Bills are stored for ten years", "The chat is closed on holidays"],
        ["Please add an export option", "A feature to export files is my suggestion", "My card was declined"],
        ["The website is very slow", "Loading takes minutes, it lags", "I bought the wrong size"],
        ["Someone hacked my account", "Suspicious phishing and a security breach", "The parcel is late"],
        [
            "I love this product, great work",
            "Excellent and wonderful, I am happy",
            "The payment failed again",
        ],
        [
            "Terrible service, very disappointed",
            "The worst and most awful support",
            "Which plan is cheapest?",
        ],
        [
            "How many vacation days do employees have?",
            "Staff get 28 days of holiday",
            "The login page is blank",
        ],
        ["When is the shop open?", "Opening hours of the store in Lyon", "The refund never came"],
        [
            "Can I change my delivery address?",
            "Modify where the order is shipped",
            "The program shows an error",
        ],
        ["My item is faulty", "The product came defective and damaged", "Sign in with your email"],
        [
            "Which courier ships my order?",
            "The carrier that delivers purchases",
            "Reset the password by email",
        ],
    ];

    fn cosine(model: EmbeddingModel, one: &str, other: &str) -> f64 {
        model.embed(one).unwrap().cosine(&model.embed(other).unwrap())
    }

    #[test]
    fn texts_with_one_meaning_are_nearer_than_others() {
        for [text, near, far] in TRIPLES {
            let (near_by, far_by) =
                (cosine(EmbeddingModel::Full, text, near), cosine(EmbeddingModel::Full, text, far));
            assert!(near_by > far_by + 0.1, "{text:?}: {near:?} {near_by:.3}, {far:?} {far_by:.3}");
            assert!(far_by < 0.3, "{text:?}: {far:?} {far_by:.3}");
        }
        let missed = TRIPLES.iter().filter(|[text, near, far]| {
            let small = |other| cosine(EmbeddingModel::Small, text, other);
            small(near) <= small(far) + 0.1
        });
        assert!(missed.count() > 8, "the small model knows no synonyms");
    }

    #[test]
    fn case_and_punctuation_do_not_matter_and_stop_words_hardly_do() {
        for model in EmbeddingModel::ALL {
            let same = cosine(model, "How do I return a payment?", "how do i RETURN a payment");
            assert!((same - 1.0).abs() < 1e-6);
            assert_eq!(model.embed("").unwrap().numbers().len(), model.dimensions());
        }
        let full = |one, other| cosine(EmbeddingModel::Full, one, other);
        assert!(full("what is it that the parcel has", "is it that what the password has") < 0.2);
        assert!(full("parcel insured", "is the parcel that we have been sent also insured for us") > 0.75);
    }
}
