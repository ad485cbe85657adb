//! A hash for identifiers in reports, and for content that is not kept. Main function: [`fnv1a`].

/// The 64-bit FNV-1a hash of no bytes.
pub const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

/// Returns the 64-bit FNV-1a hash, which does not depend on the machine or the version of Rust.
pub fn fnv1a(text: &str) -> u64 {
    extended(EMPTY, text.as_bytes())
}

/// Returns the hash of bytes that follow others with this hash.
pub fn extended(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_matches_the_fnv_1a_test_vectors() {
        // Test vectors of the authors, http://www.isthe.com/chongo/tech/comp/fnv/.
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(extended(fnv1a("foo"), b"bar"), fnv1a("foobar"));
    }
}
