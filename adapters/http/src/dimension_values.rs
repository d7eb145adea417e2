//! Filters by the values of dimensions. A query has one parameter for each dimension.

use poem::Request;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};

use crate::failure::Failure;

/// The requested values of dimensions, written as `values.NAME=VALUE`, `values[NAME]=VALUE`, or `values=NAME=VALUE`.
/// The document describes the last form, a list of texts: generated clients agree on how to send a list in a query,
/// but not on how to send an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DimensionValues(pub(crate) Vec<(String, String)>);

impl DimensionValues {
    /// The parameter in the document.
    pub(crate) const PARAMETER: &str = "values";

    pub(crate) fn of(request: &Request) -> Result<Self, Failure> {
        let pairs: Vec<(String, String)> = request.params().unwrap_or_default();
        let read = pairs.into_iter().filter_map(|(name, value)| pair(&name, value));
        read.collect::<Result<_, _>>().map(Self)
    }

    /// Its schema in the document.
    pub(crate) fn schema() -> MetaSchemaRef {
        let text = MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")));
        let list = MetaSchema { items: Some(Box::new(text)), ..MetaSchema::new("array") };
        MetaSchemaRef::Inline(Box::new(list))
    }
}

/// The dimension and the value of one parameter; `None` for other parameters.
fn pair(name: &str, value: String) -> Option<Result<(String, String), Failure>> {
    let rest = name.strip_prefix(DimensionValues::PARAMETER)?;
    if rest.is_empty() {
        let pair = value.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        return Some(
            pair.ok_or_else(|| {
                Failure::parameter(DimensionValues::PARAMETER, "each is written as NAME=VALUE")
            }),
        );
    }
    let bracketed = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let dimension = bracketed.or_else(|| rest.strip_prefix('.'))?;
    Some(Ok((dimension.to_owned(), value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<DimensionValues, Failure> {
        DimensionValues::of(&Request::builder().uri_str(format!("/?{query}")).finish())
    }

    #[test]
    fn dimensions_are_named_in_three_ways() {
        let query = "limit=2&values.tone=a%20b&values%5Bmodel%5D=m&values=word%3Dx%3Dy&value.y=z";
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [pair("tone", "a b"), pair("model", "m"), pair("word", "x=y")];
        assert_eq!(read(query).ok(), Some(DimensionValues(expected.into())));
    }

    #[test]
    fn a_value_without_a_dimension_is_refused() {
        assert!(read("values=x").is_err());
    }
}
