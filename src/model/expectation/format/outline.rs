//! The shape of a file and the place of everything in it: [`outline`], by the event parser of
//! `saphyr-parser`.
//!
//! It refuses what no expectation may hold (anchors, aliases, tags, duplicate keys, deep nesting).
//! It must not know what keys mean.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::malformed::{Fault, Place};

/// How deep lists and maps may nest.
const MAX_DEPTH: usize = 64;

/// How many documents a file may hold: far more than there are platforms.
const MAX_DOCUMENTS: usize = 256;

const ALIAS: &str = "an alias: write the value itself";

/// One document of a stream.
#[derive(Debug)]
pub(super) struct Outline {
    /// The lines that belong to it, counted from 0; comments before a `---` belong to the document
    /// above.
    pub(super) lines: Range<usize>,
    /// Its content.
    pub(super) root: Node,
}

/// A value and its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// Any other scalar: which type it is, is up to its reader.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) name: String,
}

impl Node {
    /// The pairs of a map; none of anything else.
    pub(super) fn pairs(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(pairs) => pairs,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The pair of this name.
    pub(super) fn get(&self, name: &str) -> Option<(&Key, &Self)> {
        self.pairs().iter().find(|(key, _)| key.name == name).map(|(key, node)| (key, node))
    }

    /// The text of a scalar.
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

/// Every document of the text, in its order. A text without any is one document that is null.
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
                        format!("more than {MAX_DOCUMENTS} documents: there is one a platform"),
                    ));
                }
                let start = start_of_document(text, span, explicit, documents.last_mut())?;
                documents.push(Outline { lines: start..lines, root });
            }
            _ => {}
        }
    }
    if documents.is_empty() {
        documents.push(Outline { lines: 0..lines, root: Node { place: Place::START, value: Value::Null } });
    }
    Ok(documents)
}

/// The first line of a document, counted from 0; the document before it ends there.
fn start_of_document(text: &str, span: Span, explicit: bool, before: Option<&mut Outline>) -> Result<usize, Fault> {
    let Some(before) = before else { return Ok(0) };
    let place = place(span);
    let start = place.line - 1;
    // Both parsers must find the same documents: a stream is cut where a line starts with the mark
    // and nowhere else.
    if !explicit || !text.lines().nth(start).is_some_and(|line| line.starts_with("---")) {
        return Err(Fault::new(place, "a further document starts with a line `---`"));
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

    /// The node that begins with this event.
    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Fault> {
        let place = place(span);
        refuse_decoration(&event, place)?;
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
                return Err(Fault::new(item.place, "an empty item: put it in quotes if it is text, else remove it"));
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
                return Err(Fault::new(key.place, "a key must be a word: put it in quotes if it is meant as text"));
            };
            if let Some(line) = lines.insert(name.clone(), key.place.line) {
                return Err(Fault::new(key.place, format!("duplicate key `{name}`: it is on line {line} already")));
            }
            let (event, span) = self.next()?;
            pairs.push((Key { place: key.place, name }, self.node(event, span, depth + 1)?));
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, place: Place) -> Result<Value, Fault> {
    if text.contains('\0') {
        return Err(Fault::new(place, "a NUL character cannot be passed to a program"));
    }
    if style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Ok(Value::Null);
    }
    Ok(Value::Scalar(text.to_owned()))
}

fn refuse_decoration(event: &Event<'_>, place: Place) -> Result<(), Fault> {
    let (anchor, tag) = match event {
        Event::Alias(_) => return Err(Fault::new(place, ALIAS)),
        Event::Scalar(_, _, anchor, tag) | Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
            (*anchor != 0, tag.is_some())
        }
        _ => (false, false),
    };
    if anchor {
        return Err(Fault::new(place, "an anchor: write the value wherever it is needed"));
    }
    if tag {
        return Err(Fault::new(place, "a tag: remove it, types are known from the keys"));
    }
    Ok(())
}

fn place(span: Span) -> Place {
    Place { line: span.start.line().max(1), column: span.start.col() + 1 }
}

/// The parser's own words, but for two slips that it tells badly.
fn syntax(text: &str, error: &ScanError) -> Fault {
    let marker = error.marker();
    let place = Place { line: marker.line().max(1), column: marker.col() + 1 };
    if let Some(place) = indenting_tab(text, place.line) {
        return Fault::new(place, "a tab cannot indent: use spaces");
    }
    let at_fault = text.lines().nth(place.line - 1).and_then(|line| line.chars().nth(marker.col()));
    if at_fault == Some('*') {
        return Fault::new(place, ALIAS);
    }
    match error.info() {
        // It has a limit of its own for what it must look ahead.
        "recursion limit exceeded" => too_deep(place),
        info => Fault::new(place, format!("not YAML: {info}")),
    }
}

fn too_deep(place: Place) -> Fault {
    Fault::new(place, format!("nested deeper than {MAX_DEPTH}"))
}

/// A tab in the indentation of a line or of the next one: the parser stops at either.
fn indenting_tab(text: &str, line: usize) -> Option<Place> {
    let mut lines = text.lines().enumerate().skip(line - 1).take(2);
    lines.find_map(|(index, line)| {
        let spaces = line.chars().take_while(|&character| character == ' ').count();
        line[spaces..].starts_with('\t').then_some(Place { line: index + 1, column: spaces + 1 })
    })
}
