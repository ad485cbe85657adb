//! The ELF section that marks programs with a call of [`mark_harness`].
//!
//! The linker keeps the section only if it keeps the function. strip(1) keeps the section, since it
//! is loaded.

/// The section's name. It begins with a dot, so that linkers do not create start and stop symbols
/// that keep it.
pub(in crate::linux) const SECTION: &str = ".sysguard.harness";

// SAFETY: a section of its own holds bytes that only `mark_harness` refers to; "Sections", gABI.
#[unsafe(link_section = ".sysguard.harness")]
static MARK: [u8; 16] = *b"sysguard harness";

/// Adds the section to the program that calls it; does nothing else.
pub fn mark_harness() {
    std::hint::black_box(&MARK);
}
