//! What is known of hosted models, from their providers' documentation and from `LiteLLM`'s table of models (MIT licensed).

/// What becomes of a parameter that a model does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Support {
    /// The calls are made as if it were not there.
    Ignored,
    /// The calls fail.
    Refused,
}

const SAMPLING: &[&str] = &["temperature", "top_p"];
const PENALTIES: &[&str] = &["frequency_penalty", "presence_penalty"];
const STOP: &[&str] = &["stop"];

/// Beginnings of names, with the parameters that these models do not take. Dots in names are written as hyphens. A longer
/// beginning says more than a shorter one.
const MODELS: &[(&str, Support, &[&[&str]])] = &[
    ("o1", Support::Refused, &[SAMPLING, PENALTIES]),
    ("o3", Support::Refused, &[SAMPLING, PENALTIES, STOP]),
    ("o4-", Support::Refused, &[SAMPLING, PENALTIES, STOP]),
    ("gpt-5", Support::Refused, &[SAMPLING, PENALTIES, STOP]),
    ("gpt-5-chat", Support::Refused, &[]),
    // These take them where they do not reason, which is how they answer if nothing is set.
    ("gpt-5-1", Support::Refused, &[]),
    ("gpt-5-2", Support::Refused, &[]),
    ("gpt-5-3", Support::Refused, &[]),
    ("gpt-6", Support::Refused, &[SAMPLING, PENALTIES, STOP]),
    ("claude-fable-5", Support::Refused, &[SAMPLING]),
    ("claude-mythos", Support::Refused, &[SAMPLING]),
    ("claude-opus-4-7", Support::Refused, &[SAMPLING]),
    ("claude-opus-4-8", Support::Refused, &[SAMPLING]),
    ("claude-opus-5", Support::Refused, &[SAMPLING]),
    ("claude-sonnet-5", Support::Refused, &[SAMPLING]),
    ("claude-haiku-5", Support::Refused, &[SAMPLING]),
    ("gemini-3-5-flash-lite", Support::Ignored, &[SAMPLING]),
    ("gemini-3-6-flash", Support::Ignored, &[SAMPLING]),
    ("gemini-3-7-flash", Support::Ignored, &[SAMPLING]),
    ("gemini-3-8-flash", Support::Ignored, &[SAMPLING]),
    ("deepseek-reasoner", Support::Ignored, &[SAMPLING, PENALTIES]),
    ("deepseek-r1", Support::Ignored, &[SAMPLING, PENALTIES]),
    ("grok-3-mini", Support::Refused, &[PENALTIES, STOP]),
    ("grok-4", Support::Refused, &[PENALTIES, STOP]),
];

/// What Anthropic's protocol has no field for.
const NOT_ANTHROPIC: [&str; 4] = ["seed", "frequency_penalty", "presence_penalty", "verbosity"];

/// What becomes of a parameter; `None` where the model takes it, or where nothing is known.
pub(super) fn support(speaks_anthropic: bool, model: &str, parameter: &str) -> Option<Support> {
    if speaks_anthropic && NOT_ANTHROPIC.contains(&parameter) {
        return Some(Support::Refused);
    }
    // Gateways put the provider in front.
    let name = model.rsplit('/').next().unwrap_or(model).to_lowercase().replace('.', "-");
    let known =
        MODELS.iter().filter(|(begin, ..)| name.starts_with(begin)).max_by_key(|(begin, ..)| begin.len());
    let (_, support, lacking) = known?;
    lacking.iter().any(|names| names.contains(&parameter)).then_some(*support)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_known_by_the_beginning_of_their_names() {
        for (model, parameter, expected) in [
            ("o3", "temperature", Some(Support::Refused)),
            ("openai/o3-mini", "top_p", Some(Support::Refused)),
            ("o1", "stop", None),
            ("gpt-5", "temperature", Some(Support::Refused)),
            ("gpt-5-mini-2025-08-07", "temperature", Some(Support::Refused)),
            ("gpt-5-chat-latest", "temperature", None),
            ("gpt-5.1", "temperature", None),
            ("gpt-4o", "temperature", None),
            ("anthropic/claude-opus-4.7", "temperature", Some(Support::Refused)),
            ("claude-opus-4-6", "temperature", None),
            ("deepseek-reasoner", "temperature", Some(Support::Ignored)),
            ("deepseek-chat", "temperature", None),
            ("qwen2.5-7b", "temperature", None),
        ] {
            assert_eq!(support(false, model, parameter), expected, "{model}: {parameter}");
        }
        assert_eq!(support(true, "claude-opus-4-6", "seed"), Some(Support::Refused));
    }
}
