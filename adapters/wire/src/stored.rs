//! Documents as the database stores them: with a version, to distinguish later formats.

use std::collections::BTreeMap;

use domain::endpoint::{EndpointIdentity, EndpointKind};
use domain::experiment::Places;
use domain::id::EndpointId;
use domain::space::Target;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::value::{AnyMap, from_map, into_map};

/// A document with the version of its format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Versioned<T> {
    v: u32,
    doc: T,
}

/// A stored document that cannot be read.
#[derive(Debug, Error)]
pub enum StoredError {
    /// It does not have the expected format.
    #[error("a stored document cannot be read")]
    Form(#[from] serde_json::Error),
    /// A later release wrote it.
    #[error("a stored document has version {0}, which a later release wrote")]
    Version(u32),
    /// A field has an invalid value.
    #[error("a stored document has an impossible {0}")]
    Field(&'static str),
}

const VERSION: u32 = 1;

/// Writes a document for the database.
///
/// # Errors
/// serde cannot write it, which does not happen for documents of this crate.
pub fn write<T: Serialize>(doc: &T) -> Result<String, StoredError> {
    Ok(serde_json::to_string(&Versioned { v: VERSION, doc })?)
}

/// Reads a document from the database.
///
/// # Errors
/// [`StoredError`] if it cannot be read.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, StoredError> {
    let versioned: Versioned<T> = serde_json::from_str(text)?;
    if versioned.v == VERSION { Ok(versioned.doc) } else { Err(StoredError::Version(versioned.v)) }
}

/// A run's configuration as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunConfigDocument {
    values: AnyMap,
    #[serde(skip_serializing_if = "Option::is_none")]
    targets: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "AnyMap::is_empty")]
    defaults: AnyMap,
    /// In the order of the stages; null where one makes no calls.
    stages: Vec<Option<BindingDocument>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct BindingDocument {
    endpoint: String,
    kind: String,
    url: String,
    model: String,
}

impl From<&application::ports::RunConfig> for RunConfigDocument {
    fn from(config: &application::ports::RunConfig) -> Self {
        let binding = |stage: &application::ports::StageBinding| BindingDocument {
            endpoint: stage.endpoint.to_string(),
            kind: stage.identity.kind.as_str().to_owned(),
            url: stage.identity.url.clone(),
            model: stage.model.clone(),
        };
        let targets = |places: &Places| {
            places.targets.iter().map(|(name, target)| (name.clone(), target.to_string())).collect()
        };
        let places = config.places.as_ref();
        Self {
            values: from_map(&config.values),
            targets: places.map(targets),
            defaults: places.map(|places| from_map(&places.defaults)).unwrap_or_default(),
            stages: config.stages.iter().map(|stage| stage.as_ref().map(binding)).collect(),
        }
    }
}

impl TryFrom<RunConfigDocument> for application::ports::RunConfig {
    type Error = StoredError;

    fn try_from(document: RunConfigDocument) -> Result<Self, StoredError> {
        let bindings = document.stages.into_iter();
        let stages = bindings.map(|stage| stage.map(BindingDocument::into_binding).transpose());
        let stages = stages.collect::<Result<_, _>>()?;
        let places = document.targets.map(|targets| {
            let target = |(name, text): (String, String)| {
                Ok((name, Target::parse(&text).map_err(|_| StoredError::Field("target"))?))
            };
            let targets = targets.into_iter().map(target).collect::<Result<_, StoredError>>()?;
            Ok::<_, StoredError>(Places { targets, defaults: into_map(document.defaults) })
        });
        Ok(Self { values: into_map(document.values), places: places.transpose()?, stages })
    }
}

impl BindingDocument {
    fn into_binding(self) -> Result<application::ports::StageBinding, StoredError> {
        let endpoint: EndpointId = self.endpoint.parse().map_err(|_| StoredError::Field("endpoint"))?;
        let kind = EndpointKind::parse(&self.kind).ok_or(StoredError::Field("endpoint kind"))?;
        let identity = EndpointIdentity { kind, url: self.url };
        Ok(application::ports::StageBinding { endpoint, identity, model: self.model })
    }
}

#[cfg(test)]
mod tests {
    use application::ports::{RunConfig, StageBinding};
    use domain::value::{Map, Value};

    use super::*;

    fn config(places: Option<Places>) -> RunConfig {
        RunConfig {
            values: Map::from([("temperature".to_owned(), Value::number(0.3))]),
            places,
            stages: vec![Some(StageBinding {
                endpoint: EndpointId::new(1),
                identity: EndpointIdentity::new(EndpointKind::OpenAi, "http://127.0.0.1/v1"),
                model: "m".into(),
            })],
        }
    }

    const STAGES: &str = concat!(
        r#""stages":[{"endpoint":"00000000-0000-0000-0000-000000000001","kind":"openai","#,
        r#""url":"http://127.0.0.1/v1","model":"m"}]}}"#
    );

    #[test]
    fn a_stored_configuration_is_pinned_and_reads_back() {
        let config = config(Some(Places {
            targets: [("temperature".to_owned(), Target::parse("say.temperature").unwrap())].into(),
            defaults: Map::from([("tone".to_owned(), Value::from("dry"))]),
        }));
        let text = write(&RunConfigDocument::from(&config)).unwrap();
        let values = r#"{"v":1,"doc":{"values":{"temperature":0.3},"#;
        let places = r#""targets":{"temperature":"say.temperature"},"defaults":{"tone":"dry"},"#;
        assert_eq!(text, [values, places, STAGES].concat());
        assert_eq!(RunConfig::try_from(read::<RunConfigDocument>(&text).unwrap()).unwrap(), config);
    }

    #[test]
    fn a_configuration_of_an_early_release_has_no_places() {
        let text = [r#"{"v":1,"doc":{"values":{"temperature":0.3},"#, STAGES].concat();
        assert_eq!(RunConfig::try_from(read::<RunConfigDocument>(&text).unwrap()).unwrap(), config(None));
    }

    #[test]
    fn a_later_form_is_refused_by_name() {
        assert!(matches!(read::<u32>(r#"{"v":2,"doc":1}"#), Err(StoredError::Version(2))));
    }
}
