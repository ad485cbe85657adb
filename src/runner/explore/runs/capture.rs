//! Keeps the standard output and the standard error of a run apart, up to a limit. Main type:
//! [`Captured`].

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::explore::run::Content;
use crate::runner::output::Echo;

/// What a run has written so far.
#[derive(Debug, Default)]
pub(super) struct Captured([Arc<Mutex<Content>>; 2]);

impl Captured {
    /// Returns the writers that get a copy of each stream.
    pub(super) fn echo(&self) -> Echo {
        let Self([out, err]) = self;
        [out, err].map(|stream| Box::new(Copy(Arc::clone(stream))) as Box<dyn Write + Send>)
    }

    /// Returns both streams. A process that is not traced may write on.
    pub(super) fn take(&self) -> [Content; 2] {
        let Self([out, err]) = self;
        [out, err].map(|stream| std::mem::take(&mut *stream.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// A writer that keeps what it gets.
struct Copy(Arc<Mutex<Content>>);

impl Write for Copy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_kept_apart() {
        let captured = Captured::default();
        let mut echo = captured.echo();
        for (stream, text) in [(0, "one"), (1, "two"), (0, "three")] {
            echo[stream].write_all(text.as_bytes()).expect("a write to memory");
        }
        assert_eq!(captured.take(), ["onethree", "two"].map(Content::from));
        assert_eq!(captured.take(), [Content::default(), Content::default()]);
    }
}
