//! Lists the CPUs that are online. Main function: [`online`].

use std::fs;
use std::thread::available_parallelism;

/// Returns the CPUs that are online.
pub(super) fn online() -> Vec<usize> {
    let list = fs::read_to_string("/sys/devices/system/cpu/online");
    match list.ok().map(|list| parse(&list)) {
        Some(cpus) if !cpus.is_empty() => cpus,
        // Without sysfs, assume that the CPUs are numbered without gaps.
        _ => (0..available_parallelism().map_or(1, usize::from)).collect(),
    }
}

/// Reads a list such as `0-3,5`: Documentation/admin-guide/cputopology.rst.
fn parse(list: &str) -> Vec<usize> {
    let ranges = list.trim().split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    ranges.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_single_cpus_are_read() {
        for (list, cpus) in [("0-1\n", &[0, 1][..]), ("0\n", &[0]), ("0-2,5,7-8\n", &[0, 1, 2, 5, 7, 8]), ("\n", &[])] {
            assert_eq!(parse(list), cpus);
        }
    }
}
