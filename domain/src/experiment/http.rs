//! Finds problems of stages that call a service.

use std::collections::{BTreeMap, BTreeSet};

use super::HttpDraft;
use crate::header::{self, MAX_HEADERS};
use crate::problem::{Problem, segment};
use crate::secret::Secret;
use crate::stage::{self, HttpBody, HttpStage};

pub(super) fn check(draft: HttpDraft, problems: &mut Vec<Problem>) -> HttpStage {
    if let Err(error) = stage::check_url(&draft.url) {
        problems.push(Problem::new("/url", "invalid_url", error.to_string()));
    }
    headers(&draft.headers, problems);
    if draft.output.as_deref().is_some_and(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
        let detail = "a JSON pointer begins with a slash, as in `/documents/0/text`";
        problems.push(Problem::new("/output", "wrong_value", detail));
    }
    let timeout_s = draft.timeout_s.unwrap_or(HttpStage::DEFAULT_TIMEOUT_S);
    let timeouts = HttpStage::TIMEOUTS_S;
    if !timeouts.contains(&timeout_s) {
        let detail = format!("timeout_s takes seconds from {} to {}", timeouts.start(), timeouts.end());
        problems.push(Problem::new("/timeout_s", "out_of_range", detail));
    }
    HttpStage {
        url: draft.url,
        headers: draft.headers,
        body: HttpBody::of_value(draft.body),
        output: draft.output,
        timeout_s,
        cache: draft.cache.unwrap_or(true),
    }
}

fn headers(headers: &BTreeMap<String, String>, problems: &mut Vec<Problem>) {
    if headers.len() > MAX_HEADERS {
        let detail = format!("a stage takes at most {MAX_HEADERS} headers");
        problems.push(Problem::new("/headers", "too_many", detail));
    }
    let mut known = BTreeSet::new();
    for (name, value) in headers {
        let is_new = known.insert(name.to_ascii_lowercase());
        let unique = if is_new { Ok(()) } else { Err(format!("`{name}` is given twice")) };
        let given = || if value == Secret::MASK { Err(header::NOT_KEPT.to_owned()) } else { Ok(()) };
        let checked = header::check_name(name).and(unique).and_then(|()| given());
        let checked = checked.and_then(|()| stage::check_header_value(value));
        if let Err(detail) = checked {
            problems.push(Problem::new(format!("/headers/{}", segment(name)), "invalid_header", detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Draft, StageDraft, StageKindDraft};
    use crate::value::Value;

    #[test]
    fn a_mask_stands_for_a_known_value_of_the_same_service() {
        let draft = |url: &str, value: &str| Draft {
            stages: vec![StageDraft {
                name: "s".into(),
                kind: StageKindDraft::Http(HttpDraft {
                    url: url.into(),
                    headers: [("x-key".to_owned(), value.to_owned())].into(),
                    ..HttpDraft::default()
                }),
            }],
            ..Draft::default()
        };
        let known = |url| draft(url, "sk-1");
        for (url, stored, kept) in [
            ("http://h/b", "http://h/a", true),
            ("http://h:80/b", "http://H/a", true),
            ("http://other/a", "http://h/a", false),
            ("https://h/a", "http://h/a", false),
            ("{{ params.u }}", "{{ params.u }}", true),
            ("{{ params.u }}", "http://h/a", false),
        ] {
            let replaced = draft(url, Secret::MASK).in_place_of(&known(stored));
            assert_eq!(replaced, draft(url, if kept { "sk-1" } else { Secret::MASK }), "{url} for {stored}");
        }
        assert_eq!(draft("http://h", "sk-2").in_place_of(&known("http://h")), draft("http://h", "sk-2"));
        assert_eq!(draft("http://h", "***").in_place_of(&Draft::default()), draft("http://h", "***"));
    }

    #[test]
    fn each_problem_has_its_place() {
        let good = || HttpDraft { url: "http://h/a".into(), ..HttpDraft::default() };
        let with =
            |name: &str, value: &str| HttpDraft { headers: [(name.into(), value.into())].into(), ..good() };
        let twice = [("X-A".to_owned(), "a".to_owned()), ("x-a".to_owned(), "b".to_owned())];
        let many = (0..33).map(|i| (format!("x-{i}"), "a".to_owned()));
        for (draft, wrong) in [
            (good(), None),
            (HttpDraft { url: "{{ params.u }}".into(), ..good() }, None),
            (HttpDraft { url: "gopher://h".into(), ..good() }, Some("/url")),
            (HttpDraft { url: "http://u:p@h".into(), ..good() }, Some("/url")),
            (HttpDraft { url: String::new(), ..good() }, Some("/url")),
            (with("x-key", "{{ params.k }}"), None),
            (with("content-type", "text/plain"), None),
            (with("x key", "a"), Some("/headers/x key")),
            (with("Host", "a"), Some("/headers/Host")),
            (with("x-key", "a\nb"), Some("/headers/x-key")),
            (with("x-key", ""), Some("/headers/x-key")),
            (with("x-key", "***"), Some("/headers/x-key")),
            (HttpDraft { headers: twice.into(), ..good() }, Some("/headers/x-a")),
            (HttpDraft { headers: many.collect(), ..good() }, Some("/headers")),
            (HttpDraft { output: Some("a".into()), ..good() }, Some("/output")),
            (HttpDraft { output: Some(String::new()), ..good() }, None),
            (HttpDraft { timeout_s: Some(0), ..good() }, Some("/timeout_s")),
            (HttpDraft { timeout_s: Some(601), ..good() }, Some("/timeout_s")),
            (HttpDraft { timeout_s: Some(600), body: Some(Value::Null), ..good() }, None),
        ] {
            let mut problems = Vec::new();
            check(draft.clone(), &mut problems);
            let found: Vec<&str> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
            assert_eq!(found, wrong.into_iter().collect::<Vec<_>>(), "{draft:?}");
        }
    }
}
