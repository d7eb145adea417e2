//! Selects the label that fits a text.

use super::dice::Dice;
use super::lexicon::LEXICON;
use super::skill::Skill;
use super::words;

/// The label, in the form that the skill gives it.
pub(super) fn answer(labels: &[String], item: &str, skill: &Skill, dice: &mut Dice) -> String {
    let ranked = ranked(labels, item);
    let slipped = dice.chance(skill.slip);
    // A wrong answer is most often the second best label.
    let wrong = if dice.chance(0.7) { ranked.get(1) } else { dice.pick(ranked.get(1..).unwrap_or_default()) };
    let label = if slipped { wrong } else { ranked.first() }.copied().unwrap_or_default();
    if skill.thinks_aloud {
        return thoughts(label, item);
    }
    if dice.chance(skill.chat) { chatty(label, dice) } else { label.to_owned() }
}

/// The labels, best match first. Without any match, a catch-all label comes first, or one that depends on the text.
fn ranked<'a>(labels: &'a [String], item: &str) -> Vec<&'a str> {
    let said: Vec<String> = words::of(item).collect();
    let mut scored: Vec<(f64, &str)> = labels
        .iter()
        .map(|label| (evidence(label, &said) + 0.5 * Dice::of(item, label).unit(), label.as_str()))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().map(|(_, label)| label).collect()
}

fn evidence(label: &str, said: &[String]) -> f64 {
    let parts: Vec<String> = words::of(&label.replace(['_', '-'], " ")).collect();
    if parts.iter().any(|part| matches!(part.as_str(), "other" | "general" | "none" | "misc")) {
        return 0.6;
    }
    let count = |wanted: &dyn Fn(&str) -> bool| said.iter().filter(|word| wanted(word)).count() as f64;
    let named = count(&|word| parts.iter().any(|part| words::akin(part, word)));
    let entries = LEXICON
        .iter()
        .filter(|(names, _)| names.iter().any(|name| parts.iter().any(|part| words::akin(part, name))));
    let implied: f64 = entries.map(|(_, keywords)| count(&|word| keywords.contains(&word))).sum();
    1.5 * named + implied
}

fn chatty(label: &str, dice: &mut Dice) -> String {
    let forms = [
        format!("The label is: {label}."),
        format!("**{label}**"),
        format!("Label: {label}"),
        format!("This looks like a {label} message, so I would choose \"{label}\"."),
        format!("{label}\n\nLet me know if you need anything else!"),
    ];
    dice.pick(&forms).cloned().unwrap_or_default()
}

fn thoughts(label: &str, item: &str) -> String {
    let quote: Vec<&str> = item.split_whitespace().take(8).collect();
    format!(
        "Let us go through it step by step.\n1. The message says \"{}\".\n2. The closest label for that is {label}.\n\nAnswer: {label}",
        quote.join(" ")
    )
}
