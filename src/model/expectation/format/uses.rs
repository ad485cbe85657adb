//! How version 2 writes the uses of a syscall: one line each, `ARGUMENT OBJECT`, or one part alone.
//! [`read`] and [`line`] are inverse to each other.
//!
//! A part that could be misread is written as a map: `{argument: pipe}`.

use crate::model::attribution::{ObjectClass, ObjectKind};
use crate::model::facts::fact::{Detail, Pair};

/// Returns the use that a line names, without the blanks around it: an argument, an object or both.
pub(super) fn read(line: &str) -> Option<Detail> {
    match line.split_once(' ') {
        None if is_object(line) => Some(Detail::Object(line.into())),
        None => (!line.is_empty()).then(|| Detail::Argument(line.to_owned())),
        Some((argument, object)) => {
            let pair = Pair { argument: argument.to_owned(), object: object.into() };
            (!argument.is_empty() && !object.is_empty() && !object.contains(' ')).then_some(Detail::Pair(pair))
        }
    }
}

/// Returns the line for a use, unless only a map can hold it.
pub(super) fn line(used: &Detail) -> Option<String> {
    let line = used.value().into_owned();
    (read(&line).as_ref() == Some(used)).then_some(line)
}

/// Returns whether a word alone names an object. Other kinds of objects are written as a map.
fn is_object(word: &str) -> bool {
    !matches!(ObjectKind::new(word).class(), ObjectClass::Other(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_read_back_as_its_use() {
        let pair = |argument: &str, object: &str| Detail::of_use(Some(argument.to_owned()), Some(object.into()));
        let argument = |text: &str| Detail::of_use(Some(text.to_owned()), None);
        let object = |text: &str| Detail::of_use(None, Some(text.into()));
        for (used, written) in [
            (pair("AF_INET", "socket:AF_INET:SOCK_STREAM"), Some("AF_INET socket:AF_INET:SOCK_STREAM")),
            (pair("pipe", "file"), Some("pipe file")),
            (pair("F", "secretmem"), Some("F secretmem")),
            (argument("F_GETFD"), Some("F_GETFD")),
            (object("file:proc"), Some("file:proc")),
            (object("dir"), Some("dir")),
            (argument("pipe"), None),
            (argument("file:x"), None),
            (argument("a b"), None),
            (argument(" a"), None),
            (object("secretmem"), None),
            (pair("a b", "file"), None),
            (pair("a", "file:b c"), None),
        ] {
            let used = used.expect("a use");
            assert_eq!(line(&used).as_deref(), written, "{used}");
            if let Some(written) = written {
                assert_eq!(read(written), Some(used));
            }
        }
        for text in ["", "a  file", "a file b", " a", "a "] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
