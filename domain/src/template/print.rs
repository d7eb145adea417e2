//! Prints templates as text that parses to the same template, here and in other dialects of Jinja.

use super::ast::{Argument, Comparison, Expr, Kind, Node};
use super::value::float_text;

/// The text of a template. Texts whose braces would begin a tag are printed as values.
pub(super) fn text(nodes: &[Node]) -> String {
    let mut printer = Printer { out: String::new() };
    printer.nodes(nodes, true);
    printer.out
}

struct Printer {
    out: String,
}

impl Printer {
    /// Prints nodes. If `is_end`, nothing is printed after them.
    fn nodes(&mut self, nodes: &[Node], is_end: bool) {
        for (i, node) in nodes.iter().enumerate() {
            match node {
                Node::Text(text) => self.literally(text, is_end && i + 1 == nodes.len()),
                Node::Output(expr) => self.tag("{{ ", expr, " }}"),
                Node::If(branches) => self.branches(branches),
                Node::For { name, list, body } => {
                    self.tag(&format!("{{% for {name} in "), list, " %}");
                    self.nodes(body, false);
                    self.out.push_str("{% endfor %}");
                }
                Node::Set { name, value } => self.tag(&format!("{{% set {name} = "), value, " %}"),
            }
        }
    }

    fn branches(&mut self, branches: &[(Option<Expr>, Vec<Node>)]) {
        for (i, (condition, body)) in branches.iter().enumerate() {
            match condition {
                Some(condition) => {
                    self.tag(if i == 0 { "{% if " } else { "{% elif " }, condition, " %}");
                }
                None => self.out.push_str("{% else %}"),
            }
            self.nodes(body, false);
        }
        self.out.push_str("{% endif %}");
    }

    fn tag(&mut self, open: &str, expr: &Expr, close: &str) {
        self.out.push_str(open);
        self.expr(expr, Binding::Or);
        self.out.push_str(close);
    }

    /// Prints a text so that no part of it is read as a tag, whatever follows.
    fn literally(&mut self, text: &str, is_end: bool) {
        let mut rest = text;
        while let Some(at) = opening(rest, is_end) {
            let (plain, tag) = rest.split_at(at);
            let (open, behind) = tag.split_at(tag.len().min(2));
            self.out.extend([plain, "{{ \"", open, "\" }}"]);
            rest = behind;
        }
        self.out.push_str(rest);
    }

    fn expr(&mut self, expr: &Expr, least: Binding) {
        let in_brackets = Binding::of(expr) < least;
        self.out.push_str(if in_brackets { "(" } else { "" });
        self.kind(expr);
        self.out.push_str(if in_brackets { ")" } else { "" });
    }

    fn kind(&mut self, expr: &Expr) {
        match &expr.kind {
            Kind::None => self.out.push_str("none"),
            Kind::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Kind::Whole(whole) => self.out.push_str(&whole.to_string()),
            Kind::Float(float) => self.out.push_str(&float_text(*float)),
            Kind::Text(text) => self.quoted(text),
            Kind::List(items) => {
                self.out.push('[');
                self.listed(items, |printer, item| printer.expr(item, Binding::Or));
                self.out.push(']');
            }
            Kind::Name(name) => self.out.push_str(name),
            Kind::Field(of, field) => {
                self.expr(of, Binding::Postfix);
                self.out.extend([".", field]);
            }
            Kind::Index(of, index) => {
                self.expr(of, Binding::Postfix);
                self.out.push('[');
                self.expr(index, Binding::Or);
                self.out.push(']');
            }
            Kind::Not(of) => {
                self.out.push_str("not ");
                self.expr(of, Binding::Not);
            }
            Kind::And(left, right) => self.infix((left, Binding::And), "and", (right, Binding::Not)),
            Kind::Or(left, right) => self.infix((left, Binding::Or), "or", (right, Binding::And)),
            Kind::Compare(comparison, left, right) => {
                self.infix((left, Binding::Filter), sign(*comparison), (right, Binding::Filter));
            }
            Kind::In(item, of) => self.infix((item, Binding::Filter), "in", (of, Binding::Filter)),
            Kind::Defined(of) => {
                self.expr(of, Binding::Postfix);
                self.out.push_str(" is defined");
            }
            Kind::Filter(filter, of, arguments) => self.filter(filter.word(), of, arguments),
        }
    }

    /// Prints both sides, in brackets if they bind less tightly than needed.
    fn infix(&mut self, left: (&Expr, Binding), sign: &str, right: (&Expr, Binding)) {
        self.expr(left.0, left.1);
        self.out.extend([" ", sign, " "]);
        self.expr(right.0, right.1);
    }

    fn filter(&mut self, word: &str, of: &Expr, arguments: &[Argument]) {
        // Dialects differ in the precedence of tests and signs before filters.
        let is_filter = matches!(of.kind, Kind::Filter(..));
        self.expr(of, if is_filter { Binding::Filter } else { Binding::Postfix });
        self.out.extend([" | ", word]);
        if !arguments.is_empty() {
            self.out.push('(');
            self.listed(arguments, |printer, argument| {
                if let Some(name) = &argument.name {
                    printer.out.extend([name, "="]);
                }
                printer.expr(&argument.value, Binding::Or);
            });
            self.out.push(')');
        }
    }

    fn listed<T>(&mut self, items: &[T], print: impl Fn(&mut Self, &T)) {
        for (i, item) in items.iter().enumerate() {
            self.out.push_str(if i > 0 { ", " } else { "" });
            print(self, item);
        }
    }

    fn quoted(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

/// The place where the braces of a text would begin a tag, or end in half of one.
fn opening(text: &str, is_end: bool) -> Option<usize> {
    let begins = |(at, _): &(usize, &str)| {
        let behind = &text[at + 1..];
        behind.starts_with(['{', '%', '#']) || behind.is_empty() && !is_end
    };
    text.match_indices('{').find(begins).map(|(at, _)| at)
}

const fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

/// The precedence of an expression, from loose to tight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
    Comparison,
    Filter,
    Postfix,
}

impl Binding {
    fn of(expr: &Expr) -> Self {
        match &expr.kind {
            Kind::Or(..) => Self::Or,
            Kind::And(..) => Self::And,
            Kind::Not(_) => Self::Not,
            Kind::Compare(..) | Kind::In(..) => Self::Comparison,
            Kind::Defined(_) | Kind::Filter(..) => Self::Filter,
            // A number needs brackets if something follows: dialects read `-1 | f` and `1.x` differently.
            Kind::Whole(_) | Kind::Float(_) => Self::Filter,
            Kind::None
            | Kind::Bool(_)
            | Kind::Text(_)
            | Kind::List(_)
            | Kind::Name(_)
            | Kind::Field(..)
            | Kind::Index(..) => Self::Postfix,
        }
    }
}
