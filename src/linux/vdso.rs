//! Finds memory in a tracee that none of its tasks writes: the end of the last page of its vDSO.
//! Main function: [`spare`].
//!
//! The kernel maps the vDSO without write permission and fills its last page up with zeroes. A
//! tracer may write there, as debuggers do for breakpoints: the process then gets its own copy of
//! the page.

use std::ops::Range;

use object::elf::ELFCLASS32;

use super::uapi::AT_SYSINFO_EHDR;
use super::{memory, sys};
use crate::model::kernel::call::Tid;

const PAGE: u64 = 4096;

/// Returns the spare bytes after the vDSO's image. `None`: the task has no vDSO, or has moved it.
pub(super) fn spare(task: Tid) -> Option<Range<u64>> {
    let vector = sys::read_proc(&format!("/proc/{task}/auxv"));
    // "The address of a page containing the virtual Dynamic Shared Object", getauxval(3).
    let base = auxiliary(&vector, AT_SYSINFO_EHDR)?;
    let mut header = [0; 64];
    let length = memory::read(task, base, &mut header).ok()?;
    let image = image_length(header.get(..length)?)?;
    let end = base.checked_add(image)?;
    Some(end.checked_next_multiple_of(16)?..end.checked_next_multiple_of(PAGE)?)
}

/// Returns the value of this type in an auxiliary vector of 64-bit or 32-bit words.
fn auxiliary(vector: &[u8], wanted: u64) -> Option<u64> {
    let long = |bytes: &[u8]| bytes.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
    let short = |bytes: &[u8]| bytes.first_chunk().map(|bytes| u64::from(u32::from_ne_bytes(*bytes)));
    // A 32-bit vector read as 64-bit words has types that no vector contains.
    let mut longs = vector.chunks_exact(16).map_while(|entry| Some((long(entry)?, long(&entry[8..])?)));
    if let Some((_, value)) = longs.find(|(kind, _)| *kind == wanted) {
        return Some(value);
    }
    let mut shorts = vector.chunks_exact(8).map_while(|entry| Some((short(entry)?, short(&entry[4..])?)));
    shorts.find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}

/// Returns the length of an ELF image that ends with its section headers: elf(5), `e_shoff`,
/// `e_shentsize` and `e_shnum`.
fn image_length(header: &[u8]) -> Option<u64> {
    let short = |at: usize| header.get(at..)?.first_chunk().map(|bytes| u64::from(u16::from_ne_bytes(*bytes)));
    if !header.starts_with(b"\x7fELF") {
        return None;
    }
    let (offset, size, count) = if header.get(4) == Some(&ELFCLASS32) {
        let offset = header.get(32..)?.first_chunk().map(|bytes| u64::from(u32::from_ne_bytes(*bytes)))?;
        (offset, short(46)?, short(48)?)
    } else {
        let offset = header.get(40..)?.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))?;
        (offset, short(58)?, short(60)?)
    };
    // Without section headers the end of the image is unknown.
    let length = offset.checked_add(size * count)?;
    (offset > 0 && count > 0).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_vdso_ends_with_zeroes() {
        let spare = spare(sys::gettid()).expect("a vDSO");
        let mut bytes = vec![1; usize::try_from(spare.end - spare.start).expect("less than a page")];
        assert_eq!(memory::read(sys::gettid(), spare.start, &mut bytes), Ok(bytes.len()));
        assert!(bytes.iter().all(|byte| *byte == 0) && bytes.len() < 4096);
    }

    #[test]
    fn vectors_of_both_word_sizes_are_read() {
        let longs: Vec<u8> =
            [16_u64, 7, 33, 0x7ffd_0000_1000, 0, 0].iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert_eq!(auxiliary(&longs, 33), Some(0x7ffd_0000_1000));
        let shorts: Vec<u8> = [16_u32, 7, 33, 0xf7f0_1000, 0, 0].iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert_eq!(auxiliary(&shorts, 33), Some(0xf7f0_1000));
        assert_eq!((auxiliary(&longs, 5), auxiliary(&[], 33)), (None, None));
    }

    #[test]
    fn invalid_image_has_no_length() {
        let magic = b"\x7fELF\x02".as_slice();
        for header in [&b""[..], &[0; 64], b"\x7fELF", &[magic, &[0; 59]].concat(), &[magic, &[0xff; 59]].concat()] {
            assert_eq!(image_length(header), None);
        }
    }
}
