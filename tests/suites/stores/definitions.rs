//! Experiments and endpoints.

use application::ports::{EndpointStore, ExperimentStore};
use domain::endpoint::Endpoint;
use domain::secret::Secret;
use promptlooper_tests::support::home::Kind;

use super::fixture::*;

on_both! {
    experiments_come_back_as_they_were,
    endpoints_keep_their_key_for_their_server,
    a_new_key_survives_a_change_at_the_same_time,
    a_label_is_taken_once,
}

/// Of many concurrent requests for an endpoint with the same label, one succeeds; the others change nothing.
async fn a_label_is_taken_once(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let made = (0..16).map(|n| {
        let (stores, url) = (fixture.stores.clone(), format!("http://h{n}:1/v1"));
        tokio::spawn(async move {
            (EndpointStore::insert(&stores, endpoint("one", &url, None)).await.unwrap(), url)
        })
    });
    let mut winner = None;
    for made in made.collect::<Vec<_>>() {
        let (inserted, url) = made.await.unwrap();
        assert!(!inserted || winner.replace(url).is_none(), "two were made");
    }
    let all = fixture.stores.all().await.unwrap();
    let stored = all.iter().find(|endpoint| endpoint.label == "one").unwrap();
    assert_eq!(Some(&stored.identity.url), winner.as_ref());
}

async fn experiments_come_back_as_they_were(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let stored = fixture.stores.experiment(fixture.experiment).await.unwrap().unwrap();
    assert_eq!(*stored.definition, draft().define().unwrap());
    assert_eq!(stored.samples, 3);
    let read = ExperimentStore::samples(&fixture.stores, stored.sample_set, &[2, 0]).await.unwrap();
    assert_eq!(read, [samples()[2].clone(), samples()[0].clone()]);
    let found = fixture.stores.by_document(stored.project, hash(201)).await.unwrap();
    assert_eq!(found, Some(fixture.experiment));
    assert_eq!(fixture.stores.by_name("e").await.unwrap(), [fixture.experiment]);
    assert!(ExperimentStore::samples(&fixture.stores, stored.sample_set, &[7]).await.is_err());
    assert_eq!(ExperimentStore::samples(&fixture.stores, stored.sample_set, &[]).await.unwrap(), []);
}

/// Whichever change is second, the new key remains: a change without a key keeps the stored key.
async fn a_new_key_survives_a_change_at_the_same_time(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let stores = &fixture.stores;
    let first = stores.put(endpoint("a", "http://h/v1", Some("sk-0"))).await.unwrap();
    for round in 1..=30 {
        let key = format!("sk-{round}");
        let with = |key| Endpoint { id: first.id, ..endpoint("a", "http://h/v1", key) };
        let (keyed, unkeyed) = tokio::join!(stores.replace(with(Some(&key))), stores.put(with(None)));
        assert!(keyed.unwrap().is_some() && unkeyed.is_ok());
        let stored = stores.endpoint(first.id).await.unwrap().unwrap();
        assert_eq!(stored.api_key.as_ref().map(Secret::expose), Some(key.as_str()), "{kind:?}");
    }
}

async fn endpoints_keep_their_key_for_their_server(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let stores = &fixture.stores;
    let first = stores.put(endpoint("a", "http://h:1/v1", Some("sk-1"))).await.unwrap();
    let moved = stores.put(endpoint("a", "http://h:1/v2", None)).await.unwrap();
    assert_eq!((moved.id, moved.api_key.as_ref().map(Secret::expose)), (first.id, Some("sk-1")));
    assert_eq!(stores.endpoint(first.id).await.unwrap(), Some(moved));
    let headers = |value: &str| Some([("x-org".to_owned(), Secret::new(value))].into());
    let changed = Endpoint { headers: headers("org-1"), ..endpoint("a", "http://h:1/v2", None) };
    assert_eq!(stores.put(changed).await.unwrap().headers, headers("org-1"));
    let masked = Endpoint { headers: headers("***"), ..endpoint("a", "http://h:1/v2", None) };
    stores.put(masked).await.unwrap();
    let stored = stores.endpoint(first.id).await.unwrap().unwrap();
    assert_eq!((stored.headers, stored.api_key.is_some()), (headers("org-1"), true));
    let elsewhere = stores.put(endpoint("a", "http://other:1/v1", None)).await.unwrap();
    assert_eq!((elsewhere.api_key, elsewhere.headers), (None, None));
    assert_eq!(stores.all().await.unwrap().len(), 2);
}
