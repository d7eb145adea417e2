//! Facts of experiments without their documents, and the form in which a run is executed.

use std::collections::BTreeMap;

use application::ports::{
    ChangeableWhen, ExperimentChange, ExperimentForm, ExperimentStore, FactStore, Outline,
};
use domain::experiment::{DimensionDraft, Draft};
use domain::space::Levels;
use domain::value::Value;
use promptlooper_tests::support::home::Kind;

use super::fixture::*;

on_both! {
    facts_say_what_the_document_says,
    a_claimed_run_says_which_form_of_its_experiment_it_needs,
}

fn with_models(draft: Draft) -> Draft {
    let model = DimensionDraft {
        target: Some("s.model".to_owned()),
        default: None,
        levels: Levels::Choice(vec![Value::from("m"), Value::from("m2")]),
        when: BTreeMap::new(),
    };
    Draft { space: [("model".to_owned(), model)].into(), ..draft }
}

async fn change(fixture: &Fixture, draft: Draft, revision: i64) {
    let (id, only) = (fixture.experiment, ChangeableWhen::Always);
    let change = ExperimentChange { id, draft, samples: None, only, rescored_by: None, revision };
    fixture.stores.change(change).await.unwrap();
}

async fn facts_say_what_the_document_says(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    let (stores, experiment) = (&fixture.stores, fixture.experiment);
    let facts = async || stores.facts(experiment).await.unwrap().unwrap();
    let first = facts().await;
    let expected = Outline {
        stages: vec!["s".into()],
        scorers: vec![("exact_match".into(), 1.0)],
        dimensions: vec![],
        points: Some(1),
    };
    assert_eq!((&*first.outline, first.samples, first.repeats), (&expected, 3, 2));
    assert_eq!(facts().await, first, "what is kept is what was worked out");
    let kept = "SELECT count(*) AS n FROM experiment WHERE outline IS NOT NULL";
    assert_eq!(fixture.number(kept).await, 1);
    fixture.launch(&[1, 2]).await;
    change(&fixture, with_models(draft()), 1).await;
    let changed = facts().await;
    assert_eq!(changed.form, ExperimentForm { revision: 2, scoring_rev: 1 });
    assert_eq!(changed.outline.dimensions, ["model", "n"], "runs have values for a dimension that is gone");
    assert_eq!(changed.outline.points, Some(2));
    let of_sweep = stores.facts_of_sweep(fixture.sweep).await.unwrap().unwrap();
    assert_eq!((of_sweep.outline.points, of_sweep.id), (Some(1), experiment), "the space it began with");
    assert_eq!(stores.facts_of_sweep(fixture.sweep).await.unwrap().unwrap(), of_sweep);
    let unknown = domain::id::ExperimentId::new(1);
    assert_eq!(stores.facts(unknown).await.unwrap(), None);
}

async fn a_claimed_run_says_which_form_of_its_experiment_it_needs(kind: Kind) {
    let fixture = Fixture::plain(kind).await;
    fixture.launch(&[1, 2]).await;
    let form = async || fixture.stores.claim_runs(fixture.worker, 1, LEASE).await.remove(0).form;
    let stored = async || fixture.stores.experiment(fixture.experiment).await.unwrap().unwrap().form();
    assert_eq!(form().await, stored().await);
    change(&fixture, Draft { name: "other".into(), ..draft() }, 1).await;
    let changed = form().await;
    assert_eq!(changed, ExperimentForm { revision: 2, scoring_rev: 1 });
    assert_eq!(changed, stored().await);
    let scored = "SELECT count(*) AS n FROM run WHERE scoring_rev = 1";
    assert_eq!(fixture.number(scored).await, 2);
}
