//! Responses that are file downloads.

use std::marker::PhantomData;

use poem::http::header;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponses, MetaSchema, MetaSchemaRef, Registry};

use crate::json_response::{JSON, described};

/// The file formats of exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Env,
    Yaml,
    Report,
    Csv,
    Jsonl,
}

impl Form {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Env => "env",
            Self::Yaml => "yaml",
            Self::Report => "report",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    /// The media type. Files are `text/…` unless they are JSON, because generated clients read no other types.
    const fn media_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Env => "text/plain; charset=utf-8",
            Self::Yaml => "text/yaml; charset=utf-8",
            Self::Report => "text/markdown; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "text/jsonl; charset=utf-8",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Report => "md",
            other => other.word(),
        }
    }

    fn schema(self) -> MetaSchemaRef {
        let schema = match self {
            Self::Json => {
                let any = MetaSchemaRef::Inline(Box::new(MetaSchema::ANY));
                MetaSchema { additional_properties: Some(Box::new(any)), ..MetaSchema::new("object") }
            }
            Self::Env | Self::Yaml | Self::Report | Self::Csv | Self::Jsonl => MetaSchema::new("string"),
        };
        MetaSchemaRef::Inline(Box::new(schema))
    }
}

/// The formats that an operation answers in.
pub(crate) trait Forms: Send + 'static {
    const ALL: &'static [Form];
}

macro_rules! forms {
    ($($name:ident = [$($form:ident),+]),+ $(,)?) => {$(
        pub(crate) struct $name;

        impl Forms for $name {
            const ALL: &'static [Form] = &[$(Form::$form),+];
        }
    )+};
}

forms! {
    AsJson = [Json],
    AsEnv = [Env],
    AsYaml = [Yaml],
    AsReport = [Report],
    AsTable = [Csv, Jsonl],
}

/// A file download.
pub(crate) struct Exported<F> {
    form: Form,
    text: String,
    of: PhantomData<fn() -> F>,
}

impl<F> Exported<F> {
    pub(crate) const fn new(form: Form, text: String) -> Self {
        Self { form, text, of: PhantomData }
    }
}

impl<F> IntoResponse for Exported<F> {
    fn into_response(self) -> Response {
        let name = format!("attachment; filename=\"promptlooper.{}\"", self.form.suffix());
        Response::builder()
            .content_type(self.form.media_type())
            .header(header::CONTENT_DISPOSITION, name)
            .header(header::CACHE_CONTROL, "no-store")
            .body(self.text)
    }
}

impl<F: Forms> ApiResponse for Exported<F> {
    fn meta() -> MetaResponses {
        let content = |form: &Form| MetaMediaType { content_type: form.media_type(), schema: form.schema() };
        described(200, F::ALL.iter().map(content).collect())
    }

    fn register(_: &mut Registry) {}
}
