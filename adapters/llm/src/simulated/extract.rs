//! Extracts fields from a text.

use domain::value::{Map, Value};

use super::dice::Dice;
use super::patterns;
use super::skill::Skill;

/// The object, in the form that the skill gives it.
pub(super) fn answer(keys: &[String], item: &str, skill: &Skill, dice: &mut Dice) -> String {
    let mut fields = Map::new();
    for key in keys {
        let found = value(key, item);
        // Half of the errors omit a field, the others misread it.
        let kept = if !dice.chance(skill.slip) {
            Some(found)
        } else if dice.chance(0.5) {
            None
        } else {
            Some(misread(found))
        };
        fields.extend(kept.map(|value| (key.clone(), value)));
    }
    let json = Value::Map(fields).canonical();
    if skill.thinks_aloud {
        return format!("Let us go through the text step by step. It gives the following.\n\n{json}");
    }
    if dice.chance(skill.chat) { chatty(&json, dice) } else { json }
}

fn chatty(json: &str, dice: &mut Dice) -> String {
    let forms = [format!("```json\n{json}\n```"), format!("Here is the JSON you asked for:\n{json}")];
    dice.pick(&forms).cloned().unwrap_or_default()
}

/// The value of a key in the text; null if nothing is found.
fn value(key: &str, item: &str) -> Value {
    let lower = key.to_lowercase();
    let about = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    if about(&["amount", "total", "price", "sum", "cost"]) {
        return patterns::amount(item).map_or(Value::Null, Value::number);
    }
    let line = patterns::line_value(item, key);
    let text = if about(&["email", "mail"]) {
        patterns::email(item)
    } else if about(&["date", "day", "due"]) {
        patterns::date(item)
    } else if about(&["currency"]) {
        patterns::currency(item)
    } else if line.is_some() {
        line
    } else if about(&["order", "number", "reference", "invoice"]) || lower.ends_with("id") {
        patterns::reference(item)
    } else if about(&["name", "customer", "person", "company", "vendor", "sender"]) {
        patterns::name(item)
    } else {
        None
    };
    text.map_or(Value::Null, Value::from)
}

/// A value as misread.
fn misread(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::from(format!("{number}")),
        Value::Text(text) => Value::from(text.split([' ', '-']).next().unwrap_or_default()),
        other => other,
    }
}
