//! Reads an experiment file, the sample file that it names, and the variables that it needs.

use std::fmt::Display;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use application::catalog::Catalog;
use application::digest::sha256;
use application::estimate::any_points;
use application::model_defaults::ModelDefaults;
use application::ports::{Ids as _, ModelLists};
use application::sweeps::SweepRequest;
use application::{advice, experiments, parameter_support, samples};
use domain::call::Digest;
use domain::endpoint::Endpoint;
use domain::experiment::{Definition, Draft, StageKindDraft};
use domain::id::EndpointId;
use domain::problem::{Problem, segment};
use domain::sample::Sample;
use system::SystemIds;
use wire::endpoint::EndpointDocument;
use wire::experiment::SampleDocument;
use wire::file::{self, FileDocument, SampleFile, SampleSource};
use wire::json;
use wire::yaml::{self, Shape};

use crate::failure::Failure;
use crate::progress::Screen;
use crate::settings::variable;

/// An experiment file that makes sense.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) draft: Draft,
    /// What the draft defines.
    pub(crate) definition: Definition,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) request: SweepRequest,
    /// Tells whether it still describes the same experiment; endpoints and the sweep's limits do not count.
    pub(crate) digest: Digest,
    /// Its name, as it was given.
    pub(crate) name: String,
    /// What whoever wrote it should know.
    notes: Vec<String>,
}

/// The largest experiment file that is read, and the largest file of samples, in bytes.
const LARGEST_DOCUMENT: u64 = 32 << 20;
const LARGEST_SAMPLES: u64 = 512 << 20;

impl Document {
    /// Reads a file, and finds everything that is wrong with it. What its writer should know is told on stderr.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let document = Self::check(parse(path)?, path, &|samples| read(samples, LARGEST_SAMPLES))?;
        let screen = Screen::new(false);
        document.notes.iter().for_each(|note| screen.say(&format!("note: {note}")));
        Ok(document)
    }

    /// One that comes with the program, as YAML, with the file of its samples.
    pub(crate) fn built_in(name: &str, text: &str, samples: &[u8]) -> Result<Self, Failure> {
        let document = yaml::read(text, Shape::File).map_err(|error| Failure::errors(&name, [error]))?;
        Self::check(document, Path::new(name), &|_| Ok(samples.to_vec()))
    }

    fn check(mut document: FileDocument, path: &Path, read: Read<'_>) -> Result<Self, Failure> {
        let shown = path.display();
        let (samples, mut notes) = samples_of(&mut document, path, read)?;
        let mut problems = Vec::new();
        let endpoints = endpoints_of(std::mem::take(&mut document.endpoints), &mut problems);
        let request = std::mem::take(&mut document.sweep).into_request();
        let request = request.map_err(|found| problems.extend(found.into_iter().map(|p| p.under("/sweep"))));
        let draft = document.into_draft(samples).and_then(with_filled_headers);
        let checked =
            draft.and_then(|draft| experiments::check(&draft).map(|definition| (draft, definition)));
        match (checked.map_err(|found| problems.extend(found)), request) {
            (Ok((draft, definition)), Ok(request)) if problems.is_empty() => {
                let digest = sha256(&file::spelling(&draft).map_err(Failure::error)?);
                notes.extend(advice::warnings(&definition, &draft.samples));
                notes.extend(not_taken(&definition, &endpoints));
                Ok(Self { draft, definition, endpoints, request, digest, name: shown.to_string(), notes })
            }
            _ => Err(Failure::errors(&shown, problems)),
        }
    }
}

/// Warnings of parameters that models do not take, as far as the file's own endpoints tell.
fn not_taken(definition: &Definition, endpoints: &[Endpoint]) -> Vec<String> {
    let catalog = Catalog::new(endpoints.to_vec(), ModelDefaults::default());
    parameter_support::warnings(definition, &catalog, &ModelLists::new(), &any_points(definition))
}

fn parse(path: &Path) -> Result<FileDocument, Failure> {
    let shown = path.display();
    let bytes = read(path, LARGEST_DOCUMENT).map_err(|error| Failure::errors(&shown, [error]))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::errors(&shown, ["this is not UTF-8: save the file as UTF-8"]))?;
    let is_json = path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"));
    let parsed = if is_json { json::read_file(&text) } else { yaml::read(&text, Shape::File) };
    parsed.map_err(|error| Failure::errors(&shown, [error]))
}

fn read(path: &Path, largest: u64) -> Result<Vec<u8>, String> {
    let told = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    };
    let mut bytes = Vec::new();
    // The length that the system tells may be another by now, and devices and pipes have none.
    fs::File::open(path).and_then(|file| file.take(largest + 1).read_to_end(&mut bytes)).map_err(told)?;
    if bytes.len() as u64 > largest {
        return Err(format!("the file is larger than {} MiB", largest >> 20));
    }
    Ok(bytes)
}

/// Gives the bytes of a file.
type Read<'a> = &'a dyn Fn(&Path) -> Result<Vec<u8>, String>;

/// The samples of a document, and what its writer should know of them.
fn samples_of(
    document: &mut FileDocument,
    path: &Path,
    read: Read<'_>,
) -> Result<(Vec<Sample>, Vec<String>), Failure> {
    match std::mem::replace(&mut document.sample_data, SampleSource::Inline(Vec::new())) {
        SampleSource::Inline(samples) => {
            Ok((samples.into_iter().map(SampleDocument::into_sample).collect(), Vec::new()))
        }
        SampleSource::File(file) => sample_file(file, path, read),
    }
}

fn sample_file(
    file: SampleFile,
    document: &Path,
    read: Read<'_>,
) -> Result<(Vec<Sample>, Vec<String>), Failure> {
    let path: PathBuf = document.parent().unwrap_or_else(|| Path::new("")).join(&file.file);
    let shown = path.display();
    let wrong = |error: &dyn Display| Failure::errors(&shown, [error]);
    let bytes = read(&path).map_err(|error| wrong(&error))?;
    let read = samples::read(&bytes, &file.into_reading()).map_err(|error| wrong(&error))?;
    let columns = (!read.columns.are_plain()).then(|| read.columns.to_string());
    let notes = columns.into_iter().chain(read.warnings).map(|note| format!("{shown}: {note}"));
    Ok((read.samples, notes.collect()))
}

fn endpoints_of(documents: Vec<EndpointDocument>, problems: &mut Vec<Problem>) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for (i, document) in documents.into_iter().enumerate() {
        let at = format!("/endpoints/{i}");
        match document.into_endpoint(EndpointId::new(SystemIds.next()), |text| fill(text, &variable)) {
            Ok(endpoint) if endpoints.iter().any(|other| other.label == endpoint.label) => {
                let detail = format!("two endpoints are called `{}`: rename one", endpoint.label);
                problems.push(Problem::new(format!("{at}/label"), "duplicate", detail));
            }
            Ok(endpoint) => endpoints.push(endpoint),
            Err(found) => problems.extend(found.into_iter().map(|problem| problem.under(&at))),
        }
    }
    endpoints
}

/// The draft with variables of the environment in the headers that its stages send to services.
fn with_filled_headers(mut draft: Draft) -> Result<Draft, Vec<Problem>> {
    let mut problems = Vec::new();
    for (i, stage) in draft.stages.iter_mut().enumerate() {
        let StageKindDraft::Http(http) = &mut stage.kind else { continue };
        for (name, value) in &mut http.headers {
            match fill(value, &variable) {
                Ok(filled) => *value = filled,
                Err(error) => {
                    let at = format!("/pipeline_stages/{i}/headers/{}", segment(name));
                    problems.push(Problem::new(at, "unset", error));
                }
            }
        }
    }
    if problems.is_empty() { Ok(draft) } else { Err(problems) }
}

/// Puts variables of the environment in the place of `${NAME}`.
fn fill(text: &str, get: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) =
            after.split_once('}').ok_or_else(|| "`${` is not closed: write ${NAME}".to_owned())?;
        let value = get(name)
            .ok_or_else(|| format!("the environment has no `{name}`: set it, as in export {name}=…"))?;
        out.push_str(before);
        out.push_str(&value);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in() {
        let get = |name: &str| (name == "KEY").then(|| "sk-${KEY}".to_owned());
        for (text, filled) in [
            ("plain", Ok("plain".to_owned())),
            ("a ${KEY} b", Ok("a sk-${KEY} b".to_owned())),
            ("$KEY $", Ok("$KEY $".to_owned())),
        ] {
            assert_eq!(fill(text, &get), filled, "{text}");
        }
        assert!(fill("${OTHER}", &get).unwrap_err().contains("`OTHER`"));
        assert!(fill("${KEY", &get).is_err());
    }
}
