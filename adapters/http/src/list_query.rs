//! The parameters of a list, read together. In the document each stands on its own: see [`explode`].

use application::operations::{PageRequest, RunListRequest};
use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaApi, MetaOperationParam, MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseFromParameter, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::dimension_values::DimensionValues;
use crate::failure::{Failure, wanted};
use crate::page::{Cursor, Limit};

/// The filter, order and page of a list of runs.
pub(crate) struct RunListQuery(pub(crate) RunListRequest);

/// The filter and page of a list of events.
pub(crate) struct EventQuery {
    pub(crate) since: Option<u64>,
    pub(crate) kind: Option<String>,
    pub(crate) page: PageRequest,
}

/// The page of a list.
pub(crate) struct PageQuery(pub(crate) PageRequest);

/// Marks the schema of parameters that are read together.
const EXPLODED: &str = "exploded";

/// Parameters that are read together.
trait Parameters: Sized {
    /// Their names, schemas and descriptions.
    fn described() -> Vec<(&'static str, MetaSchemaRef, &'static str)>;

    fn read(request: &Request) -> Result<Self, Failure>;
}

impl Parameters for PageQuery {
    fn described() -> Vec<(&'static str, MetaSchemaRef, &'static str)> {
        vec![("limit", Limit::schema_ref(), ""), ("cursor", Cursor::schema_ref(), "")]
    }

    fn read(request: &Request) -> Result<Self, Failure> {
        let (limit, cursor): (Limit, Cursor) = (parsed(request, "limit")?, parsed(request, "cursor")?);
        Ok(Self(PageRequest { limit: limit.get(), cursor: cursor.text() }))
    }
}

impl Parameters for RunListQuery {
    fn described() -> Vec<(&'static str, MetaSchemaRef, &'static str)> {
        let own = [
            ("status", String::schema_ref(), "Runs with one status only"),
            (
                DimensionValues::PARAMETER,
                DimensionValues::schema(),
                "Runs with these values of dimensions only, each written as `NAME=VALUE`; the parameter \
                 `values.NAME=VALUE` means the same",
            ),
            (
                "sort",
                String::schema_ref(),
                "`score`, `scores.NAME`, `values.NAME`, `cost_estimate`, `latency_ms` or `created_at`; with a minus the \
                 largest come first, and runs without such a figure come last",
            ),
        ];
        own.into_iter().chain(PageQuery::described()).collect()
    }

    fn read(request: &Request) -> Result<Self, Failure> {
        let (status, sort) = (parsed(request, "status")?, parsed(request, "sort")?);
        let (values, PageQuery(page)) = (DimensionValues::of(request)?.0, PageQuery::read(request)?);
        Ok(Self(RunListRequest { status, values, sort, page }))
    }
}

impl Parameters for EventQuery {
    fn described() -> Vec<(&'static str, MetaSchemaRef, &'static str)> {
        let since = "The place after which to begin: the `seq` of an event";
        let own =
            [("since", u64::schema_ref(), since), ("type", String::schema_ref(), "Events of one type only")];
        own.into_iter().chain(PageQuery::described()).collect()
    }

    fn read(request: &Request) -> Result<Self, Failure> {
        let (since, kind) = (parsed(request, "since")?, parsed(request, "type")?);
        Ok(Self { since, kind, page: PageQuery::read(request)?.0 })
    }
}

/// A parameter of the query.
fn parsed<T: ParseFromParameter>(request: &Request, name: &str) -> Result<T, Failure> {
    let pairs: Vec<(String, String)> = request.params().unwrap_or_default();
    let given = pairs.into_iter().filter(|(given, _)| given == name).map(|(_, value)| value);
    T::parse_from_parameters(given).map_err(|error| Failure::parameter(name, wanted(&error.into_message())))
}

macro_rules! extracted {
    ($($query:ty),+) => {$(
        impl<'a> ApiExtractor<'a> for $query {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
            type ParamType = ();
            type ParamRawType = ();

            fn param_in() -> Option<MetaParamIn> {
                Some(MetaParamIn::Query)
            }

            fn param_schema_ref() -> Option<MetaSchemaRef> {
                let described = <$query as Parameters>::described().into_iter();
                let properties = described.map(|(name, schema, about)| (name, with_description(schema, about)));
                Some(MetaSchemaRef::Inline(Box::new(MetaSchema {
                    title: Some(EXPLODED.to_owned()),
                    properties: properties.collect(),
                    ..MetaSchema::new("object")
                })))
            }

            async fn from_request(
                request: &'a Request,
                _: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> Result<Self> {
                Ok(<$query as Parameters>::read(request)?)
            }
        }
    )+};
}

extracted!(PageQuery, RunListQuery, EventQuery);

fn with_description(schema: MetaSchemaRef, about: &'static str) -> MetaSchemaRef {
    match schema {
        MetaSchemaRef::Inline(mut schema) => {
            schema.description = schema.description.or((!about.is_empty()).then_some(about));
            MetaSchemaRef::Inline(schema)
        }
        other @ MetaSchemaRef::Reference(_) => other,
    }
}

/// Documents each of the parameters that are read together.
pub(crate) fn explode(mut apis: Vec<MetaApi>) -> Vec<MetaApi> {
    let paths = apis.iter_mut().flat_map(|api| &mut api.paths);
    for operation in paths.flat_map(|path| &mut path.operations) {
        let params = std::mem::take(&mut operation.params);
        operation.params = params.into_iter().flat_map(apart).collect();
    }
    apis
}

fn apart(param: MetaOperationParam) -> Vec<MetaOperationParam> {
    let exploded = match &param.schema {
        MetaSchemaRef::Inline(schema) if schema.title.as_deref() == Some(EXPLODED) => schema,
        _ => return vec![param],
    };
    let each = exploded.properties.iter().map(|(name, schema)| MetaOperationParam {
        name: (*name).to_owned(),
        description: description(schema),
        schema: without_description(schema.clone()),
        in_type: param.in_type,
        required: false,
        deprecated: false,
        explode: param.explode,
        style: param.style,
    });
    each.collect()
}

fn without_description(schema: MetaSchemaRef) -> MetaSchemaRef {
    match schema {
        MetaSchemaRef::Inline(schema) => {
            MetaSchemaRef::Inline(Box::new(MetaSchema { description: None, ..*schema }))
        }
        reference @ MetaSchemaRef::Reference(_) => reference,
    }
}

fn description(schema: &MetaSchemaRef) -> Option<String> {
    match schema {
        MetaSchemaRef::Inline(schema) => schema.description.map(str::to_owned),
        MetaSchemaRef::Reference(_) => None,
    }
}
