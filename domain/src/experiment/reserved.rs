//! Finds `extra` fields that have to be set elsewhere.
//!
//! Only new documents are checked. Stored documents with such fields remain readable; requests ignore the fields.

use super::Draft;
use crate::extra;
use crate::problem::{Problem, segment};
use crate::space::{Field, Target};

const CODE: &str = "reserved_field";

/// Checks the stages, and the targets of dimensions.
pub(super) fn check(draft: &Draft, problems: &mut Vec<Problem>) {
    for (i, stage) in draft.stages.iter().enumerate() {
        for name in stage.as_llm().into_iter().flat_map(|stage| stage.extra.keys()) {
            let at = || format!("/pipeline_stages/{i}/extra/{}", segment(name));
            problems.extend(extra::refusal(name).map(|detail| Problem::new(at(), CODE, detail)));
        }
    }
    for (name, dimension) in &draft.space {
        let Some(Ok(target)) = dimension.target.as_deref().map(Target::parse) else { continue };
        let Field::Extra(key) = &target.field else { continue };
        let at = || format!("/parameter_space/{}/target", segment(name));
        problems.extend(extra::refusal(key).map(|detail| Problem::new(at(), CODE, detail)));
    }
}
