//! Which errors can happen to a call of a correct program. Main function: [`count_register`].

/// Returns the register that holds the number of bytes that a call moves, if fewer can be moved.
pub fn count_register(name: &str) -> Option<usize> {
    match name {
        "read" | "write" | "pread64" | "pwrite64" | "recvfrom" | "sendto" | "tee" => Some(2),
        "sendfile" | "sendfile64" => Some(3),
        "copy_file_range" | "splice" => Some(4),
        _ => None,
    }
}
