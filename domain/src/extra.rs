//! The fields that a stage's `extra` must not contain.
//!
//! `extra` is sent to the model server as it is. A field in it that changes the model, the messages, the number of
//! answers or their length would invalidate the stage, the budget and the cache. So each of those fields can be set
//! in one place only.

use crate::space::Parameter;

/// Other names of parameters on some servers.
const ALIASES: [(&str, &str); 9] = [
    ("max_completion_tokens", "max_tokens"),
    ("max_output_tokens", "max_tokens"),
    ("max_new_tokens", "max_tokens"),
    ("max_length", "max_tokens"),
    ("n_predict", "max_tokens"),
    ("num_predict", "max_tokens"),
    ("maxoutputtokens", "max_tokens"),
    ("maxtokens", "max_tokens"),
    ("stop_sequences", "stop"),
];

/// Fields that request several answers.
const COUNTS: [&str; 5] = ["n", "n_cmpl", "best_of", "num_completions", "num_return_sequences"];

/// Fields that are determined by other parts of the stage.
const DECIDED: [(&str, &str); 15] = [
    ("model", "set the stage's `model` instead"),
    ("models", "set the stage's `model` instead, or give the parameter space a dimension that targets it"),
    ("fallbacks", "set the stage's `model` instead, or give the parameter space a dimension that targets it"),
    ("messages", "set the stage's `messages` and `prompt` instead"),
    ("prompt", "set the stage's `prompt` instead"),
    ("input", "set the stage's `prompt` instead"),
    ("system", "set the stage's `system` instead"),
    ("instructions", "set the stage's `system` instead"),
    ("previous_response_id", "set the stage's `messages` instead: each call carries its whole conversation"),
    ("response_format", "set the stage's `response_format` instead"),
    ("text", "set the stage's `response_format` or `parameters.verbosity` instead"),
    ("stream", "remove it: answers are not streamed"),
    ("stream_options", "remove it: answers are not streamed"),
    ("extra_body", "put its fields into `extra` themselves"),
    ("extra_headers", "set the endpoint's `headers` instead"),
];

/// Whether `extra` must not contain a field of this name.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    place_of(name).is_some()
}

/// Why `extra` must not contain a field of this name, and where to set it instead; `None` if it may.
#[must_use]
pub fn refusal(name: &str) -> Option<String> {
    Some(format!("`{name}` cannot be set in `extra`: {}", place_of(name)?))
}

fn place_of(name: &str) -> Option<String> {
    let name = folded(name);
    let name = name.as_str();
    let parameter = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, own)| own);
    if let Some(parameter) = Parameter::parse(parameter) {
        return Some(format!("set `parameters.{}` instead", parameter.as_str()));
    }
    if COUNTS.contains(&name) {
        return Some("ask for repetitions with `repeats` instead".to_owned());
    }
    DECIDED.iter().find(|(field, _)| *field == name).map(|(_, place)| (*place).to_owned())
}

/// Servers written in Go ignore the case of field names, with Unicode's simple folding: `ſ` equals `s`.
fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_one_place() {
        for (field, place) in [
            ("max_tokens", "`parameters.max_tokens`"),
            ("max_completion_tokens", "`parameters.max_tokens`"),
            ("Max_Tokens", "`parameters.max_tokens`"),
            ("max_toKenſ", "`parameters.max_tokens`"),
            ("maxOutputTokens", "`parameters.max_tokens`"),
            ("n_predict", "`parameters.max_tokens`"),
            ("temperature", "`parameters.temperature`"),
            ("reasoning_effort", "`parameters.reasoning_effort`"),
            ("verbosity", "`parameters.verbosity`"),
            ("stop_sequences", "`parameters.stop`"),
            ("n", "`repeats`"),
            ("best_of", "`repeats`"),
            ("model", "the stage's `model`"),
            ("response_format", "`response_format`"),
            ("stream_options", "not streamed"),
        ] {
            let told = refusal(field).unwrap_or_default();
            assert!(told.contains(place), "{field}: {told:?}");
        }
    }

    #[test]
    fn fields_without_another_place_are_accepted() {
        for field in ["top_k", "min_p", "tools", "tool_choice", "reasoning", "thinking", "logit_bias", "user"]
        {
            assert_eq!(refusal(field), None, "{field}");
        }
    }
}
