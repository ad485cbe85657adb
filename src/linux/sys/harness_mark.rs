//! The ELF section that tells programs that run [`mark_harness`] apart.
//!
//! The linker keeps the section only where the function is kept, and strip(1) leaves it: the loader
//! maps it.

/// The section's name. It begins with a dot, so that no linker keeps it for a symbol of its own
/// making.
pub(in crate::linux) const SECTION: &str = ".sysguard.harness";

// SAFETY: a section of its own holds bytes that only `mark_harness` refers to; "Sections", gABI.
#[unsafe(link_section = ".sysguard.harness")]
static MARK: [u8; 16] = *b"sysguard harness";

/// Puts the section into the program that calls it; does nothing else.
pub fn mark_harness() {
    std::hint::black_box(&MARK);
}
