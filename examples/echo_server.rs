//! A TCP server that sends back what it receives, one thread per connection, until a signal ends
//! it.
//!
//! It connects to itself first, so that a trace shows a whole conversation.
#![expect(clippy::print_stdout, reason = "a program, not the library")]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || converse(address));
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || echo(stream));
    }
    Ok(())
}

fn echo(mut stream: TcpStream) -> io::Result<u64> {
    let mut answers = stream.try_clone()?;
    io::copy(&mut stream, &mut answers)
}

fn converse(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"is anybody there?\n")?;
    let mut answer = [0; 18];
    stream.read_exact(&mut answer)?;
    println!("{}", String::from_utf8_lossy(&answer).trim_end());
    Ok(())
}
