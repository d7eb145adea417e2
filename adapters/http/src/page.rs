//! Parameters of lists.

use std::str::FromStr;

use application::page::Page;
use uuid::Uuid;

use crate::failure::Failure;

const USUAL: u32 = 50;

/// How many items a page has.
pub(crate) fn limit(given: Option<u32>) -> usize {
    given.unwrap_or(USUAL) as usize
}

/// Where a page begins; an empty cursor is none.
pub(crate) fn cursor<T: FromStr>(given: Option<&String>) -> Result<Option<T>, Failure> {
    let wrong = |_| Failure::parameter("cursor", "take it from `next_cursor` of the page before");
    given.filter(|text| !text.is_empty()).map(|text| text.parse().map_err(wrong)).transpose()
}

/// The place after a page: that of its last item, where more come.
pub(crate) fn next<T>(page: &Page<T>, place: impl Fn(&T) -> String) -> Option<String> {
    page.items.last().filter(|_| page.more).map(place)
}

/// An id of the domain.
pub(crate) const fn bits(id: Uuid) -> u128 {
    id.as_u128()
}
