//! Uploads of sample files.

use std::time::{Duration, Instant};

use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::server::{API_KEY, Server};
use reqwest::Method;
use serde_json::{Value, json};

const BOUNDARY: &str = "a-boundary-that-no-sample-has";

/// A form with these parts: a name, a file name if it is a file, and the content.
fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

async fn send(server: &Server, body: Vec<u8>) -> (u16, Value) {
    let request = reqwest::Client::new().post(format!("{}/api/v1/samples/import", server.url));
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let request =
        request.bearer_auth(server.token.as_deref().unwrap_or(API_KEY)).header("content-type", media_type);
    let answer = request.body(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_file_is_read_and_nothing_is_stored() {
    let home = Home::new(Kind::Sqlite).await;
    let server = Server::start(&home).await;
    let file: (&str, Option<&str>, &[u8]) =
        ("file", Some("tickets.csv"), b"Question;Label;lang\r\n\"a; \"\"b\"\"\";12.50;\r\n");
    let (status, read) = send(&server, form(&[file])).await;
    let expected = json!({
        "samples": [{"input": "a; \"b\"", "reference": "12.50", "meta": {"lang": ""}}],
        "count": 1, "format": "csv",
        "columns": {"input": "Question", "reference": "Label", "references": [], "meta": ["lang"]}, "warnings": [],
    });
    assert_eq!((status, &read), (200, &expected));
    let columns: &[u8] = br#"{"input": "lang", "reference": "question", "meta": []}"#;
    let (status, read) =
        send(&server, form(&[("columns", None, columns), file, ("format", None, b"csv")])).await;
    assert_eq!((status, &read["samples"]), (200, &json!([{"input": "", "reference": "a; \"b\""}])));
    assert_eq!(read["warnings"].as_array().unwrap().len(), 1, "{read}");
    let stored = server.get("projects").await;
    assert_eq!(stored["items"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_with_a_file_has_its_place() {
    let home = Home::new(Kind::Sqlite).await;
    let server = Server::start(&home).await;
    let csv = |text: &'static str| ("file", Some("x.csv"), text.as_bytes());
    for (parts, status, code, pointer, told) in [
        (
            vec![csv("question,prompt\na,b\n")],
            422,
            "columns_ambiguous",
            "/columns",
            "columns: {input: question}",
        ),
        (vec![csv("a,b\n1,2\n")], 422, "columns_missing", "/columns", "Columns: a, b"),
        (vec![csv("input\nx\n\"y\n")], 422, "bad_sample", "/file", "line 3: the quote that opens"),
        (vec![csv("input\n")], 422, "no_samples", "/file", "there are no samples"),
        (
            vec![("file", Some("x.jsonl"), &b"{\"input\": 1, \"input\": 2}"[..])],
            422,
            "bad_sample",
            "/file",
            "line 1",
        ),
        (vec![csv("input\nx\n"), ("format", None, b"xls")], 422, "unknown_format", "/format", "Known: csv"),
        (vec![csv("input\nx\n"), ("columns", None, b"{")], 422, "invalid", "/columns", "not JSON"),
        (
            vec![csv("input\nx\n"), ("columns", None, b"{\"inptu\": 1}")],
            422,
            "invalid",
            "/columns/inptu",
            "input",
        ),
        (
            vec![csv("input\nx\n"), ("name", None, b"x")],
            422,
            "invalid",
            "/name",
            "Known: file, format, columns",
        ),
        (vec![("format", None, b"csv")], 422, "invalid", "/file", "the form has no `file`"),
    ] {
        let (found, problem) = send(&server, form(&parts)).await;
        assert_eq!((found, problem["code"].as_str().unwrap()), (status, code), "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(told), "{problem}");
    }
    let (status, problem) = send(&server, b"nonsense".to_vec()).await;
    assert_eq!((status, &problem["code"]), (400, &json!("broken_form")));
    let (status, problem) = server.send(Method::POST, "samples/import", Some(json!({}))).await;
    assert_eq!((status.as_u16(), &problem["code"]), (415, &json!("unsupported_media_type")));
}

#[tokio::test]
async fn bombs_are_refused_in_bounded_time() {
    let home = Home::new(Kind::Sqlite).await;
    let server = Server::start(&home).await;
    let began = Instant::now();
    let deep = "[".repeat(100_000);
    for (name, file, status) in [
        ("x.json", deep.as_bytes().to_vec(), 422),
        ("x.csv", [b"input\n".to_vec(), vec![b'x'; 33 << 20]].concat(), 413),
    ] {
        let (found, problem) = send(&server, form(&[("file", Some(name), &file)])).await;
        assert_eq!(found, status, "{problem}");
    }
    let (status, _) = server.send(Method::POST, "experiments", Some(json!({"name": "x", "extra": 5}))).await;
    assert_eq!(status.as_u16(), 422);
    for body in [deep.clone(), format!("{{\"name\": {deep}")] {
        let request = reqwest::Client::new().post(format!("{}/api/v1/experiments", server.url));
        let request = request.bearer_auth(API_KEY).header("content-type", "application/json");
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 400);
    }
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}
