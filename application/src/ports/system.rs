use domain::time::Timestamp;

/// Knows what time it is.
#[cfg_attr(test, mockall::automock)]
pub trait Clock: Send + Sync {
    /// This moment.
    fn now(&self) -> Timestamp;
}

/// Makes ids.
pub trait Ids: Send + Sync {
    /// An id that nobody else has: the 128 bits of a UUID, later ones larger.
    fn next(&self) -> u128;
}

/// Throws dice.
#[cfg_attr(test, mockall::automock)]
pub trait Chance: Send + Sync {
    /// A number from 0 up to but not including 1, each as likely as the others.
    fn unit(&self) -> f64;
}
