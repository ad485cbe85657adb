//! Names that come near one that is unknown: what was probably meant. Main function: [`near`].

/// The known names that a slip of the pen leads to, the nearest first: those that differ in a third of their letters at most, or
/// that lack no more than their beginning (`TERM`).
pub fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_lowercase();
    let distance = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let distance = strsim::damerau_levenshtein(&name, &candidate);
        let lacks_beginning = name.len() >= 3 && candidate.ends_with(&name);
        (lacks_beginning || distance <= (candidate.len() / 3).max(1)).then_some(distance)
    };
    // The length is compared first, for it costs nothing and a name may be as long as a file.
    let similar_length = known.filter(|candidate| candidate.len().abs_diff(name.len()) <= 4);
    let mut found: Vec<(usize, &str)> =
        similar_length.filter_map(|candidate| Some((distance(candidate)?, candidate))).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_slip_is_recognised_and_anything_else_is_not() {
        let known = ["timeout", "tolerate", "args", "env", "exit", "SIGTERM"];
        for (written, meant) in [
            ("timout", Some("timeout")),
            ("Timeout", Some("timeout")),
            ("arg", Some("args")),
            ("exti", Some("exit")),
            ("network", None),
            ("e", None),
            ("exfo", None),
            ("TERM", Some("SIGTERM")),
        ] {
            assert_eq!(near(written, known.into_iter()).first().copied(), meant, "{written}");
        }
        assert_eq!(near("open", ["opens", "open", "openat", "open"].into_iter()), ["open", "opens", "openat"]);
    }
}
