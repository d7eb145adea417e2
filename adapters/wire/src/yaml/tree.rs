//! The nodes of a YAML document, with their places and notation.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span, Tag};

use super::merge::merged;
use super::scalar::Scalar;
use super::{Fault, Place, syntax};

/// The deepest nesting of lists and objects.
const MAX_DEPTH: usize = 128;

/// The most memory, in bytes, that aliases may expand to in total.
const MAX_ALIASED_BYTES: usize = 16 << 20;

/// About the bytes of memory of a node without its text.
const NODE_BYTES: usize = 64;

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) kind: Kind,
    /// About the bytes of memory that it takes.
    pub(super) size: usize,
}

/// The kind of a node.
#[derive(Debug)]
pub(super) enum Kind {
    Scalar(Scalar),
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
}

/// A name with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) at: Place,
    pub(super) node: Rc<Node>,
}

impl Node {
    pub(super) fn field(&self, name: &str) -> Option<&Rc<Self>> {
        let Kind::Map(entries) = &self.kind else { return None };
        entries.iter().find(|entry| entry.name == name).map(|entry| &entry.node)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Kind::Scalar(scalar) = &self.kind { Some(&scalar.text) } else { None }
    }
}

/// An open collection.
struct Open {
    at: Place,
    anchor: usize,
    size: usize,
    content: Content,
}

enum Content {
    List(Vec<Rc<Node>>),
    Map { entries: Vec<Entry>, lines: HashMap<String, usize>, name: Option<(String, Place)> },
}

/// Builds the tree of a text.
pub(super) fn build(text: &str) -> Result<Rc<Node>, Fault> {
    // Tabs and indentation are explained before the parser reports them at another place.
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| syntax::fault(text, &error))?;
        let at = place(span.start);
        builder.take(text, event, &span, at)?;
    }
    builder.root.ok_or_else(|| Fault::new(Place { line: 1, column: 1 }, "the file is empty"))
}

fn place(marker: Marker) -> Place {
    Place { line: marker.line(), column: marker.col() + 1 }
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    aliased: usize,
    documents: usize,
    root: Option<Rc<Node>>,
}

impl Builder {
    fn take(&mut self, text: &str, event: Event<'_>, span: &Span, at: Place) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let detail = "a second document begins here: keep one in the file, and no further `---`";
                    return Err(Fault::new(at, detail));
                }
                Ok(())
            }
            Event::Scalar(value, style, anchor, tag) => {
                let scalar = Scalar::tagged(&value, style == ScalarStyle::Plain, tag.as_deref());
                let scalar =
                    scalar.map_err(|detail| Fault::new(span.tag_start().map_or(at, place), detail))?;
                let size = NODE_BYTES + scalar.text.len();
                self.close(Node { at, kind: Kind::Scalar(scalar), size }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "seq", at)?;
                self.begin(at, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "map", at)?;
                self.refuse_braces(text, span, at)?;
                let content = Content::Map { entries: Vec::new(), lines: HashMap::new(), name: None };
                self.begin(at, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, at),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, at: Place, anchor: usize, content: Content) -> Result<(), Fault> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Fault::new(
                at,
                format!("lists and objects are nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        if self.awaits_name() {
            return Err(Fault::new(at, "a name is a text, not a list or an object"));
        }
        self.open.push(Open { at, anchor, size: NODE_BYTES, content });
        Ok(())
    }

    /// Refuses a template without quotes, which YAML reads as an object whose name is an object.
    fn refuse_braces(&self, text: &str, span: &Span, at: Place) -> Result<(), Fault> {
        let outer = self.open.last().filter(|_| self.awaits_name());
        let is_template =
            outer.is_some_and(|outer| outer.at.line == at.line && outer.at.column + 1 == at.column);
        match (is_template, outer) {
            (true, Some(outer)) if syntax::rest_of(text, span).starts_with('{') => {
                Err(Fault::new(outer.at, syntax::QUOTE_BRACES))
            }
            _ => Ok(()),
        }
    }

    fn awaits_name(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Map { name: None, .. }, .. }))
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(Open { at, anchor, size, content }) = self.open.pop() else { return Ok(()) };
        let kind = match content {
            Content::List(items) => Kind::List(items),
            Content::Map { entries, .. } => Kind::Map(merged(entries)?),
        };
        self.close(Node { at, kind, size }, anchor)
    }

    fn alias(&mut self, anchor: usize, at: Place) -> Result<(), Fault> {
        let Some(node) = self.anchors.get(&anchor).map(Rc::clone) else {
            return Err(Fault::new(at, "this alias stands inside what it repeats: write the value out"));
        };
        self.aliased = self.aliased.saturating_add(node.size);
        if self.aliased > MAX_ALIASED_BYTES {
            let detail = format!(
                "aliases repeat more than {} MiB up to here: write fewer of them",
                MAX_ALIASED_BYTES >> 20
            );
            return Err(Fault::new(at, detail));
        }
        self.put(node, at)
    }

    /// Adds a complete node to its parent.
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        let at = node.at;
        self.put(node, at)
    }

    fn put(&mut self, node: Rc<Node>, at: Place) -> Result<(), Fault> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.size = open.size.saturating_add(node.size);
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, lines, name } => match name.take() {
                Some((name, at)) => entries.push(Entry { name, at, node }),
                None => *name = Some(named(&node, at, lines)?),
            },
        }
        Ok(())
    }
}

/// The name in a node. It must be new in its object.
fn named(node: &Node, at: Place, lines: &mut HashMap<String, usize>) -> Result<(String, Place), Fault> {
    let Some(name) = node.text() else {
        return Err(Fault::new(at, "a name is a text, not a list or an object"));
    };
    // The parser returns `~` for a missing name.
    if ["", "~"].contains(&name) && matches!(&node.kind, Kind::Scalar(scalar) if scalar.plain) {
        return Err(Fault::new(at, "a name is missing before this `:`"));
    }
    if let Some(line) = lines.insert(name.to_owned(), at.line) {
        let detail = format!("the name `{name}` stands twice, first in line {line}: remove or rename one");
        return Err(Fault::new(at, detail));
    }
    Ok((name.to_owned(), at))
}

fn check_tag(tag: Option<&Tag>, known: &str, at: Place) -> Result<(), Fault> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema_tag(known) => {
            Err(Fault::new(at, super::scalar::unknown_tag(tag)))
        }
        _ => Ok(()),
    }
}
