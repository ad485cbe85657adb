//! Names that come near one that is unknown: what was probably meant. Main function: [`near`].

/// The known names that were probably meant: those that begin with the name (`epoll`), those that
/// contain it (`TERM`), then those that a slip of the pen leads to, which differ in a third of
/// their letters at most. Of each kind the nearest come first.
pub fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_lowercase();
    let mut found: Vec<(Likeness, usize, &str)> = known
        .filter_map(|candidate| {
            let lowercase = candidate.to_lowercase();
            let likeness = likeness(&name, &lowercase)?;
            // A distance takes the product of both lengths, and a name may be as long as a file: of
            // names that contain each other it is the difference of the lengths.
            let distance = match likeness {
                Likeness::Slip => strsim::damerau_levenshtein(&name, &lowercase),
                Likeness::Beginning | Likeness::Part => lowercase.len() - name.len(),
            };
            Some((likeness, distance, candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|(_, _, candidate)| candidate).collect()
}

/// How a known name resembles an unknown one, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Beginning,
    Part,
    Slip,
}

/// The shortest name that is looked for in others: shorter ones are in too many.
const SHORTEST_PART: usize = 3;

/// The longest difference of lengths that counts as a slip.
const LONGEST_SLIP: usize = 4;

fn likeness(name: &str, candidate: &str) -> Option<Likeness> {
    if name.len() >= SHORTEST_PART && candidate.starts_with(name) {
        return Some(Likeness::Beginning);
    }
    if name.len() >= SHORTEST_PART && candidate.contains(name) {
        return Some(Likeness::Part);
    }
    let similar_length = candidate.len().abs_diff(name.len()) <= LONGEST_SLIP;
    let is_slip = || strsim::damerau_levenshtein(name, candidate) <= (candidate.len() / 3).max(1);
    (similar_length && is_slip()).then_some(Likeness::Slip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_beginnings_and_parts_are_found() {
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
