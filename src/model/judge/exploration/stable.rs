//! Texts of a run without what differs from run to run, so that two explorations give the same
//! report. Main functions: [`call`] and [`message`].

/// Stands for what is left out.
const MASK: &str = "…";

/// The fewest digits of an address of code or data.
const ADDRESS_DIGITS: usize = 8;

/// Returns the text of a call with a mask for each word that differs among texts of the same call
/// in other runs: addresses, ports and process ids. Texts of another form are compared up to where
/// they differ in more than a word; beyond, addresses are masked.
pub fn call(text: &str, others: &[&str]) -> String {
    let words: Vec<&str> = split(text).collect();
    let others: Vec<Vec<&str>> = others.iter().map(|other| split(other).collect()).collect();
    let alike = |other: &&[&str]| {
        let is_alike = |(one, other): &(&&str, &&str)| one == other || (is_word(one) && is_word(other));
        words.iter().zip(*other).take_while(is_alike).count()
    };
    let others: Vec<&[&str]> = others.iter().map(|other| &other[..alike(&&other[..])]).collect();
    let word = |(at, word): (usize, &&str)| {
        let mut same = others.iter().filter_map(|other| other.get(at)).peekable();
        let is_known = same.peek().is_some();
        let is_same = same.all(|other| other == word) && (is_known || !is_address(word));
        if is_same { (*word).to_owned() } else { MASK.to_owned() }
    };
    words.iter().enumerate().map(word).collect()
}

/// Returns whether this is a word of letters and digits.
fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphanumeric() || first == '_')
}

/// Returns whether a word looks like an address.
fn is_address(word: &str) -> bool {
    word.strip_prefix("0x").is_some_and(|digits| digits.len() >= ADDRESS_DIGITS)
}

/// Splits a text into words of letters and digits, and single other characters.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        let end = if is_word(rest) { rest.find(|it| !is_part(it)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

/// Returns a line of output without the number of the thread in the message of a Rust panic:
/// `thread 'main' (4711) panicked at …`. A run without a panic does not show that it varies.
pub fn message(line: &str) -> String {
    let number = || {
        let (before, rest) = line.split_once("' (")?;
        let (number, after) = rest.split_once(')')?;
        let is_panic = before.contains("thread '") && after.starts_with(" panicked at ");
        (is_panic && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| format!("{before}'{after}"))
    };
    number().unwrap_or_else(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varying_words_of_a_call_are_masked() {
        let text = "mprotect(0x7f4c6cb56000, 4096, PROT_NONE)";
        for (others, expected) in [
            (&[][..], "mprotect(…, 4096, PROT_NONE)"),
            (&["mprotect(0x7f4c6cb56000, 4096, PROT_NONE)"], text),
            (&["mprotect(0x7ffff7fb8000, 4096, PROT_NONE)"], "mprotect(…, 4096, PROT_NONE)"),
            (&["mprotect(0x1, 8192, PROT_NONE)", "mprotect(0x2, 4096, PROT_READ)"], "mprotect(…, …, …)"),
            (&["mprotect(\"another form\")"], "mprotect(…, 4096, PROT_NONE)"),
        ] {
            assert_eq!(call(text, others), expected);
        }
        assert_eq!(call("kill(12, SIGTERM)", &["kill(13, SIGTERM)"]), "kill(…, SIGTERM)");
        let received = "recvfrom(4<127.0.0.1:42553>, 0x7ffd2a3b4c5d, 18)";
        assert_eq!(
            call(received, &["recvfrom(5<127.0.0.1:60700>, \"text\", 18, MSG_PEEK)"]),
            "recvfrom(…<127.0.0.1:…>, …, 18)"
        );
        assert_eq!(call("write(1, \"é\")", &["write(1, \"e\")"]), "write(1, \"…\")");
    }

    #[test]
    fn panic_has_no_thread_number() {
        for (line, expected) in [
            ("thread 'main' (4711) panicked at src/main.rs:3:5:", "thread 'main' panicked at src/main.rs:3:5:"),
            ("thread 'main' panicked at src/main.rs:3:5:", "thread 'main' panicked at src/main.rs:3:5:"),
            ("thread 'x' (4711) ended", "thread 'x' (4711) ended"),
            ("it's (1) panicked at ", "it's (1) panicked at "),
        ] {
            assert_eq!(message(line), expected);
        }
    }
}
