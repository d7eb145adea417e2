//! Authentication and access, over real HTTP, on both databases.

use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use promptlooper_tests::support::server::{API_KEY, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

fn credentials(name: &str, password: &str) -> Value {
    json!({"username": name, "password": password})
}

async fn one_of_many_becomes_the_administrator(kind: Kind) {
    let home = Home::new(kind).await;
    let mut server = Server::start(&home).await;
    server.token = None;
    assert_eq!(server.get("auth/setup").await["required"], true);
    let tries = (0..64).map(|n| {
        let (server, name) = (&server, format!("admin{n}"));
        async move { server.send(Method::POST, "auth/setup", Some(credentials(&name, PASSWORD))).await }
    });
    let answers = futures::future::join_all(tries).await;
    let made: Vec<&Value> =
        answers.iter().filter(|(status, _)| *status == StatusCode::CREATED).map(|(_, body)| body).collect();
    let refused = answers
        .iter()
        .filter(|(status, body)| *status == StatusCode::CONFLICT && body["code"] == "already_set_up");
    assert_eq!((made.len(), refused.count()), (1, 63));
    assert_eq!(server.get("auth/setup").await["required"], false);
    let winner = made[0]["user"]["username"].as_str().unwrap().to_owned();
    let session =
        server.send(Method::POST, "auth/login", Some(credentials(&winner.to_uppercase(), PASSWORD))).await;
    assert_eq!(session.0, StatusCode::OK, "{session:?}");
    server.token = session.1["token"].as_str().map(str::to_owned);
    let me = server.get("auth/me").await;
    assert_eq!((&me["kind"], &me["scope"]), (&json!("user"), &json!("admin")));
    assert_eq!(server.stop().await, Some(0));
}

#[tokio::test]
async fn one_of_many_becomes_the_administrator_on_sqlite() {
    one_of_many_becomes_the_administrator(Kind::Sqlite).await;
}

#[tokio::test]
async fn one_of_many_becomes_the_administrator_on_postgres() {
    one_of_many_becomes_the_administrator(Kind::Postgres).await;
}

#[tokio::test]
async fn a_changed_password_ends_earlier_sessions_and_a_restart_does_not() {
    for kind in Kind::ALL {
        let home = Home::new(kind).await;
        let mut server = Server::start(&home).await;
        let made = server.post("auth/setup", credentials("ada", PASSWORD)).await;
        let old = made["token"].as_str().unwrap().to_owned();
        server.token = Some(old.clone());
        let wrong = json!({"current": "something else", "new": "another horse"});
        let (status, problem) = server.send(Method::PUT, "auth/password", Some(wrong)).await;
        assert_eq!((status.as_u16(), &problem["errors"][0]["pointer"]), (422, &json!("/current")));
        let right = json!({"current": PASSWORD, "new": "another horse"});
        let (status, session) = server.send(Method::PUT, "auth/password", Some(right)).await;
        assert_eq!(status, StatusCode::OK, "{session}");
        assert_eq!(server.send(Method::GET, "auth/me", None).await.0, StatusCode::UNAUTHORIZED);
        server.stop().await;
        let mut server = Server::start(&home).await;
        server.token = session["token"].as_str().map(str::to_owned);
        assert_eq!(server.get("auth/me").await["user"]["username"], "ada", "{kind:?}");
        let (status, _) = server.send(Method::POST, "auth/login", Some(credentials("ada", PASSWORD))).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "the old password");
    }
}

#[tokio::test]
async fn processes_of_one_database_sign_with_one_secret() {
    let home = Home::new(Kind::Postgres).await;
    let one = [("JWT_SECRET", "the secret of all processes")];
    let server = Server::start_with(&home, &["serve"], &one).await;
    let session = server.post("auth/setup", credentials("ada", PASSWORD)).await;
    let mut beside = Server::start_with(&home, &["serve"], &one).await;
    beside.token = session["token"].as_str().map(str::to_owned);
    assert_eq!(beside.get("auth/me").await["user"]["username"], "ada");
    for other in [Some("quite another secret"), None] {
        let mut command = program::command(&home, &["serve"]);
        command.envs(other.map(|secret| ("JWT_SECRET", secret)));
        let finished = program::finish(command.spawn().unwrap()).await;
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.stderr.contains("another JWT_SECRET"), "{finished:?}");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let home = Home::new(Kind::Sqlite).await;
    let mut server = Server::start(&home).await;
    server.post("auth/setup", credentials("ada", PASSWORD)).await;
    server.token = None;
    let mut statuses = Vec::new();
    for n in 0..7 {
        let guess = Some(credentials("ada", &format!("guess number {n}")));
        statuses.push(server.send(Method::POST, "auth/login", guess).await.0.as_u16());
    }
    assert_eq!(statuses[..5], [401; 5]);
    assert!(statuses.contains(&429), "{statuses:?}");
    let response = server.raw(Method::POST, "auth/login", Some(credentials("ada", PASSWORD)), &[]).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS, "the right password is not tried either");
    assert!(response.headers().contains_key("retry-after"));
    let (status, problem) =
        server.send(Method::POST, "auth/login", Some(credentials("nobody", PASSWORD))).await;
    assert_eq!((status.as_u16(), &problem["code"]), (401, &json!("wrong_credentials")));
}

#[tokio::test]
async fn guests_read_only_where_guest_access_is_allowed() {
    let home = Home::new(Kind::Sqlite).await;
    let mut server = Server::start(&home).await;
    server
        .post(
            "endpoints",
            json!({"label": "a", "kind": "openai", "url": "http://127.0.0.1:9/v1",
        "api_key": "sk-secret-of-the-endpoint"}),
        )
        .await;
    server.token = None;
    assert_eq!(server.send(Method::GET, "projects", None).await.0, StatusCode::UNAUTHORIZED);
    server.token = Some(API_KEY.to_owned());
    let (status, _) =
        server.send(Method::PUT, "admin/settings", Some(json!({"allow_guest_access": true}))).await;
    assert_eq!(status, StatusCode::OK);
    server.token = None;
    assert_eq!(server.get("auth/me").await, json!({"kind": "guest", "scope": "read"}));
    let endpoints = server.get("endpoints").await;
    assert_eq!(endpoints["items"][0]["has_key"], true);
    assert!(!endpoints.to_string().contains("sk-secret"), "{endpoints}");
    for (method, path) in
        [(Method::POST, "projects"), (Method::PUT, "admin/settings"), (Method::POST, "runs")]
    {
        let body = json!({"name": "x", "allow_guest_access": false, "experiment_id": "0"});
        let (status, problem) = server.send(method, path, Some(body)).await;
        assert_eq!((status.as_u16(), &problem["code"]), (403, &json!("forbidden")), "{path}");
    }
    server.token = Some("nonsense".to_owned());
    let (status, _) = server.send(Method::GET, "projects", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "a bad token is no guest");
}

/// Requests for another host name are refused, so that another site cannot resolve its name to this server.
#[tokio::test]
async fn a_server_with_a_public_name_refuses_other_names() {
    let home = Home::new(Kind::Sqlite).await;
    let public = [("PUBLIC_URL", "https://loop.example.org/tools")];
    let server = Server::start_with(&home, &["serve"], &public).await;
    let anonymous = reqwest::Client::new();
    for (host, path, status) in [
        ("evil.example.org", "/api/v1/auth/setup", 403),
        ("evil.example.org:443", "/", 403),
        ("loop.example.org.evil.org", "/api/v1/auth/setup", 403),
        ("evil.example.org", "/health", 200),
        ("LOOP.example.org", "/api/v1/auth/setup", 200),
        ("loop.example.org:8443", "/", 200),
        ("192.0.2.7:8400", "/api/v1/auth/setup", 200),
        ("[::1]:8400", "/api/v1/auth/setup", 200),
        ("localhost", "/", 200),
    ] {
        let asked = anonymous.get(format!("{}{path}", server.url)).header("host", host);
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} as {host}");
        if status == 403 {
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["code"], "foreign_host", "{problem}");
            assert!(problem["detail"].as_str().unwrap().contains("https://loop.example.org"), "{problem}");
        }
    }
}

/// Tests all operations in the API's document: a new operation is closed until it is listed here.
#[tokio::test]
async fn every_operation_refuses_a_client_without_access() {
    const PUBLIC: [(&str, &str); 3] =
        [("get", "/auth/setup"), ("post", "/auth/setup"), ("post", "/auth/login")];
    let home = Home::new(Kind::Sqlite).await;
    let mut server = Server::start(&home).await;
    let document = server.get("openapi.json").await;
    let mut walked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let public = PUBLIC.contains(&(method.as_str(), path.as_str()));
            assert_eq!(operation["security"].is_null(), public, "{method} {path}");
            if public {
                continue;
            }
            let at = format!("/api/v1{}", path.replace("{id}", "018f4e3a-7b1c-7e65-9d8a-0123456789ab"));
            for token in [None, Some("nonsense"), Some("a-key-for-programs-in-test"), Some("")] {
                server.token = token.map(str::to_owned);
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let (status, problem) = server.send(method, &at, Some(json!({}))).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{at} with {token:?}");
                assert_eq!(problem["status"], 401, "{problem}");
            }
            walked += 1;
        }
    }
    assert!(walked >= 30, "only {walked} operations");
    server.token = None;
    for path in [
        "/ws/dashboard",
        "/ws/experiments/018f4e3a-7b1c-7e65-9d8a-0123456789ab",
        "/api/v1/nothing",
        "/metrics",
        "/mcp",
    ] {
        let (status, _) = server.send(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
    }
}
