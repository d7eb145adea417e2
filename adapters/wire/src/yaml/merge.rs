//! Merge keys: fields that an object inherits from another one under `<<`.

use super::Fault;
use super::tree::{Entry, Kind, Node};

/// The name of a merge key.
const MERGE: &str = "<<";

/// The entries of an object, followed by inherited ones.
pub(super) fn merged(mut entries: Vec<Entry>) -> Result<Vec<Entry>, Fault> {
    let Some(at) = entries.iter().position(|entry| entry.name == MERGE) else { return Ok(entries) };
    let merge = entries.remove(at);
    let sources = match &merge.node.kind {
        Kind::List(items) => items.iter().map(AsRef::as_ref).collect(),
        _ => vec![merge.node.as_ref()],
    };
    for source in sources {
        for entry in fields(source)? {
            if !entries.iter().any(|own| own.name == entry.name) {
                entries.push(entry.clone());
            }
        }
    }
    Ok(entries)
}

fn fields(source: &Node) -> Result<&[Entry], Fault> {
    match &source.kind {
        Kind::Map(entries) => Ok(entries),
        _ => Err(Fault::new(
            source.at,
            "`<<` takes over the fields of an object: name one, as in `<<: *shared`",
        )),
    }
}
