//! XML feeds: each `item`, `entry` or `product` is a record. Attributes are fields with an `@` in front, children are
//! fields by their names without a namespace, several of one name are a list.

use super::{Input, MAX_RECORD_BYTES, Record};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use serde_json::{Map, Value};
use std::io;

/// Elements that hold one product each, in the feeds there are.
const ITEMS: [&str; 6] = ["item", "entry", "product", "offer", "article", "shopitem"];
/// An element inside more others than this is left out.
const DEEPEST: usize = 32;

pub(super) struct Items {
    reader: Reader<Lines>,
    done: bool,
}

/// Counts the lines that were read.
struct Lines {
    input: Input,
    line: u64,
}

impl io::Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }
}

impl io::BufRead for Lines {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What is consumed stands in the buffer, so that asking for it again does not read.
        if let Ok(buffer) = self.input.fill_buf() {
            self.line += buffer.iter().take(amount).filter(|byte| **byte == b'\n').count() as u64;
        }
        self.input.consume(amount);
    }
}

/// An element that is open.
#[derive(Default)]
struct Open {
    name: String,
    fields: Map<String, Value>,
    text: String,
}

impl Open {
    fn begin(element: &BytesStart<'_>) -> Self {
        let mut fields = Map::new();
        for attribute in element.attributes().with_checks(false).flatten() {
            let name = format!("@{}", local(attribute.key.as_ref()));
            fields.insert(name, Value::String(decoded(&attribute.value)));
        }
        Self { name: local(element.name().as_ref()), fields, text: String::new() }
    }

    fn value(self) -> Value {
        let mut fields = self.fields;
        if fields.is_empty() {
            return Value::String(self.text);
        }
        if !self.text.trim().is_empty() {
            fields.insert("#text".to_owned(), Value::String(self.text));
        }
        Value::Object(fields)
    }

    /// Takes in a child; the second of a name makes a list.
    fn child(&mut self, name: String, value: Value) {
        match self.fields.get_mut(&name) {
            None => {
                self.fields.insert(name, value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
}

fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

fn decoded(text: &str) -> String {
    htmlize::unescape(text).into_owned()
}

impl Items {
    pub(super) fn new(input: Input) -> Self {
        let mut reader = Reader::from_reader(Lines { input, line: 1 });
        reader.config_mut().check_end_names = false;
        Self { reader, done: false }
    }

    fn next_item(&mut self) -> Option<io::Result<Record>> {
        let mut open: Vec<Open> = Vec::new();
        let (mut line, mut bytes, mut buffer) = (0, 0, Vec::new());
        while !self.done {
            buffer.clear();
            let event = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => event,
                Err(quick_xml::Error::Io(error)) => {
                    self.done = true;
                    return Some(Err(io::Error::new(error.kind(), error.to_string())));
                }
                Err(error) => {
                    // What stands after a mark that is none can't be told apart any more.
                    self.done = true;
                    let reason = format!("the XML ends here, since it can't be read: {error}");
                    return Some(Ok(Record::bad(self.reader.get_ref().line, b"", reason)));
                }
            };
            bytes += event.len();
            match event {
                Event::Start(element) if !open.is_empty() || is_item(&element) => {
                    if open.is_empty() {
                        (line, bytes) = (self.reader.get_ref().line, element.len());
                    }
                    open.push(Open::begin(&element));
                }
                Event::Empty(element) if !open.is_empty() || is_item(&element) => {
                    let element = Open::begin(&element);
                    match open.last_mut() {
                        Some(parent) => parent.child(element.name.clone(), element.value()),
                        None => return Some(Ok(record(self.reader.get_ref().line, element))),
                    }
                }
                Event::End(_) => {
                    let Some(element) = open.pop() else { continue };
                    let Some(depth) = open.len().checked_sub(1) else {
                        if bytes > MAX_RECORD_BYTES {
                            let reason = format!("it is longer than {MAX_RECORD_BYTES} bytes");
                            return Some(Ok(Record::bad(line, element.name.as_bytes(), reason)));
                        }
                        return Some(Ok(record(line, element)));
                    };
                    if depth < DEEPEST {
                        open[depth].child(element.name.clone(), element.value());
                    }
                }
                Event::Eof => {
                    self.done = true;
                    let begun = open.into_iter().next()?;
                    return Some(Ok(Record::bad(line, begun.name.as_bytes(), "the XML ends inside this element")));
                }
                other => take_text(open.last_mut().filter(|_| bytes <= MAX_RECORD_BYTES), &other),
            }
        }
        None
    }
}

fn is_item(element: &BytesStart<'_>) -> bool {
    let name = local(element.name().as_ref()).to_ascii_lowercase();
    ITEMS.contains(&name.as_str())
}

fn take_text(open: Option<&mut Open>, event: &Event<'_>) {
    let Some(open) = open else { return };
    match event {
        Event::Text(text) => open.text.push_str(text),
        Event::CData(text) => open.text.push_str(text),
        // An entity comes as an event of its own.
        Event::GeneralRef(entity) => open.text.push_str(&decoded(&format!("&{};", &**entity))),
        _ => {}
    }
}

fn record(line: u64, element: Open) -> Record {
    let original = Value::Object(element.fields.clone()).to_string();
    Record::new(line, original, Ok(element.fields))
}

impl Iterator for Items {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_item()
    }
}
