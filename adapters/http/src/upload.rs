//! Uploads: a file in a form, with options.

use poem::error::ParseMultipartError;
use poem::http::StatusCode;
use poem::web::{Field, Multipart};
use poem::{FromRequest, Request, RequestBody, Result};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::body::{MIB, bytes, too_large};
use crate::failure::Failure;

const MEDIA_TYPE: &str = "multipart/form-data";

/// The largest file, in MiB.
const MAX_FILE: usize = 32;

/// The most bytes of a form beside its file.
const MAX_FORM_OVERHEAD: usize = 64 << 10;

/// A file of samples, with options for reading it.
#[derive(Debug, Default)]
pub(crate) struct SampleUpload {
    /// The file's name on the client's machine.
    pub(crate) name: String,
    pub(crate) file: Vec<u8>,
    pub(crate) format: Option<String>,
    /// A JSON object.
    pub(crate) columns: Option<String>,
}

impl<'a> ApiExtractor<'a> for SampleUpload {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(NAME.to_owned(), |_| schema());
    }

    fn request_meta() -> Option<MetaRequest> {
        let schema = MetaSchemaRef::Reference(NAME.to_owned());
        let content = vec![MetaMediaType { content_type: MEDIA_TYPE, schema }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let bytes = bytes(body, MAX_FILE * MIB + MAX_FORM_OVERHEAD, MAX_FILE).await?;
        let mut body = RequestBody::new(bytes.into());
        let form = <Multipart as FromRequest>::from_request(request, &mut body).await;
        let mut form = form.map_err(|error| match error.downcast_ref::<ParseMultipartError>() {
            Some(ParseMultipartError::InvalidContentType(_) | ParseMultipartError::ContentTypeRequired) => {
                let detail =
                    "send a form, with `Content-Type: multipart/form-data` and the samples as `file`";
                Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
            }
            _ => broken(),
        })?;
        let mut upload = Self::default();
        let mut seen: Vec<String> = Vec::new();
        while let Some(field) = form.next_field().await.map_err(|_| broken())? {
            let name = field.name().unwrap_or_default().to_owned();
            if seen.contains(&name) {
                return Err(Failure::field(&name, "duplicate", "this part stands twice: remove one").into());
            }
            upload.take(&name, field).await?;
            seen.push(name);
        }
        if !seen.iter().any(|name| name == "file") {
            let detail = "the form has no `file`: send the samples under this name";
            return Err(Failure::field("file", "missing", detail).into());
        }
        Ok(upload)
    }
}

/// The name of the form in the document.
const NAME: &str = "SampleUpload";

fn schema() -> MetaSchema {
    let text = |description| {
        let schema = MetaSchema { description: Some(description), ..MetaSchema::new("string") };
        MetaSchemaRef::Inline(Box::new(schema))
    };
    let file = MetaSchema {
        description: Some("The file, of at most 32 MiB."),
        ..MetaSchema::new_with_format("string", "binary")
    };
    MetaSchema {
        description: Some("A file of samples, and how it is to be read."),
        required: vec!["file"],
        properties: vec![
            ("file", MetaSchemaRef::Inline(Box::new(file))),
            ("format", text("Its format; by its name and content where absent.")),
            (
                "columns",
                text(
                    "Which columns are what, as JSON: `{\"input\": …, \"reference\": …, \"references\": …, \"meta\": […]}`.",
                ),
            ),
        ],
        ..MetaSchema::new("object")
    }
}

fn broken() -> Failure {
    let detail = "the form cannot be read: is it complete, and is its boundary that of the header?";
    Failure::new(StatusCode::BAD_REQUEST, "broken_form", detail)
}

impl SampleUpload {
    async fn take(&mut self, name: &str, field: Field) -> Result<()> {
        let file_name = field.file_name().map(str::to_owned);
        let bytes = field.bytes().await.map_err(|_| broken())?;
        if name == "file" {
            if bytes.len() > MAX_FILE * MIB {
                return Err(too_large(MAX_FILE).into());
            }
            self.name = file_name.unwrap_or_default();
            self.file = bytes;
            return Ok(());
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::field(name, "wrong_type", "this part is a text in UTF-8"))?;
        // HTML forms send empty text for fields that are not filled in.
        let text = Some(text).filter(|text| !text.trim().is_empty());
        match name {
            "format" => self.format = text.map(|text| text.trim().to_owned()),
            "columns" => self.columns = text,
            _ => {
                let detail = format!("unknown part `{name}`. Known: file, format, columns");
                return Err(Failure::field(name, "unknown_field", detail).into());
            }
        }
        Ok(())
    }
}
