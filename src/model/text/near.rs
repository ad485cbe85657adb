//! Finds known names that are similar to an unknown one. Main function: [`near`].

/// Returns the known names that were probably meant, in three groups: names that begin with the
/// given one (`epoll`), names that contain it (`TERM`), then misspellings, which differ in at most
/// a third of their letters. The nearest of each group come first.
pub fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_lowercase();
    let mut found: Vec<(Similarity, usize, &str)> = known
        .filter_map(|candidate| {
            let lowercase = candidate.to_lowercase();
            let similarity = similarity(&name, &lowercase)?;
            // Computing the distance takes the product of both lengths, and a name may be as long
            // as a file. If one name contains the other, it is the difference of the lengths.
            let distance = match similarity {
                Similarity::Misspelling => strsim::damerau_levenshtein(&name, &lowercase),
                Similarity::Prefix | Similarity::Substring => lowercase.len() - name.len(),
            };
            Some((similarity, distance, candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|(_, _, candidate)| candidate).collect()
}

/// How a known name is similar to an unknown one, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Similarity {
    Prefix,
    Substring,
    Misspelling,
}

/// The shortest name that is searched in others: too many names contain shorter ones.
const MIN_SUBSTRING: usize = 3;

/// The largest difference of lengths of a misspelling.
const MAX_LENGTH_DIFFERENCE: usize = 4;

fn similarity(name: &str, candidate: &str) -> Option<Similarity> {
    if name.len() >= MIN_SUBSTRING && candidate.starts_with(name) {
        return Some(Similarity::Prefix);
    }
    if name.len() >= MIN_SUBSTRING && candidate.contains(name) {
        return Some(Similarity::Substring);
    }
    let similar_length = candidate.len().abs_diff(name.len()) <= MAX_LENGTH_DIFFERENCE;
    let is_misspelling = || strsim::damerau_levenshtein(name, candidate) <= (candidate.len() / 3).max(1);
    (similar_length && is_misspelling()).then_some(Similarity::Misspelling)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_prefixes_and_substrings_are_found() {
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
        let calls = ["poll", "ppoll", "epoll_wait", "epoll_ctl", "anon_inode:eventpoll", "eventpoll_epoll"];
        assert_eq!(near("epoll", calls.into_iter()), ["epoll_ctl", "epoll_wait", "eventpoll_epoll", "poll", "ppoll"]);
    }
}
