//! Which models, providers and versions of servers answered a run.

use std::collections::BTreeMap;

use crate::call::Reply;

/// For each stage who gave its first answer, and whether all others came from there too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins {
    stages: BTreeMap<u32, u64>,
    mixed: bool,
}

impl Origins {
    /// Adds the answer to a call of a stage. A refusal that does not say who answered counts for nobody: a filter in front of
    /// the model may have given it.
    pub fn add(&mut self, stage: u32, reply: &Reply) {
        let says = origin_fields(reply).into_iter().any(Option::is_some);
        if says || !reply.flags.refused {
            self.note(stage, origin(reply));
        }
    }

    /// Adds those of other answers.
    pub fn merge(&mut self, other: &Self) {
        for (stage, origin) in &other.stages {
            self.note(*stage, *origin);
        }
        self.mixed |= other.mixed;
    }

    /// Whether the answers of one stage came from more than one model, provider, version or tier of a server.
    #[must_use]
    pub const fn is_mixed(&self) -> bool {
        self.mixed
    }

    /// The text that [`parse`](Self::parse) reads, such as `0:af63bd4c8601b7df,1:…`.
    #[must_use]
    pub fn spell(&self) -> String {
        let parts = self.stages.iter().map(|(stage, origin)| format!("{stage}:{origin:x}"));
        parts.collect::<Vec<_>>().join(",")
    }

    /// The origins that a text spells; what cannot be read is left out.
    #[must_use]
    pub fn parse(text: &str, mixed: bool) -> Self {
        let stages = text.split(',').filter_map(|part| {
            let (stage, origin) = part.split_once(':')?;
            Some((stage.parse().ok()?, u64::from_str_radix(origin, 16).ok()?))
        });
        Self { stages: stages.collect(), mixed }
    }

    fn note(&mut self, stage: u32, origin: u64) {
        let first = *self.stages.entry(stage).or_insert(origin);
        self.mixed |= first != origin;
    }
}

const fn origin_fields(reply: &Reply) -> [&Option<String>; 4] {
    [&reply.model_returned, &reply.provider, &reply.system_fingerprint, &reply.service_tier]
}

/// Tells apart who answers: FNV-1a (Fowler, Noll, Vo) over the fields of an answer that say so.
fn origin(reply: &Reply) -> u64 {
    let bytes = origin_fields(reply)
        .into_iter()
        .flat_map(|field| field.iter().flat_map(|text| text.bytes()).chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::call::{Completion, Flags, ReplyBody};

    fn reply(model: Option<&str>, provider: Option<&str>, fingerprint: Option<&str>) -> Reply {
        let completion =
            Completion { text: String::new(), reasoning: None, finish_reason: None, tool_calls: None };
        Reply {
            model_returned: model.map(str::to_owned),
            provider: provider.map(str::to_owned),
            system_fingerprint: fingerprint.map(str::to_owned),
            ..Reply::of(ReplyBody::Completion(completion))
        }
    }

    fn of(answers: &[(u32, Reply)]) -> Origins {
        let mut origins = Origins::default();
        for (stage, reply) in answers {
            origins.add(*stage, reply);
        }
        origins
    }

    #[test]
    fn a_run_is_mixed_once_a_stage_has_answers_of_two_origins() {
        let plain = || reply(None, None, None);
        assert!(!of(&[(0, plain()), (0, plain()), (1, reply(Some("m-2"), None, None))]).is_mixed());
        for other in [
            reply(Some("m-2"), None, None),
            reply(None, Some("m-2"), None),
            reply(None, None, Some("m-2")),
            Reply { service_tier: Some("flex".to_owned()), ..plain() },
        ] {
            assert!(of(&[(0, plain()), (0, other)]).is_mixed());
        }
        assert!(of(&[(0, reply(Some("a"), None, None)), (0, reply(None, Some("a"), None))]).is_mixed());
        let refused = Reply { flags: Flags { refused: true, ..Flags::default() }, ..plain() };
        assert!(!of(&[(0, reply(Some("a"), None, Some("fp"))), (0, refused)]).is_mixed());
    }

    #[test]
    fn what_was_added_before_and_after_an_interruption_is_what_was_added_at_once() {
        let [a, b] = [reply(Some("a"), None, None), reply(Some("b"), None, None)];
        for answers in
            [vec![(0, a.clone()), (1, b.clone()), (0, a.clone())], vec![(0, a.clone()), (1, a), (1, b)]]
        {
            for cut in 0..=answers.len() {
                let before = of(&answers[..cut]);
                let mut resumed = Origins::parse(&before.spell(), before.is_mixed());
                resumed.merge(&of(&answers[cut..]));
                assert_eq!(resumed, of(&answers), "cut at {cut}");
            }
        }
    }
}
