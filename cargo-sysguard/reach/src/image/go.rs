//! Go's table of functions, `.gopclntab`: src/debug/gosym/pclntab.go of the Go sources. Main
//! function: [`functions`].

/// Where a function starts, and its name.
type Start<'d> = (u64, Option<&'d [u8]>);

/// Returns the start of each function, in order, and its name. Tables of Go before 1.16, or of an
/// unknown version, give none.
pub(super) fn functions(table: &[u8], text: u64) -> Vec<Start<'_>> {
    read(table, text).unwrap_or_default()
}

/// The magic numbers of Go 1.16, 1.18 and 1.20.
const MAGIC_16: u32 = 0xffff_fffa;
const MAGIC_18: u32 = 0xffff_fff0;
const MAGIC_20: u32 = 0xffff_fff1;

fn read(table: &[u8], text: u64) -> Option<Vec<Start<'_>>> {
    let magic = number(table, 0, 4)? as u32;
    // Since 1.18 starts are offsets of 32 bits from the start of the code.
    let is_relative = match magic {
        MAGIC_16 => false,
        MAGIC_18 | MAGIC_20 => true,
        _ => return None,
    };
    let word = u64::from(*table.get(7)?);
    let header = |index: u64| number(table, 8 + index * word, word);
    let count = header(0)?;
    let text = if is_relative { header(2).filter(|start| *start != 0).unwrap_or(text) } else { 0 };
    // Names, and the entries: pairs of a start and the offset of a record. Both are offsets.
    let first = if is_relative { 3 } else { 2 };
    let names = table.get(usize::try_from(header(first)?).ok()?..)?;
    let entries = table.get(usize::try_from(header(first + 4)?).ok()?..)?;
    let field = if is_relative { 4 } else { word };
    let mut found = Vec::new();
    for index in 0..count {
        let at = index * 2 * field;
        let start = number(entries, at, field)?;
        // The record starts with the start again; the offset of the name follows.
        let record = number(entries, at + field, field)?;
        let name = number(entries, record.checked_add(field)?, 4).and_then(|offset| string(names, offset));
        found.push((text.checked_add(start)?, name));
    }
    found.sort_by_key(|(start, _)| *start);
    Some(found)
}

/// Reads a little-endian number.
fn number(bytes: &[u8], at: u64, length: u64) -> Option<u64> {
    let at = usize::try_from(at).ok()?;
    let bytes = bytes.get(at..at.checked_add(usize::try_from(length).ok()?)?)?;
    Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// Returns the text at an offset, without the zero byte that ends it.
fn string(bytes: &[u8], at: u64) -> Option<&[u8]> {
    let bytes = bytes.get(usize::try_from(at).ok()?..)?;
    bytes.iter().position(|byte| *byte == 0).map(|end| &bytes[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_go_1_18_is_read() {
        let mut table = MAGIC_18.to_le_bytes().to_vec();
        table.extend([0, 0, 1, 8]);
        // One function; where code starts; names, units, files, lines and entries.
        for word in [1u64, 0, 0x1000, 72, 0, 0, 0, 84] {
            table.extend(word.to_le_bytes());
        }
        table.extend(b"main.main\0\0\0");
        // The function starts at 0x1020; its record is 8 bytes after these entries.
        for half in [0x20u32, 8, 0x20, 0] {
            table.extend(half.to_le_bytes());
        }
        assert_eq!(functions(&table, 0), [(0x1020, Some(&b"main.main"[..]))]);
        // Cut off, or of another version.
        assert_eq!(functions(&table[..60], 0), []);
        table[0] = 0;
        assert_eq!(functions(&table, 0), []);
    }
}
