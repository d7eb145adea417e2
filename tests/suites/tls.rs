//! Model servers behind TLS.

use promptlooper_tests::support::experiment::Experiment;
use promptlooper_tests::support::fake_llm::{FakeLlm, Options};
use promptlooper_tests::support::home::{Home, Kind};
use promptlooper_tests::support::program;
use promptlooper_tests::support::tls::TlsFront;

#[tokio::test]
async fn a_server_is_called_where_its_certificate_is_trusted_and_only_there() {
    let fake = FakeLlm::start(Options::default()).await.unwrap();
    let port = fake.url().rsplit(':').next().and_then(|rest| rest.split('/').next()?.parse().ok()).unwrap();
    let front = TlsFront::start(port).await.unwrap();
    let home = Home::new(Kind::Sqlite).await;
    Experiment::echo(&format!("https://localhost:{}/v1", front.port()), 3, 2).write(&home);

    let refused = program::run(&home, &["run", "experiment.json"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("certificate"), "{refused:?}");
    assert_eq!(fake.counts().calls, 0, "a prompt went to a server that nobody vouches for");

    let authority = home.folder().join("authority.pem");
    std::fs::write(&authority, front.authority()).unwrap();
    let mut trusting = program::command(&home, &["run", "experiment.json"]);
    trusting.env("SSL_CERT_FILE", &authority).current_dir(home.folder());
    let finished = program::finish(trusting.spawn().unwrap()).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(fake.counts().calls, 6);
}
