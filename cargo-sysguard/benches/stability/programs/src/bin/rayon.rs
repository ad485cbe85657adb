//! Sorts and sums on all CPUs.

use rayon::prelude::*;

fn main() {
    let mut numbers: Vec<u64> = (0..200_000).map(|n| n * 7_919 % 104_729).collect();
    numbers.par_sort();
    println!("{}", numbers.par_iter().map(|n| n * n).sum::<u64>());
}
