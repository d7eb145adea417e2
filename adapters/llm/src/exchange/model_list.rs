//! The models that a server says it has.

use domain::call::{CallFailure, FailureKind};
use serde::Deserialize;

use super::{excerpt, json};

/// Models that are listed at most.
const MOST: usize = 1000;
/// Characters of a name that are kept.
const LONGEST: usize = 200;

#[derive(Deserialize)]
struct List {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
}

/// The first 1,000 names, each cut at 200 characters.
pub(crate) fn read(body: &[u8]) -> Result<Vec<String>, CallFailure> {
    let list = json::read::<List>(body).ok_or_else(|| {
        let message = format!("the response is not a list of models: {}", excerpt::of_bytes(body));
        CallFailure::new(FailureKind::Malformed, message)
    })?;
    Ok(list.value.data.into_iter().take(MOST).map(|entry| cut(&entry.id)).collect())
}

fn cut(name: &str) -> String {
    json::without_nul(name.chars().take(LONGEST).collect(), &mut false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_bounded() {
        let names = |count: usize, name: &str| {
            let entries = vec![format!(r#"{{"id":"{name}","object":"model"}}"#); count].join(",");
            read(format!(r#"{{"object":"list","data":[{entries}]}}"#).as_bytes()).unwrap()
        };
        assert_eq!(names(2, "m"), ["m", "m"]);
        assert_eq!(names(2000, "m").len(), 1000);
        assert_eq!(names(1, &"é".repeat(300)), ["é".repeat(200)]);
        assert_eq!(names(1, r"a\u0000"), ["a\u{fffd}"]);
        assert_eq!(read(b"[]").unwrap_err().kind, FailureKind::Malformed);
    }
}
