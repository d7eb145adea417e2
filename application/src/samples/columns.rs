//! Finds which columns of a file are the fields of a sample.
//!
//! What the user says counts. Without it the usual names are looked for, and where two of them stand side by side the user
//! is asked: a guess would score every run against the wrong text.

use std::fmt;

use domain::problem::unknown;

use super::SampleError;

/// Which columns, or fields of each object, are what. In objects a name may lead inside, as in `item.question`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The input's.
    pub input: Option<String>,
    /// The reference's.
    pub reference: Option<String>,
    /// Those of the accepted answers: one that holds lists, or one for each answer.
    pub references: Option<Vec<String>>,
    /// Those that go to `meta`; all that are left where absent.
    pub meta: Option<Vec<String>>,
}

/// The columns that were taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenColumns {
    /// The input's.
    pub input: String,
    /// The reference's.
    pub reference: Option<String>,
    /// Those of the accepted answers.
    pub references: Vec<String>,
    /// Those that went to `meta`.
    pub meta: Vec<String>,
}

/// For people, in one line.
impl fmt::Display for TakenColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the input is read from `{}`", self.input)?;
        if let Some(reference) = &self.reference {
            write!(f, ", the reference from `{reference}`")?;
        }
        if !self.references.is_empty() {
            write!(f, ", accepted answers from `{}`", self.references.join("`, `"))?;
        }
        Ok(())
    }
}

/// What inputs are usually called.
const INPUTS: [&str; 8] = ["inputs", "question", "query", "prompt", "user_input", "text", "messages", "item"];

/// What references are usually called.
const REFERENCES: [&str; 12] = [
    "expected",
    "expected_output",
    "expectedOutput",
    "ideal",
    "target",
    "answer",
    "ground_truth",
    "output",
    "outputs",
    "completion",
    "label",
    "canonical_solution",
];

/// Columns that are neither taken for a field nor listed as `meta`.
pub(super) const CHECKS: &str = "checks";

fn same(a: &str, b: &str) -> bool {
    a.trim().eq_ignore_ascii_case(b.trim())
}

/// Whether this name stands for a list of accepted answers where it holds a list.
pub(super) fn holds_answers(name: &str) -> bool {
    same(name, "ideal") || same(name, "target")
}

/// Whether objects under this name are parts of `meta` themselves.
pub(super) fn holds_meta(name: &str) -> bool {
    same(name, "meta") || same(name, "metadata")
}

/// Whether CSV files are known to hold JSON under this name.
pub(super) fn holds_json(name: &str) -> bool {
    let more = ["metadata", "meta", "input", "reference", "references", CHECKS];
    let usual = more.iter().chain(&INPUTS).chain(&REFERENCES);
    usual.into_iter().any(|known| same(known, name))
}

impl TakenColumns {
    /// Whether they are `input` and `reference`, as whoever knows this product calls them.
    #[must_use]
    pub fn are_plain(&self) -> bool {
        let reference = self.reference.as_deref();
        self.input == "input"
            && reference.is_none_or(|name| name == "reference")
            && self.references.is_empty()
    }

    /// The columns of a file that has these.
    pub(super) fn of(columns: &Columns, names: &[String]) -> Result<Self, SampleError> {
        let search = Search { columns, names };
        let input = search.input()?;
        let references = search.references()?;
        let reference = search.reference(&input, &references)?;
        let fields = [Some(&input), reference.as_ref()].into_iter().flatten().chain(&references);
        let fields: Vec<&str> = fields.map(String::as_str).collect();
        let meta = match &columns.meta {
            Some(named) => named.iter().map(|name| search.named(name)).collect::<Result<_, _>>()?,
            None => {
                let rest = names.iter().filter(|name| !fields.contains(&name.as_str()) && *name != CHECKS);
                rest.cloned().collect()
            }
        };
        Ok(Self { input, reference, references, meta })
    }
}

/// The columns of a file, and what the user says of them.
struct Search<'a> {
    columns: &'a Columns,
    names: &'a [String],
}

impl Search<'_> {
    fn input(&self) -> Result<String, SampleError> {
        if let Some(name) = &self.columns.input {
            return self.named(name);
        }
        if let Some(name) = self.exactly("input") {
            return Ok(name);
        }
        let found = self.one_of("input", &INPUTS, &[])?;
        found.ok_or_else(|| {
            let known = self.listed();
            let detail = format!(
                "no column is the input: say which, as in `columns: {{input: NAME}}`. Columns: {known}"
            );
            SampleError::file("columns_missing", detail)
        })
    }

    fn references(&self) -> Result<Vec<String>, SampleError> {
        match &self.columns.references {
            Some(named) => named.iter().map(|name| self.named(name)).collect(),
            None if self.columns.reference.is_some() => Ok(Vec::new()),
            None => Ok(self.exactly("references").into_iter().collect()),
        }
    }

    fn reference(&self, input: &str, references: &[String]) -> Result<Option<String>, SampleError> {
        if let Some(name) = &self.columns.reference {
            return self.named(name).map(Some);
        }
        if self.columns.references.is_some() {
            return Ok(None);
        }
        match self.exactly("reference") {
            Some(name) => Ok(Some(name)),
            None if !references.is_empty() => Ok(None),
            None => self.one_of("reference", &REFERENCES, &[input]),
        }
    }

    /// The column with a name that the user gives.
    fn named(&self, name: &str) -> Result<String, SampleError> {
        let exact = self.names.iter().find(|known| *known == name);
        let found = exact.or_else(|| self.names.iter().find(|known| same(known, name)));
        if let Some(found) = found {
            return Ok(found.clone());
        }
        let (first, _) = name.split_once('.').unwrap_or((name, ""));
        if first != name && self.names.iter().any(|known| known == first) {
            return Ok(name.to_owned());
        }
        let unknown = unknown("column", name, self.names.iter().map(String::as_str));
        Err(SampleError::file(
            "unknown_column",
            format!("{unknown}. Say which columns are what under `columns`"),
        ))
    }

    /// The column that bears a field's own name.
    fn exactly(&self, field: &str) -> Option<String> {
        let exact = self.names.iter().find(|name| *name == field);
        exact.or_else(|| self.names.iter().find(|name| same(name, field))).cloned()
    }

    /// The one column with a usual name of a field.
    fn one_of(&self, field: &str, usual: &[&str], but: &[&str]) -> Result<Option<String>, SampleError> {
        let is_meta = |name: &str| self.columns.meta.iter().flatten().any(|named| same(named, name));
        let candidates = self.names.iter().filter(|name| usual.iter().any(|known| same(known, name)));
        let candidates: Vec<&String> =
            candidates.filter(|name| !but.contains(&name.as_str()) && !is_meta(name)).collect();
        match candidates.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some((*only).clone())),
            [first, ..] => {
                let names: Vec<String> = candidates.iter().map(|name| format!("`{name}`")).collect();
                let detail = format!(
                    "the {field} could be {}: say which, as in `columns: {{{field}: {first}}}`",
                    names.join(" or ")
                );
                Err(SampleError::file("columns_ambiguous", detail))
            }
        }
    }

    fn listed(&self) -> String {
        /// Columns that are listed.
        const LISTED: usize = 20;
        let names: Vec<&str> = self.names.iter().take(LISTED).map(String::as_str).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(columns: &Columns, names: &[&str]) -> Result<TakenColumns, SampleError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        TakenColumns::of(columns, &names)
    }

    #[test]
    fn the_usual_names_are_found() {
        for (names, input, reference, meta) in [
            (&["input", "reference", "lang"][..], "input", Some("reference"), &["lang"][..]),
            (&["Question", "Ideal"], "Question", Some("Ideal"), &[]),
            (
                &["input", "reference", "question", "answer"],
                "input",
                Some("reference"),
                &["question", "answer"],
            ),
            (&["query", "expectedOutput", "metadata"], "query", Some("expectedOutput"), &["metadata"]),
            (
                &["input", "actual_output", "expected_output"],
                "input",
                Some("expected_output"),
                &["actual_output"],
            ),
            (&["text", "lang"], "text", None, &["lang"]),
            (&["item", "sample", "checks"], "item", None, &["sample"]),
        ] {
            let found = taken(&Columns::default(), names).unwrap();
            assert_eq!((found.input.as_str(), found.reference.as_deref()), (input, reference), "{names:?}");
            assert_eq!(found.meta, meta, "{names:?}");
        }
        let lists = taken(&Columns::default(), &["input", "references"]).unwrap();
        assert_eq!((lists.references, lists.reference), (vec!["references".to_owned()], None));
    }

    #[test]
    fn what_is_not_clear_is_asked() {
        for (names, code, told) in [
            (
                &["question", "prompt", "answer"][..],
                "columns_ambiguous",
                "`question` or `prompt`: say which, as in `columns: {input: question}`",
            ),
            (
                &["input", "answer", "label"],
                "columns_ambiguous",
                "the reference could be `answer` or `label`",
            ),
            (&["frage", "antwort"], "columns_missing", "`columns: {input: NAME}`. Columns: frage, antwort"),
        ] {
            let error = taken(&Columns::default(), names).unwrap_err();
            assert_eq!(error.code, code, "{names:?}");
            assert!(error.to_string().contains(told), "{error}");
        }
    }

    #[test]
    fn what_the_user_says_counts() {
        let says = |input: &str, reference: &str| Columns {
            input: Some(input.into()),
            reference: Some(reference.into()),
            ..Columns::default()
        };
        let found = taken(&says("prompt", "label"), &["question", "prompt", "answer", "label"]).unwrap();
        assert_eq!((found.input.as_str(), found.reference.as_deref()), ("prompt", Some("label")));
        assert_eq!(found.meta, ["question", "answer"]);
        let found = taken(&says("item.q", "ITEM"), &["item"]).unwrap();
        assert_eq!((found.input.as_str(), found.reference.as_deref()), ("item.q", Some("item")));
        let error = taken(&says("promt", "label"), &["prompt", "label"]).unwrap_err();
        assert_eq!(error.code, "unknown_column");
        assert!(error.to_string().contains("prompt"), "{error}");
    }
}
