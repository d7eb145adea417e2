//! Uses the domain without the rest of the program: counts a space, searches it, scores answers, and compares
//! configurations.
//!
//! `cargo run -p promptlooper-domain --example embed`

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write as _};

use promptlooper_domain::experiment::{DimensionDraft, Draft, LlmDraft, StageDraft};
use promptlooper_domain::id::RunId;
use promptlooper_domain::leaderboard::{Contender, standings};
use promptlooper_domain::sample::Sample;
use promptlooper_domain::scoring::{AsciiRules, EntryScorer, ScoringDraft};
use promptlooper_domain::space::{Levels, Size};
use promptlooper_domain::strategy::{History, Proposal, Step, guide};
use promptlooper_domain::sweep::SweepKind;
use promptlooper_domain::value::{Map, Value};

fn main() -> Result<(), Box<dyn Error>> {
    let draft = draft();
    draft.check().map_err(|problems| problems[0].to_string())?;
    let samples = draft.samples.clone();
    let definition = draft.define().map_err(|problems| problems[0].to_string())?;
    let mut out = io::stdout();
    if let Size::Points(points) = definition.space().size() {
        writeln!(out, "{points} configurations")?;
    }

    let history = History {
        space: definition.space(),
        samples: samples.len(),
        seed: 7,
        asked: 0,
        limit: None,
        trials: &[],
    };
    let guide = guide(SweepKind::Grid { shuffle: false });
    let Proposal::Steps(steps) = guide.propose(&history, 100) else {
        return Ok(());
    };
    let EntryScorer::Fixed(scorer) = &definition.scoring()[0].scorer else {
        return Ok(());
    };
    let work = steps.into_iter().filter_map(|step| match step {
        Step::Evaluate(work) => Some(work),
        _ => None,
    });
    let work: Vec<_> = work.collect();
    let contenders = work.iter().map(|trial| {
        let answers = samples.iter().map(|sample| model(trial.point.values(), sample));
        let judged = answers.zip(&samples).map(|(answer, sample)| {
            scorer
                .evaluate(&answer, sample.accepted(), &AsciiRules)
                .ok()
                .flatten()
                .map_or(f64::NAN, |judged| judged.value.value())
        });
        Contender { run: RunId::new(trial.trial.into()), scores: judged.collect(), repeats: 1 }
    });
    for (rank, standing) in (1..).zip(standings(&contenders.collect::<Vec<_>>(), &[])) {
        let trial = &work[usize::try_from(standing.run.bits())?];
        let values = Value::Map(trial.point.values().clone());
        writeln!(out, "{rank}. {:.2} {values}", standing.score.unwrap_or_default())?;
    }
    Ok(())
}

/// A stand-in for a language model: at high temperatures it answers in upper case, and the small model fails more
/// often.
fn model(values: &Map, sample: &Sample) -> Value {
    let text = |name: &str| values.get(name).and_then(Value::as_text).unwrap_or_default();
    let input = sample.input.as_text().unwrap_or_default();
    if text("model") == "small" && input.len() > 3 {
        Value::from("?")
    } else {
        Value::from(input.to_uppercase())
    }
}

fn draft() -> Draft {
    let sample = |text: &str| Sample {
        input: Value::from(text),
        reference: Some(Value::from(text.to_uppercase())),
        ..Sample::default()
    };
    let stage = LlmDraft {
        model: Some("large".into()),
        prompt: "Say this loudly: {{ sample.input }}".into(),
        ..LlmDraft::default()
    };
    let models = DimensionDraft {
        target: Some("shout.model".into()),
        default: None,
        levels: Levels::Choice(vec![Value::from("small"), Value::from("large")]),
        when: BTreeMap::new(),
    };
    let heat = DimensionDraft {
        target: Some("shout.temperature".into()),
        default: None,
        levels: Levels::Float { low: 0.0, high: 0.6, step: Some(0.3), log: false },
        when: BTreeMap::new(),
    };
    Draft {
        name: "shouting".into(),
        samples: ["hi", "you", "there", "friend", "ha", "hello"].map(sample).to_vec(),
        stages: vec![StageDraft::llm("shout", stage)],
        scoring: vec![ScoringDraft { scorer: "exact_match".into(), ..ScoringDraft::default() }],
        space: BTreeMap::from([("model".to_owned(), models), ("temperature".to_owned(), heat)]),
        repeats: 1,
        ..Draft::default()
    }
}
