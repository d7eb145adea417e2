//! Standings of boards and outlines of experiments, as the database stores them.

use application::ports::{Outline, Standings};
use domain::id::RunId;
use domain::leaderboard::Standing;
use domain::statistics::Interval;
use serde::{Deserialize, Serialize};

use crate::stored::StoredError;

/// Standings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StandingsDocument {
    compared: Vec<StandingDocument>,
    order: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StandingDocument {
    run: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<(f64, f64)>,
    n: usize,
    n_total: usize,
    partial: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    shrunk: Option<f64>,
    ties: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_best: Option<f64>,
}

impl From<&Standings> for StandingsDocument {
    fn from(standings: &Standings) -> Self {
        Self {
            compared: standings.compared.iter().map(StandingDocument::from).collect(),
            order: standings.order.iter().map(RunId::to_string).collect(),
        }
    }
}

impl TryFrom<StandingsDocument> for Standings {
    type Error = StoredError;

    fn try_from(document: StandingsDocument) -> Result<Self, StoredError> {
        Ok(Self {
            compared: document.compared.into_iter().map(Standing::try_from).collect::<Result<_, _>>()?,
            order: document.order.iter().map(|id| run(id)).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&Standing> for StandingDocument {
    fn from(standing: &Standing) -> Self {
        Self {
            run: standing.run.to_string(),
            score: standing.score,
            interval: standing.interval.map(|interval| (interval.low, interval.high)),
            n: standing.n,
            n_total: standing.n_total,
            partial: standing.partial,
            shrunk: standing.score_shrunk,
            ties: standing.ties_best,
            p_best: standing.p_best,
        }
    }
}

impl TryFrom<StandingDocument> for Standing {
    type Error = StoredError;

    fn try_from(document: StandingDocument) -> Result<Self, StoredError> {
        Ok(Self {
            run: run(&document.run)?,
            score: document.score,
            interval: document.interval.map(|(low, high)| Interval { low, high }),
            n: document.n,
            n_total: document.n_total,
            partial: document.partial,
            score_shrunk: document.shrunk,
            ties_best: document.ties,
            p_best: document.p_best,
        })
    }
}

fn run(text: &str) -> Result<RunId, StoredError> {
    text.parse().map_err(|_| StoredError::Field("run"))
}

/// The outline of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutlineDocument {
    stages: Vec<String>,
    scorers: Vec<(String, f64)>,
    dimensions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<u64>,
}

impl From<Outline> for OutlineDocument {
    fn from(outline: Outline) -> Self {
        let Outline { stages, scorers, dimensions, points } = outline;
        Self { stages, scorers, dimensions, points }
    }
}

impl From<OutlineDocument> for Outline {
    fn from(document: OutlineDocument) -> Self {
        let OutlineDocument { stages, scorers, dimensions, points } = document;
        Self { stages, scorers, dimensions, points }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored;

    #[test]
    fn stored_standings_are_pinned_and_read_back() {
        let standing = Standing {
            run: RunId::new(1),
            score: Some(0.5),
            interval: Some(Interval { low: 0.25, high: 0.75 }),
            n: 2,
            n_total: 4,
            partial: true,
            score_shrunk: None,
            ties_best: true,
            p_best: Some(1.0),
        };
        let standings = Standings { compared: vec![standing], order: vec![RunId::new(1)] };
        let text = stored::write(&StandingsDocument::from(&standings)).unwrap();
        let pinned = concat!(
            r#"{"v":1,"doc":{"compared":[{"run":"00000000-0000-0000-0000-000000000001","score":0.5,"#,
            r#""interval":[0.25,0.75],"n":2,"n_total":4,"partial":true,"ties":true,"p_best":1.0}],"#,
            r#""order":["00000000-0000-0000-0000-000000000001"]}}"#
        );
        assert_eq!(text, pinned);
        let read: StandingsDocument = stored::read(&text).unwrap();
        assert_eq!(Standings::try_from(read).unwrap(), standings);
    }

    #[test]
    fn a_stored_outline_is_pinned_and_reads_back() {
        let outline = Outline {
            stages: vec!["say".into()],
            scorers: vec![("exact_match".into(), 2.0)],
            dimensions: vec!["tone".into()],
            points: Some(3),
        };
        let text = stored::write(&OutlineDocument::from(outline.clone())).unwrap();
        let pinned = concat!(
            r#"{"v":1,"doc":{"stages":["say"],"scorers":[["exact_match",2.0]],"#,
            r#""dimensions":["tone"],"points":3}}"#
        );
        assert_eq!(text, pinned);
        assert_eq!(Outline::from(stored::read::<OutlineDocument>(&text).unwrap()), outline);
    }
}
