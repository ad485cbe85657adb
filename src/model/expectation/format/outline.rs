//! The structure of a file and the place of every node: [`outline`], by the event parser of
//! `saphyr-parser`.
//!
//! It refuses YAML features that expectations do not use: anchors, aliases, tags, duplicate keys
//! and deep nesting. It must not know the meaning of keys.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::malformed::{Fault, TextPosition};

/// The deepest nesting of lists and maps.
const MAX_DEPTH: usize = 64;

/// The most documents in a file: far more than there are platforms.
const MAX_DOCUMENTS: usize = 256;

const ALIAS: &str = "aliases are not supported: write the value itself";

/// One document of a stream.
#[derive(Debug)]
pub(super) struct Outline {
    /// The lines of the document, counted from 0. Comments before a `---` belong to the document
    /// above.
    pub(super) lines: Range<usize>,
    /// Its top-level value.
    pub(super) root: Node,
}

/// A value and its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: TextPosition,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// Any other scalar; its reader decides on the type.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) place: TextPosition,
    pub(super) name: String,
}

impl Node {
    /// Returns the pairs of a map, and nothing for other values.
    pub(super) fn pairs(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(pairs) => pairs,
            _ => &[],
        }
    }

    /// Returns the items of a list, and nothing for other values.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Returns the pair with this key.
    pub(super) fn get(&self, name: &str) -> Option<(&Key, &Self)> {
        self.pairs().iter().find(|(key, _)| key.name == name).map(|(key, node)| (key, node))
    }

    /// Returns the text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
}

/// Returns every document of the text in order. A text without documents gives one null document.
pub(super) fn outline(text: &str) -> Result<Vec<Outline>, Fault> {
    let mut reader = Reader { text, parser: Parser::new_from_str(text) };
    let mut documents: Vec<Outline> = Vec::new();
    let lines = text.lines().count();
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(explicit) => {
                let (event, first) = reader.next()?;
                let root = reader.node(event, first, 0)?;
                if documents.len() == MAX_DOCUMENTS {
                    return Err(Fault::new(
                        place(span),
                        format!("more than {MAX_DOCUMENTS} documents: keep one baseline for each platform"),
                    ));
                }
                let start = start_of_document(text, span, explicit, documents.last_mut())?;
                documents.push(Outline { lines: start..lines, root });
            }
            _ => {}
        }
    }
    if documents.is_empty() {
        documents.push(Outline { lines: 0..lines, root: Node { place: TextPosition::START, value: Value::Null } });
    }
    Ok(documents)
}

/// Returns the first line of a document, counted from 0, and ends the previous document there.
fn start_of_document(text: &str, span: Span, explicit: bool, before: Option<&mut Outline>) -> Result<usize, Fault> {
    let Some(before) = before else { return Ok(0) };
    let place = place(span);
    let start = place.line - 1;
    // Both parsers must find the same documents. A stream is therefore split only at lines that
    // start with `---`.
    if !explicit || !text.lines().nth(start).is_some_and(|line| line.starts_with("---")) {
        return Err(Fault::new(place, "text after the end of a document: start the next document with a line `---`"));
    }
    before.lines.end = start;
    Ok(start)
}

struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Fault> {
        match self.parser.next_event() {
            Some(next) => next.map_err(|error| syntax(self.text, &error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// Reads the node that begins with this event.
    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Fault> {
        let place = place(span);
        refuse_unsupported(&event, place)?;
        if depth > MAX_DEPTH {
            return Err(too_deep(place));
        }
        let value = match event {
            Event::Scalar(text, style, ..) => scalar(&text, style, place)?,
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.map(depth)?,
            _ => Value::Null,
        };
        Ok(Node { place, value })
    }

    fn list(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::StreamEnd) {
                return Ok(Value::List(items));
            }
            let item = self.node(event, span, depth + 1)?;
            if item.is_null() {
                return Err(Fault::new(item.place, "empty list item: quote it if it is text, or remove it"));
            }
            items.push(item);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut pairs = Vec::new();
        let mut lines: HashMap<String, usize> = HashMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                return Ok(Value::Map(pairs));
            }
            let key = self.node(event, span, depth + 1)?;
            let Value::Scalar(name) = key.value else {
                return Err(Fault::new(key.place, "a key must be text: put it in quotes"));
            };
            if let Some(line) = lines.insert(name.clone(), key.place.line) {
                return Err(Fault::new(
                    key.place,
                    format!("duplicate key `{name}` (first on line {line}): remove one of them"),
                ));
            }
            let (event, span) = self.next()?;
            pairs.push((Key { place: key.place, name }, self.node(event, span, depth + 1)?));
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, place: TextPosition) -> Result<Value, Fault> {
    if text.contains('\0') {
        return Err(Fault::new(place, "NUL character: remove it, no program argument can hold it"));
    }
    if style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Ok(Value::Null);
    }
    Ok(Value::Scalar(text.to_owned()))
}

fn refuse_unsupported(event: &Event<'_>, place: TextPosition) -> Result<(), Fault> {
    let (anchor, tag) = match event {
        Event::Alias(_) => return Err(Fault::new(place, ALIAS)),
        Event::Scalar(_, _, anchor, tag) | Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
            (*anchor != 0, tag.is_some())
        }
        _ => (false, false),
    };
    if anchor {
        return Err(Fault::new(place, "anchors are not supported: repeat the value instead"));
    }
    if tag {
        return Err(Fault::new(place, "tags are not supported: remove it"));
    }
    Ok(())
}

fn place(span: Span) -> TextPosition {
    TextPosition { line: span.start.line().max(1), column: span.start.col() + 1 }
}

/// Returns the parser's message, or a better one for tabs and aliases.
fn syntax(text: &str, error: &ScanError) -> Fault {
    let marker = error.marker();
    let place = TextPosition { line: marker.line().max(1), column: marker.col() + 1 };
    if let Some(place) = indenting_tab(text, place.line) {
        return Fault::new(place, "tab in the indentation: use spaces");
    }
    let at_fault = text.lines().nth(place.line - 1).and_then(|line| line.chars().nth(marker.col()));
    if at_fault == Some('*') {
        return Fault::new(place, ALIAS);
    }
    match error.info() {
        // The parser has its own limit for look-ahead.
        "recursion limit exceeded" => too_deep(place),
        info => Fault::new(place, format!("invalid YAML: {info}")),
    }
}

fn too_deep(place: TextPosition) -> Fault {
    Fault::new(place, format!("nested deeper than {MAX_DEPTH} levels: use fewer levels"))
}

/// Finds a tab in the indentation of this line or the next; the parser may stop at either.
fn indenting_tab(text: &str, line: usize) -> Option<TextPosition> {
    let mut lines = text.lines().enumerate().skip(line - 1).take(2);
    lines.find_map(|(index, line)| {
        let spaces = line.chars().take_while(|&character| character == ' ').count();
        line[spaces..].starts_with('\t').then_some(TextPosition { line: index + 1, column: spaces + 1 })
    })
}
