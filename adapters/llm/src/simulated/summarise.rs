//! Summarizes a text by picking sentences.

use std::collections::HashMap;

use domain::call::ChatCall;

use super::dice::Dice;
use super::embedding::EmbeddingModel;
use super::skill::Skill;
use super::words;

/// The maximum length of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    sentences: usize,
    words: Option<usize>,
}

impl Limit {
    /// The length that the prompt asks for; three sentences by default.
    pub(super) fn of(call: &ChatCall) -> Self {
        let text: String = call.messages.iter().map(|message| message.content.to_lowercase() + " ").collect();
        let said: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let before = |unit: [&str; 2]| {
            said.windows(2).find(|pair| unit.contains(&pair[1])).and_then(|pair| words::count(pair[0]))
        };
        Self { sentences: before(["sentence", "sentences"]).unwrap_or(3), words: before(["words", "word"]) }
    }
}

/// A summary with this skill; with a question, of what the text says about it.
pub(super) fn answer(
    limit: Limit,
    (item, question): (&str, Option<&str>),
    skill: &Skill,
    dice: &mut Dice,
) -> String {
    let sentences = sentences(item);
    let mut ranked = ranked(&sentences, question);
    if dice.chance(skill.slip) {
        // An error: the most important fact is missed.
        ranked.reverse();
    }
    ranked.truncate(limit.sentences);
    ranked.sort_unstable();
    let summary = ranked.iter().map(|at| sentences[*at]).collect::<Vec<_>>().join(" ");
    let framed = frame(summary, skill, dice);
    if let Some(most) = limit.words { first_words(&framed, most) } else { framed }
}

fn frame(summary: String, skill: &Skill, dice: &mut Dice) -> String {
    if skill.thinks_aloud {
        return format!("Let us go through the text step by step. Its main points come to this: {summary}");
    }
    if !dice.chance(skill.chat) {
        return summary;
    }
    let forms = [
        format!("Here is a summary of the text: {summary}"),
        format!("In this text, several things are discussed. {summary}"),
        format!("{summary} Overall, this is worth noting."),
    ];
    dice.pick(&forms).cloned().unwrap_or_default()
}

fn first_words(text: &str, most: usize) -> String {
    text.split_whitespace().take(most).collect::<Vec<_>>().join(" ")
}

fn sentences(text: &str) -> Vec<&str> {
    let ends = |c: char| matches!(c, '.' | '!' | '?' | '\n');
    let mut sentences = Vec::new();
    let mut rest = text.trim();
    while let Some(end) = sentence_end(rest, ends) {
        sentences.push(rest[..end].trim());
        rest = rest[end..].trim_start();
    }
    sentences.push(rest);
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

/// The place after the first mark that ends a sentence, if white space follows.
fn sentence_end(text: &str, ends: impl Fn(char) -> bool) -> Option<usize> {
    let marks = text.char_indices().filter(|(_, c)| ends(*c)).map(|(at, c)| at + c.len_utf8());
    marks.into_iter().find(|at| text[*at..].starts_with(char::is_whitespace) || text[..*at].ends_with('\n'))
}

/// The sentences by salience: the frequency of their words in the text, with a bonus for numbers and for the first
/// sentence, and for being about the question.
fn ranked(sentences: &[&str], question: Option<&str>) -> Vec<usize> {
    let question = question.and_then(|question| EmbeddingModel::Full.embed(question));
    let about = |sentence: &str| Some(EmbeddingModel::Full.embed(sentence)?.cosine(question.as_ref()?));
    let mut frequency: HashMap<String, f64> = HashMap::new();
    for word in sentences.iter().flat_map(|sentence| words::of(sentence)).filter(|word| word.len() > 3) {
        *frequency.entry(word).or_default() += 1.0;
    }
    let salience = |at: usize| {
        let known: Vec<f64> =
            words::of(sentences[at]).filter_map(|word| frequency.get(&word).copied()).collect();
        let mean = known.iter().sum::<f64>() / (known.len() as f64 + 3.0);
        let figures = if sentences[at].contains(|c: char| c.is_ascii_digit()) { 0.4 } else { 0.0 };
        mean + figures + 4.0 * about(sentences[at]).unwrap_or(0.0) + if at == 0 { 0.5 } else { 0.0 }
    };
    let mut ranked: Vec<(usize, f64)> = (0..sentences.len()).map(|at| (at, salience(at))).collect();
    ranked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    ranked.into_iter().map(|(at, _)| at).collect()
}
