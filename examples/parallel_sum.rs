//! A threaded program: four threads sum a range and send their parts over a channel.
#![expect(clippy::print_stdout, reason = "a program, not the library")]

use std::sync::mpsc;
use std::thread;

fn main() {
    const THREADS: u64 = 4;
    const EACH: u64 = 250_000;
    let (sender, receiver) = mpsc::channel();
    let workers: Vec<_> = (0..THREADS)
        .map(|part| {
            let sender = sender.clone();
            thread::spawn(move || sender.send((part * EACH..(part + 1) * EACH).sum::<u64>()))
        })
        .collect();
    drop(sender);
    let total: u64 = receiver.iter().sum();
    for worker in workers {
        worker.join().expect("a worker that cannot panic").expect("a receiver that is still there");
    }
    println!("{total}");
}
