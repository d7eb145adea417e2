//! Filters by the values of dimensions, which are as many parameters of a query as there are dimensions.

use poem::Request;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};

/// Dimensions with the values that are asked for, as they are written: `values.NAME=VALUE`, or `values[NAME]=VALUE` as
/// generated clients write objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DimensionValues(pub(crate) Vec<(String, String)>);

impl DimensionValues {
    pub(crate) fn of(request: &Request) -> Self {
        let pairs: Vec<(String, String)> = request.params().unwrap_or_default();
        Self(pairs.into_iter().filter_map(|(name, value)| Some((dimension(&name)?, value))).collect())
    }

    /// What the document says of them.
    pub(crate) fn schema() -> MetaSchemaRef {
        let value = MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")));
        let object = MetaSchema { additional_properties: Some(Box::new(value)), ..MetaSchema::new("object") };
        MetaSchemaRef::Inline(Box::new(object))
    }
}

fn dimension(name: &str) -> Option<String> {
    let rest = name.strip_prefix("values")?;
    let bracketed = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bracketed.or_else(|| rest.strip_prefix('.')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_are_named_in_two_ways() {
        let address = "/?limit=2&values.tone=a%20b&values%5Bmodel%5D=m&values=x&value.y=z";
        let read = DimensionValues::of(&Request::builder().uri_str(address).finish());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read.0, [pair("tone", "a b"), pair("model", "m")]);
    }
}
