//! What lists of runs and leaderboards can be sorted and filtered by, in the words of whoever asks.

use domain::problem::{Problem, unknown};
use domain::run::RunStatus;
use domain::value::Value;

use crate::json;
use crate::ports::{ExperimentFacts, ListPlace, Metric, Outline, PlaceKey, RunFilter, RunKey, RunOrder};
use crate::refusal::Refusal;

const SCORES: &str = "scores.";
const VALUES: &str = "values.";

/// Which list is asked for: they show some figures differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunView {
    /// All runs, the newest first unless sorted otherwise; cost and latency are those of whole runs.
    Runs,
    /// The board, by rank unless sorted otherwise; cost and latency are means per sample.
    Board,
}

/// The order that a word stands for; with a minus in front the largest come first.
///
/// # Errors
/// Where it stands for none; says what there is.
pub fn order(word: Option<&str>, view: RunView, outline: &Outline) -> Result<RunOrder, Refusal> {
    let Some(word) = word else {
        return Ok(if view == RunView::Board { RunOrder::RANK } else { RunOrder::NEWEST });
    };
    let (descending, name) = word.strip_prefix('-').map_or((false, word), |name| (true, name));
    let by = match (name, view) {
        ("score", RunView::Board) if descending => RunKey::Rank,
        ("created_at", _) => RunKey::Created,
        ("score", _) => RunKey::Metric(Metric::Score),
        ("cost_estimate", RunView::Runs) => RunKey::Metric(Metric::Cost),
        ("cost_estimate", RunView::Board) => RunKey::Metric(Metric::CostPerSample),
        ("latency_ms", RunView::Runs) => RunKey::Metric(Metric::Latency),
        ("latency_ms", RunView::Board) => RunKey::Metric(Metric::LatencyPerSample),
        _ => named(name, outline).ok_or_else(|| no_order(outline))?,
    };
    Ok(RunOrder { by, descending })
}

fn named(name: &str, outline: &Outline) -> Option<RunKey> {
    if let Some(scorer) = name.strip_prefix(SCORES) {
        let known = outline.scorers.iter().any(|(known, _)| known == scorer);
        return known.then(|| RunKey::Metric(Metric::Scorer(scorer.to_owned())));
    }
    let dimension = name.strip_prefix(VALUES)?;
    let known = outline.dimensions.iter().any(|known| known == dimension);
    known.then(|| RunKey::Value(dimension.to_owned()))
}

fn no_order(outline: &Outline) -> Refusal {
    let fixed = ["created_at", "score", "cost_estimate", "latency_ms"].map(str::to_owned);
    let scorers = outline.scorers.iter().map(|(name, _)| format!("{SCORES}{name}"));
    let dimensions = outline.dimensions.iter().map(|name| format!("{VALUES}{name}"));
    let all: Vec<String> = fixed.into_iter().chain(scorers).chain(dimensions).collect();
    let detail = format!("takes {}; with a minus in front the largest come first", all.join(", "));
    Refusal::invalid("/sort", "invalid_parameter", detail)
}

/// The filter that words stand for: a status, and values by dimension. A value is a text, or JSON: `0.3` is the number as well
/// as the text.
///
/// # Errors
/// Where a word stands for nothing; says what there is.
pub fn filter(
    facts: &ExperimentFacts,
    status: Option<&str>,
    values: &[(String, String)],
) -> Result<RunFilter, Refusal> {
    let status = status.map(|word| RunStatus::parse(word).ok_or_else(no_status)).transpose()?;
    let mut filter = RunFilter { status, ..RunFilter::all(facts.id) };
    for (name, text) in values {
        if !facts.outline.dimensions.contains(name) {
            return Err(no_dimension(name, &facts.outline));
        }
        filter.values.push((name.clone(), meanings(text)));
    }
    Ok(filter)
}

/// What a text can stand for.
fn meanings(text: &str) -> Vec<Value> {
    let as_text = Value::from(text);
    let read = json::parse(text).ok().filter(|value| *value != as_text);
    std::iter::once(as_text).chain(read).collect()
}

fn no_status() -> Refusal {
    let words: Vec<&str> = RunStatus::ALL.iter().map(|status| status.as_str()).collect();
    Refusal::invalid("/status", "invalid_parameter", format!("takes {}", words.join(", ")))
}

fn no_dimension(name: &str, outline: &Outline) -> Refusal {
    let detail = unknown("dimension", name, outline.dimensions.iter().map(String::as_str));
    Refusal::Invalid(vec![Problem::new(format!("/{VALUES}{name}"), "unknown_dimension", detail)])
}

/// A place that a page of another list, or of the same one in another order, has given.
///
/// # Errors
/// Where it is no place of this order.
pub fn check_place(place: Option<&ListPlace>, order: &RunOrder) -> Result<(), Refusal> {
    let Some(place) = place else { return Ok(()) };
    let fits = match (&place.key, &order.by) {
        (PlaceKey::Absent, by) => *by != RunKey::Rank,
        (PlaceKey::Rank(..), RunKey::Rank)
        | (PlaceKey::Metric(_), RunKey::Metric(_))
        | (PlaceKey::Value(_), RunKey::Value(_)) => true,
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let detail = "it belongs to another order: begin with the first page";
    Err(Refusal::invalid("/cursor", "invalid_parameter", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline() -> Outline {
        Outline {
            scorers: vec![("exact".to_owned(), 1.0)],
            dimensions: vec!["tone".to_owned()],
            ..Outline::default()
        }
    }

    #[test]
    fn words_stand_for_orders() {
        let of = |word, view| order(word, view, &outline()).unwrap();
        assert_eq!(of(None, RunView::Runs), RunOrder::NEWEST);
        assert_eq!(of(None, RunView::Board), RunOrder::RANK);
        assert_eq!(of(Some("-score"), RunView::Board), RunOrder::RANK);
        let by = |word, view| of(Some(word), view).by;
        assert_eq!(by("-score", RunView::Runs), RunKey::Metric(Metric::Score));
        assert_eq!(by("score", RunView::Board), RunKey::Metric(Metric::Score));
        assert_eq!(by("cost_estimate", RunView::Board), RunKey::Metric(Metric::CostPerSample));
        assert_eq!(by("-latency_ms", RunView::Runs), RunKey::Metric(Metric::Latency));
        assert_eq!(by("scores.exact", RunView::Runs), RunKey::Metric(Metric::Scorer("exact".to_owned())));
        assert_eq!(by("values.tone", RunView::Board), RunKey::Value("tone".to_owned()));
        assert!(of(Some("-created_at"), RunView::Board).descending);
    }

    #[test]
    fn a_word_that_stands_for_nothing_is_told_what_there_is() {
        for wrong in ["", "-", "cost", "scores.", "scores.x", "values.x", "scores"] {
            let Err(Refusal::Invalid(problems)) = order(Some(wrong), RunView::Runs, &outline()) else {
                panic!("{wrong} was accepted");
            };
            assert!(problems[0].detail.contains("latency_ms, scores.exact, values.tone"), "{problems:?}");
        }
    }

    #[test]
    fn a_number_can_be_a_text_too() {
        assert_eq!(meanings("0.3"), [Value::from("0.3"), Value::number(0.3)]);
        assert_eq!(meanings("friendly"), [Value::from("friendly")]);
        assert_eq!(meanings("true"), [Value::from("true"), Value::from(true)]);
    }

    #[test]
    fn a_place_belongs_to_its_order() {
        let place = |key| ListPlace { key, run: domain::id::RunId::new(1) };
        let by_cost = RunOrder { by: RunKey::Metric(Metric::Cost), descending: true };
        for (key, order, fits) in [
            (PlaceKey::Absent, &RunOrder::NEWEST, true),
            (PlaceKey::Absent, &by_cost, true),
            (PlaceKey::Metric(1.0), &by_cost, true),
            (PlaceKey::Metric(1.0), &RunOrder::NEWEST, false),
            (PlaceKey::Rank(2, 0.5), &RunOrder::RANK, true),
            (PlaceKey::Absent, &RunOrder::RANK, false),
            (PlaceKey::Value("t".to_owned()), &by_cost, false),
        ] {
            assert_eq!(check_place(Some(&place(key.clone())), order).is_ok(), fits, "{key:?} {order:?}");
        }
    }
}
