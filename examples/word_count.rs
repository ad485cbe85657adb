//! A single-threaded program: counts the words of its standard input, most frequent first.
#![expect(clippy::print_stdout, reason = "a program, not the library")]

use std::collections::BTreeMap;
use std::io::{self, Read};

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word).or_default() += 1;
    }
    let mut words: Vec<_> = counts.into_iter().collect();
    words.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    for (word, count) in words {
        println!("{count} {word}");
    }
    Ok(())
}
