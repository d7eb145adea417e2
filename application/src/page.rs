//! Lists, page by page: each page says where the next one begins.

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Whether more come after it.
    pub more: bool,
}

impl<T> Page<T> {
    /// The page of at most `limit` items that begins a list of one more.
    #[must_use]
    pub fn of(mut items: Vec<T>, limit: usize) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        Self { items, more }
    }

    /// The page with its items turned into something else.
    #[must_use]
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(turn).collect(), more: self.more }
    }
}
