//! Names of programs that cargo built. Main function: [`without_hash`].

/// Returns the name of a program without the hash that cargo appends: `demo-0123456789abcdef`.
pub fn without_hash(program: &str) -> &str {
    const DIGITS: usize = 16;
    let is_hash = |end: &str| end.len() == DIGITS && end.bytes().all(|byte| byte.is_ascii_hexdigit());
    program.rsplit_once('-').filter(|(_, end)| is_hash(end)).map_or(program, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hash_is_removed() {
        for (program, name) in [
            ("demo-0123456789abcdef", "demo"),
            ("my-demo-0123456789abcdef", "my-demo"),
            ("demo-0123456789abcde", "demo-0123456789abcde"),
            ("demo-0123456789abcdeg", "demo-0123456789abcdeg"),
            ("demo", "demo"),
        ] {
            assert_eq!(without_hash(program), name);
        }
    }
}
