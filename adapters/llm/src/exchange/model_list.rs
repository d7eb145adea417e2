//! The models that a server says it has.

use application::ports::ListedModel;
use domain::call::{CallFailure, FailureKind};
use serde::Deserialize;
use serde_json::Value;

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
    /// As gateways such as `OpenRouter` tell it. What is no list of texts tells nothing.
    #[serde(default)]
    supported_parameters: Value,
}

/// Parameters of a model that are kept, and characters of each name.
const MOST_PARAMETERS: usize = 100;
const LONGEST_PARAMETER: usize = 50;

/// The first 1,000 models, each name cut at 200 characters.
pub(crate) fn read(body: &[u8]) -> Result<Vec<ListedModel>, CallFailure> {
    let list = json::read::<List>(body).ok_or_else(|| {
        let message = format!("the response is not a list of models: {}", excerpt::of_bytes(body));
        CallFailure::new(FailureKind::Malformed, message)
    })?;
    Ok(list.value.data.iter().take(MOST).map(listed).collect())
}

fn listed(entry: &Entry) -> ListedModel {
    let named = entry.supported_parameters.as_array().filter(|named| !named.is_empty());
    let parameters = named.map(|named| {
        let texts = named.iter().filter_map(Value::as_str).filter(|name| name.len() <= LONGEST_PARAMETER);
        texts.take(MOST_PARAMETERS).map(str::to_owned).collect()
    });
    ListedModel { name: cut(&entry.id), parameters }
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
            let list = read(format!(r#"{{"object":"list","data":[{entries}]}}"#).as_bytes()).unwrap();
            list.into_iter().map(|model| model.name).collect::<Vec<_>>()
        };
        assert_eq!(names(2, "m"), ["m", "m"]);
        assert_eq!(names(2000, "m").len(), 1000);
        assert_eq!(names(1, &"é".repeat(300)), ["é".repeat(200)]);
        assert_eq!(names(1, r"a\u0000"), ["a\u{fffd}"]);
        assert_eq!(read(b"[]").unwrap_err().kind, FailureKind::Malformed);
    }

    #[test]
    fn parameters_are_read_where_a_server_lists_them() {
        let parameters = |field: &str| {
            let list = read(format!(r#"{{"data":[{{"id":"m"{field}}}]}}"#).as_bytes()).unwrap();
            list[0].parameters.as_ref().map(|names| names.iter().cloned().collect::<Vec<_>>())
        };
        let listed = r#","supported_parameters":["top_p","temperature",7]"#;
        assert_eq!(parameters(listed), Some(vec!["temperature".to_owned(), "top_p".to_owned()]));
        for nothing in ["", r#","supported_parameters":[]"#, r#","supported_parameters":"all""#] {
            assert_eq!(parameters(nothing), None, "{nothing}");
        }
    }
}
