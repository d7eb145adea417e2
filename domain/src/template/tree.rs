//! JSON whose texts are templates.

use super::{Template, TemplateError};
use crate::problem::segment;
use crate::value::Value;

/// A value in which texts with `{{` or `{%` are templates. One that consists of a single expression gives the value of that
/// expression, any other gives a text.
#[derive(Debug, Clone)]
pub enum TemplateTree {
    /// Without templates.
    Fixed(Value),
    /// A template.
    Template(Template),
    /// Values in order.
    List(Vec<TemplateTree>),
    /// Values by name.
    Map(Vec<(String, TemplateTree)>),
}

impl TemplateTree {
    /// Whether a text holds a template.
    #[must_use]
    pub fn is_template(text: &str) -> bool {
        text.contains("{{") || text.contains("{%")
    }

    /// Parses the templates in a value.
    ///
    /// # Errors
    /// The first that cannot be parsed.
    pub fn parse(value: &Value) -> Result<Self, TemplateError> {
        Ok(match value {
            Value::Text(text) if Self::is_template(text) => Self::Template(Template::parse(text)?),
            Value::List(items) => Self::List(items.iter().map(Self::parse).collect::<Result<_, _>>()?),
            Value::Map(fields) => {
                let fields = fields.iter().map(|(name, value)| Ok((name.clone(), Self::parse(value)?)));
                Self::Map(fields.collect::<Result<_, _>>()?)
            }
            value => Self::Fixed(value.clone()),
        })
    }

    /// Adds the templates in a value, with their places below `place`.
    pub fn find<'a>(value: &'a Value, place: String, found: &mut Vec<(String, &'a str)>) {
        match value {
            Value::Text(text) if Self::is_template(text) => found.push((place, text)),
            Value::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    Self::find(item, format!("{place}/{i}"), found);
                }
            }
            Value::Map(fields) => {
                for (name, value) in fields {
                    Self::find(value, format!("{place}/{}", segment(name)), found);
                }
            }
            _ => {}
        }
    }

    /// The value with `evaluate` applied to each template.
    ///
    /// # Errors
    /// The first that `evaluate` gives.
    pub fn evaluate<E>(&self, evaluate: &impl Fn(&Template) -> Result<Value, E>) -> Result<Value, E> {
        Ok(match self {
            Self::Fixed(value) => value.clone(),
            Self::Template(template) => evaluate(template)?,
            Self::List(items) => {
                Value::List(items.iter().map(|item| item.evaluate(evaluate)).collect::<Result<_, _>>()?)
            }
            Self::Map(fields) => {
                let fields = fields.iter().map(|(name, value)| Ok((name.clone(), value.evaluate(evaluate)?)));
                Value::Map(fields.collect::<Result<_, E>>()?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Scope;

    #[test]
    fn a_single_expression_gives_its_value_and_other_templates_give_texts() {
        let value = Value::from([
            ("ids", Value::from("{{ ids }}")),
            ("list", Value::List(vec!["n: {{ ids | length }}".into(), Value::from(7_u32), "plain {".into()])),
        ]);
        let mut found = Vec::new();
        TemplateTree::find(&value, "/body".to_owned(), &mut found);
        let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["/body/ids", "/body/list/0"]);
        let ids = Value::List(vec![Value::from(1_u32), Value::from(2_u32)]);
        let scope = Scope::new().with("ids", &ids);
        let tree = TemplateTree::parse(&value).unwrap();
        let evaluated = tree.evaluate(&|template: &Template| template.evaluate(&scope)).unwrap();
        assert_eq!(evaluated.canonical(), r#"{"ids":[1,2],"list":["n: 2",7,"plain {"]}"#);
        assert!(TemplateTree::parse(&Value::from("{{ a")).is_err());
    }
}
