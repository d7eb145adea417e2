//! Calls a service of the user's own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Render, SampleProgress, Step, parsed, template_error};
use crate::call::{HttpCall, Reply, RequestBody};
use crate::excerpt::excerpt;
use crate::header;
use crate::run::{ErrorKind, StageError};
use crate::secret::Secret;
use crate::service::ServiceOrigin;
use crate::stage::{HttpBody, HttpStage};
use crate::template::{Template, TemplateTree};
use crate::value::Value;

/// An `http` stage whose templates are parsed.
#[derive(Debug, Clone)]
pub(super) struct CompiledHttp {
    url: Template,
    /// The values of headers by their names in lower case.
    headers: Vec<(String, Template)>,
    body: CompiledBody,
    output: Option<String>,
    timeout: Duration,
    cache: bool,
}

#[derive(Debug, Clone)]
enum CompiledBody {
    Standard,
    Text(Template),
    Json(TemplateTree),
}

/// Characters of a URL that a message shows.
const SHOWN_URL: usize = 200;

/// Why a stage was not begun.
enum Unbegun {
    /// It would take longer than this way of rendering allows.
    Slow,
    Failed(StageError),
}

impl CompiledHttp {
    pub(super) fn new(stage: &HttpStage) -> Result<Self, StageError> {
        let header = |(name, value): (&String, &String)| Ok((name.to_ascii_lowercase(), parsed(value)?));
        Ok(Self {
            url: parsed(&stage.url)?,
            headers: stage.headers.iter().map(header).collect::<Result<_, _>>()?,
            body: match &stage.body {
                HttpBody::Standard => CompiledBody::Standard,
                HttpBody::Text(source) => CompiledBody::Text(parsed(source)?),
                HttpBody::Json(value) => {
                    CompiledBody::Json(TemplateTree::parse(value).map_err(|error| template_error(&error))?)
                }
            },
            output: stage.output.clone(),
            timeout: stage.timeout(),
            cache: stage.cache,
        })
    }

    pub(super) fn begin(
        &self,
        progress: &SampleProgress,
        params: &Value,
        repeat: u32,
        render: &impl Render,
    ) -> Option<Result<Step, StageError>> {
        match self.call(progress, params, repeat, render) {
            Ok(call) => Some(Ok(Step::Calls(vec![call.into()]))),
            Err(Unbegun::Failed(error)) => Some(Err(error)),
            Err(Unbegun::Slow) => None,
        }
    }

    fn call(
        &self,
        progress: &SampleProgress,
        params: &Value,
        repeat: u32,
        render: &impl Render,
    ) -> Result<HttpCall, Unbegun> {
        let failed = |error| Unbegun::Failed(error);
        let text = |template| render.render(template).ok_or(Unbegun::Slow)?.map_err(failed);
        let url = text(&self.url)?.trim().to_owned();
        let origin =
            ServiceOrigin::parse(&url).map_err(|error| failed(wrong_url(&url, &error.to_string())))?;
        let mut headers = BTreeMap::new();
        for (name, value) in &self.headers {
            let value = text(value)?.trim().to_owned();
            header::check_value(&value).map_err(|wrong| failed(wrong_header(name, &wrong)))?;
            headers.insert(name.clone(), Secret::new(value));
        }
        let body = match &self.body {
            CompiledBody::Text(template) => RequestBody::Text(text(template)?),
            CompiledBody::Standard if !render.takes(progress.size()) => return Err(Unbegun::Slow),
            CompiledBody::Standard => RequestBody::Json(progress.standard_body(params)),
            CompiledBody::Json(tree) => {
                let value = |template: &_| render.evaluate(template).ok_or(Unbegun::Slow)?.map_err(failed);
                RequestBody::Json(tree.evaluate(&value)?)
            }
        };
        let (timeout, shared) = (self.timeout, self.cache);
        Ok(HttpCall { origin, url, headers, body, timeout, repeat, shared })
    }

    /// The answer, or what `output` leads to in it. Without `output` it is JSON where it can be read as JSON, else a text. A
    /// lone number or word counts as JSON only where the service says that it is JSON: `12.50` may well be a text.
    pub(super) fn finish(
        &self,
        stage: &str,
        replies: &[&Reply],
        read_json: impl Fn(&str) -> Option<Value>,
    ) -> Result<Value, StageError> {
        let answer = replies.first().and_then(|reply| reply.service_answer());
        let Some(answer) = answer else {
            return Err(StageError::new(ErrorKind::Internal, "the answer is not that of a service"));
        };
        let read = read_json(&answer.text);
        let Some(pointer) = &self.output else {
            let is_meant = |value: &Value| answer.is_json || matches!(value, Value::List(_) | Value::Map(_));
            return Ok(read.filter(is_meant).unwrap_or_else(|| Value::from(answer.text.as_str())));
        };
        let value = read.ok_or_else(|| StageError::not_json(stage, &answer.text, None))?;
        value.at(pointer).cloned().ok_or_else(|| {
            let detail = format!("the answer of stage `{stage}` has nothing at `{pointer}`, its `output`");
            StageError::new(ErrorKind::MissingOutput, detail)
        })
    }
}

fn wrong_url(url: &str, error: &str) -> StageError {
    StageError::new(ErrorKind::WrongInput, format!("`{}`: {error}", excerpt(url, SHOWN_URL)))
}

fn wrong_header(name: &str, error: &str) -> StageError {
    StageError::new(ErrorKind::WrongInput, format!("header `{name}`: {error}"))
}

#[cfg(test)]
mod tests;
