//! Writes variants of a prompt, as a model does that is asked to improve one.

use std::collections::BTreeSet;

use domain::call::{ChatCall, ResponseFormat};
use domain::value::Value;

use super::dice::Dice;
use super::sections::{section, text_of, without};
use super::skill::Model;
use super::words::count;

/// Instructions that prompts are given: some help the simulated models, some do not.
const INSTRUCTIONS: [&str; 7] = [
    "You are a careful expert for this task.",
    "Answer with exactly what is asked for and nothing else.",
    "For example, a clear case gets the obvious answer.",
    "Each answer covers one topic: choose the one that fits most of what is said.",
    "Think step by step.",
    "Be polite and thorough.",
    "Read everything twice before you answer.",
];
/// The most instructions that one variant adds.
const MAX_ADDED: usize = 4;
/// The most variants that are written.
const MAX_VARIANTS: usize = 20;
/// How often a variant is drawn again that is there already.
const TRIES: usize = 20;

/// A prompt that asks for variants of another one.
pub(super) struct WriterTask {
    pub(super) prompt: String,
    count: usize,
}

impl WriterTask {
    /// The task of a call; `None` if it asks for something else.
    pub(super) fn of(call: &ChatCall) -> Option<Self> {
        let text = text_of(call);
        let prompt = section(&text, "prompt")?.to_owned();
        let demand = without(&text, &["prompt"]);
        let asked = demand.match_indices("Write ").find_map(|(at, write)| {
            let mut words = demand[at + write.len()..].split_whitespace();
            let count = count(&words.next()?.to_lowercase())?;
            let of = (words.next()?, words.next()?);
            (of.0 == "new" && of.1.trim_end_matches(|c: char| !c.is_alphanumeric()).starts_with("prompt"))
                .then_some(count)
        });
        Some(Self { prompt, count: asked?.min(MAX_VARIANTS) })
    }

    /// The variants as `{"prompts": […]}`. Each keeps the prompt as it is, with its placeholders, below the instructions that are
    /// new in it. Now and then a code fence is around the object, unless the call asks for JSON.
    pub(super) fn answer(&self, model: Model, call: &ChatCall) -> String {
        let mut dice = Dice::of_answer(call);
        let mut variants = BTreeSet::new();
        let mut prompts = Vec::with_capacity(self.count);
        for _ in 0..self.count {
            let mut variant = self.variant(&mut dice);
            for _ in 0..TRIES {
                if variants.insert(variant.clone()) {
                    break;
                }
                variant = self.variant(&mut dice);
            }
            prompts.push(Value::from(variant));
        }
        let json = Value::from([("prompts", Value::List(prompts))]).canonical();
        let fenced = call.response_format == ResponseFormat::Text && dice.chance(model.fences());
        if fenced { format!("```json\n{json}\n```") } else { json }
    }

    fn variant(&self, dice: &mut Dice) -> String {
        let mut left: Vec<&str> =
            INSTRUCTIONS.into_iter().filter(|known| !self.prompt.contains(known)).collect();
        let mut lines = Vec::new();
        let added = dice.below(MAX_ADDED) + 1;
        while lines.len() < added && !left.is_empty() {
            lines.push(left.swap_remove(dice.below(left.len())));
        }
        lines.push(&self.prompt);
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use domain::call::{Message, Role};
    use domain::endpoint::{EndpointIdentity, EndpointKind};
    use domain::value::Map;

    use super::*;

    const PROMPT: &str =
        "Sort this. {% if params.x %}{{ params.x }}{% endif %}\nLabels: a, b\nTicket: {{ sample.input }}";

    fn call(demand: &str) -> ChatCall {
        let content = format!("Here is a prompt.\n<prompt>\n{PROMPT}\n</prompt>\n{demand}");
        ChatCall {
            endpoint: EndpointIdentity::new(EndpointKind::Simulated, "sim"),
            model: "sim-large".to_owned(),
            messages: vec![Message { role: Role::User, content }],
            parameters: Map::new(),
            response_format: ResponseFormat::Json,
            extra: Map::new(),
            repeat: 1,
        }
    }

    fn written(call: &ChatCall) -> Vec<String> {
        let text = WriterTask::of(call).unwrap().answer(Model::Large, call);
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        let prompts = object["prompts"].as_array().unwrap().iter();
        prompts.map(|prompt| prompt.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn as_many_variants_as_are_asked_for_keep_the_prompt() {
        for (demand, count) in [
            (r#"Write 5 new prompts. Answer with {"prompts": ["…", …]}."#, 5),
            ("Write three new prompts, as {\"prompts\": […]}", 3),
            ("Write one new prompt.", 1),
            ("Write 1000 new prompts.", MAX_VARIANTS),
        ] {
            let variants = written(&call(demand));
            assert!(
                variants.iter().all(|variant| variant.ends_with(PROMPT) && variant != PROMPT),
                "{variants:?}"
            );
            let distinct: BTreeSet<&String> = variants.iter().collect();
            assert_eq!((variants.len(), distinct.len()), (count, count), "{demand}");
        }
        for demand in ["Write a poem.", "Summarise it.", "Write 5 new poems."] {
            assert!(WriterTask::of(&call(demand)).is_none(), "{demand}");
        }
    }

    #[test]
    fn variants_depend_on_the_call_alone_and_add_to_what_is_there() {
        let asked = call("Write 4 new prompts.");
        assert_eq!(written(&asked), written(&asked));
        assert_ne!(written(&asked), written(&ChatCall { repeat: 2, ..asked.clone() }));
        let known = format!("{}\n{PROMPT}", INSTRUCTIONS[1]);
        let content = format!("<prompt>\n{known}\n</prompt>\nWrite 9 new prompts.");
        let more = ChatCall { messages: vec![Message { role: Role::User, content }], ..asked };
        for variant in written(&more) {
            assert_eq!(variant.matches(INSTRUCTIONS[1]).count(), 1, "{variant}");
        }
    }
}
