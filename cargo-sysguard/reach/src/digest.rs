//! Digests that identify contents. Main function: [`digest`].

use sha2::{Digest, Sha256};

/// Returns the SHA-256 of bytes in hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
