//! Maps files to read them. Main function: [`map_file`].

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// The bytes of a mapped file.
pub(in crate::linux) type MappedFile = Mmap;

/// Maps a program or library for reading.
pub(in crate::linux) fn map_file(file: &File) -> io::Result<MappedFile> {
    // SAFETY: all bytes are untrusted input to readers that check every offset. If the file is
    // truncated meanwhile, reading raises SIGBUS; its own process then ends the same way.
    unsafe { Mmap::map(file) }
}
