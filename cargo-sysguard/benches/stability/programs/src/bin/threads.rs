//! Threads that pass numbers through a channel and count under a lock.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;

fn main() {
    let (sender, receiver) = mpsc::channel();
    let count = Arc::new(Mutex::new(0_u64));
    let threads: Vec<_> = (0..8_u64)
        .map(|thread| {
            let (sender, count) = (sender.clone(), Arc::clone(&count));
            thread::spawn(move || {
                for n in 0..500 {
                    *count.lock().expect("no thread panics") += 1;
                    sender.send(thread * n).expect("it is received");
                }
            })
        })
        .collect();
    drop(sender);
    let sum: u64 = receiver.iter().sum();
    threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
    println!("{sum} {}", count.lock().expect("no thread panics"));
}
