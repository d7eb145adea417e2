//! Scoring entries: a scorer, the part of an output that it judges, and its weight.

use std::collections::BTreeMap;

use super::judge;
use super::{Extract, Judgement, Score, Scorer, ScoringDraft};
use crate::name::Name;
use crate::problem::{Problem, nul, segment, unknown};
use crate::stage::Stage;
use crate::template::{Scope, Template, TemplateTree};
use crate::value::{Map, Value};

/// The longest name of an entry, in bytes.
const MAX_NAME: usize = 200;

/// A scorer with its role in an experiment or a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoringEntry {
    /// The name of its scores.
    pub name: String,
    /// The scorer.
    pub scorer: EntryScorer,
    /// Its weight, from 0 up.
    pub weight: f64,
    /// The stage whose output it judges; the last where absent.
    pub stage: Option<Name>,
    /// The part of the output that it judges; all of it where absent.
    pub extract: Option<Extract>,
    /// Whether its value is inverted: 1 - v.
    pub negate: bool,
    /// The threshold for a value of 1; values below it become 0.
    pub pass_at: Option<f64>,
}

/// The scorer of an entry.
#[derive(Debug, Clone, PartialEq)]
pub enum EntryScorer {
    /// The same scorer for all samples.
    Fixed(Scorer),
    /// A scorer whose options are rendered for each sample.
    Templated(TemplatedScorer),
}

/// A scorer with templates among its options.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplatedScorer {
    scorer: String,
    options: Map,
    /// The scorer with templates where their values will be.
    outline: Scorer,
}

impl ScoringEntry {
    /// Reads an entry of an experiment with these stages.
    ///
    /// # Errors
    /// All problems, with their places in the entry.
    pub fn try_new(draft: &ScoringDraft, stages: &[Stage]) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let weight = draft.weight.unwrap_or(1.0);
        if !(weight.is_finite() && weight >= 0.0) {
            problems.push(Problem::new("/weight", "out_of_range", "a weight is a number from 0 up"));
        }
        let stage =
            draft.stage.as_deref().map(|name| stages.iter().find(|stage| stage.name.as_str() == name));
        if let (Some(name), Some(None)) = (&draft.stage, stage) {
            let detail = unknown("stage", name, stages.iter().map(|stage| stage.name.as_str()));
            problems.push(Problem::new("/stage", "unknown_stage", detail));
        }
        nul(&Value::Map(draft.options.clone()), "/options", &mut problems);
        let scorer =
            EntryScorer::try_new(&draft.scorer, &draft.options).map_err(|found| problems.extend(found));
        let name = draft.name().to_owned();
        if name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
            problems.push(Problem::new("/name", "invalid_name", "give the entry a name on one line"));
        }
        if draft.pass_at.is_some_and(|bound| !(0.0..=1.0).contains(&bound)) {
            problems.push(Problem::new(
                "/pass_at",
                "out_of_range",
                "values are from 0 to 1, and so is pass_at",
            ));
        }
        extract(draft.extract.as_ref(), &mut problems);
        let (extract, negate, pass_at) = (draft.extract.clone(), draft.negate, draft.pass_at);
        let stage = stage.flatten().map(|stage| stage.name.clone());
        match scorer {
            Ok(scorer) if problems.is_empty() => {
                Ok(Self { name, scorer, weight, stage, extract, negate, pass_at })
            }
            _ => Err(problems),
        }
    }

    /// The judgement of the entry, from that of its scorer: inverted if so configured, then compared with the
    /// threshold. The details contain the scorer's own value as `value`.
    #[must_use]
    pub fn conclude(&self, judgement: Judgement) -> Judgement {
        if !self.negate && self.pass_at.is_none() {
            return judgement;
        }
        let said = judgement.value.value();
        let value = if self.negate { 1.0 - said } else { said };
        let value = match self.pass_at {
            None => Score::try_new(value).unwrap_or(Score::ZERO),
            Some(bound) => Score::from(value >= bound),
        };
        Judgement { value, ..judgement }.with("value", Value::number(said))
    }
}

fn extract(extract: Option<&Extract>, problems: &mut Vec<Problem>) {
    let Some(extract) = extract else { return };
    if *extract == Extract::default() {
        let detail = "say what to extract: json, pointer, regex or after";
        problems.push(Problem::new("/extract", "missing", detail));
    }
    if extract.after.as_deref() == Some("") {
        problems.push(Problem::new("/extract/after", "wrong_value", "takes a text that is not empty"));
    }
    if extract.pointer.as_deref().is_some_and(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
        let detail = "a JSON pointer begins with a slash, as in `/answer/0`";
        problems.push(Problem::new("/extract/pointer", "wrong_value", detail));
    }
}

impl EntryScorer {
    fn try_new(scorer: &str, options: &Map) -> Result<Self, Vec<Problem>> {
        let mut templates = Vec::new();
        find_templates(options, &mut templates);
        let mut problems: Vec<Problem> = templates.iter().filter_map(invalid).collect();
        problems.extend((scorer == "llm_judge").then(|| judge::check_prompt(options)).flatten());
        if templates.is_empty() {
            let fixed = Scorer::try_new(scorer, options).map_err(|found| problems.extend(found));
            return fixed.ok().filter(|_| problems.is_empty()).map(Self::Fixed).ok_or(problems);
        }
        let outline = Scorer::outline(scorer, options).map_err(|found| problems.extend(found));
        match outline {
            Ok(outline) if problems.is_empty() => Ok(Self::Templated(TemplatedScorer {
                scorer: scorer.to_owned(),
                options: options.clone(),
                outline,
            })),
            _ => Err(problems),
        }
    }

    /// Whether it skips samples without a reference.
    #[must_use]
    pub const fn needs_reference(&self) -> bool {
        self.outline().needs_reference()
    }

    /// The scorer; where templates are among its options, they stand where their values will be.
    #[must_use]
    pub const fn outline(&self) -> &Scorer {
        match self {
            Self::Fixed(scorer) => scorer,
            Self::Templated(scorer) => &scorer.outline,
        }
    }

    /// The templates in its options, with their places in the entry.
    #[must_use]
    pub fn templates(&self) -> Vec<(String, &str)> {
        let mut found = Vec::new();
        if let Self::Templated(scorer) = self {
            find_templates(&scorer.options, &mut found);
        }
        found
    }
}

impl TemplatedScorer {
    /// Renders the options in a scope. A template that consists of a single expression gives the value of that
    /// expression, any other template gives a text.
    ///
    /// # Errors
    /// A problem of the templates, or of the rendered options.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Scorer, String> {
        let options = self.options.iter().map(|(name, value)| {
            let rendered = rendered(value, scope).map_err(|error| format!("option `{name}`: {error}"));
            rendered.map(|value| (name.clone(), value))
        });
        let options = options.collect::<Result<Map, String>>()?;
        Scorer::try_new(&self.scorer, &options).map_err(|problems| {
            let told = problems
                .first()
                .map(|problem| (problem.pointer.trim_start_matches("/options/"), &problem.detail));
            told.map_or_else(String::new, |(name, detail)| format!("option `{name}`: {detail}"))
        })
    }
}

fn rendered(value: &Value, scope: &Scope<'_>) -> Result<Value, String> {
    let tree = TemplateTree::parse(value).map_err(|error| error.to_string())?;
    tree.evaluate(&|template: &Template| template.evaluate(scope)).map_err(|error| error.to_string())
}

fn find_templates<'a>(options: &'a Map, found: &mut Vec<(String, &'a str)>) {
    for (name, value) in options {
        TemplateTree::find(value, format!("/options/{}", segment(name)), found);
    }
}

fn invalid((place, source): &(String, &str)) -> Option<Problem> {
    let error = Template::parse(source).err()?;
    Some(Problem::new(place.clone(), "invalid_template", error.to_string()))
}

/// The weight of each of these scorers for a sample: that of the experiment's entry, unless checks of the sample with
/// the same name replace it.
#[must_use]
pub fn sample_weights(scorers: &[(String, f64)], checks: &[ScoringDraft]) -> Vec<f64> {
    let mut own: BTreeMap<&str, f64> = BTreeMap::new();
    for check in checks {
        *own.entry(check.name()).or_default() += check.weight.unwrap_or(1.0);
    }
    scorers.iter().map(|(name, weight)| own.get(name.as_str()).copied().unwrap_or(*weight)).collect()
}

/// Combines the judgements of several entries with the same name into their weighted mean, with the details of each.
/// `None` if none has a positive weight.
#[must_use]
pub fn combined(mut judgements: Vec<(f64, Judgement)>) -> Option<Judgement> {
    if judgements.len() < 2 {
        return judgements.pop().map(|(_, judgement)| judgement);
    }
    let weights: f64 = judgements.iter().map(|(weight, _)| weight).sum();
    let plain = weights <= 0.0;
    let weight = |weight: f64| if plain { 1.0 } else { weight };
    let all: f64 = judgements.iter().map(|(own, _)| weight(*own)).sum();
    let sum: f64 = judgements.iter().map(|(own, judgement)| weight(*own) * judgement.value.value()).sum();
    let said = judgements.into_iter().map(|(_, judgement)| {
        let value = Value::number(judgement.value.value());
        Value::Map(judgement.with("value", value).metadata)
    });
    let said = Value::List(said.collect());
    let value = Score::try_new((sum / all).clamp(0.0, 1.0)).unwrap_or(Score::ZERO);
    Some(Judgement::new(value).with("checks", said))
}
