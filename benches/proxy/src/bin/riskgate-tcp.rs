//! The floor under every figure of two hops: bytes of an order's size there and back through a relay, over TCP, with
//! nothing around them. Blocking sockets and a thread per connection, the fastest that a kernel wakes anybody.
//!
//! `riskgate-tcp echo` answers with a report's bytes, `riskgate-tcp relay ADDRESS` passes both on; each prints its
//! address and runs until it is killed. `riskgate-tcp ping ADDRESS MILLISECONDS` prints nanoseconds: p50, p99, count.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// What an order and its report are in the bench's contract, HTTP/2 and gRPC heads included.
const ORDER: usize = 128;
const REPORT: usize = 128;

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    match given.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["echo"] => serve(echo)?,
        ["relay", next] => serve(|router| relay(router, next))?,
        ["ping", address, milliseconds] => ping(address, Duration::from_millis(milliseconds.parse()?))?,
        _ => return Err("usage: riskgate-tcp echo | relay ADDRESS | ping ADDRESS MILLISECONDS".into()),
    }
    Ok(())
}

fn serve(conversation: impl Fn(TcpStream) -> io::Result<()>) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        // A peer that has left is the end of its conversation and of nothing else.
        let _ = conversation(stream);
    }
    Ok(())
}

fn echo(mut peer: TcpStream) -> io::Result<()> {
    let mut order = [0; ORDER];
    loop {
        peer.read_exact(&mut order)?;
        peer.write_all(&[0; REPORT])?;
    }
}

fn relay(mut router: TcpStream, next: &str) -> io::Result<()> {
    let mut venue = TcpStream::connect(next)?;
    venue.set_nodelay(true)?;
    let (mut order, mut report) = ([0; ORDER], [0; REPORT]);
    loop {
        router.read_exact(&mut order)?;
        venue.write_all(&order)?;
        venue.read_exact(&mut report)?;
        router.write_all(&report)?;
    }
}

fn ping(address: &str, length: Duration) -> io::Result<()> {
    let mut peer = TcpStream::connect(address)?;
    peer.set_nodelay(true)?;
    let (mut taken, started) = (Vec::new(), Instant::now());
    while started.elapsed() < length {
        let sent = Instant::now();
        peer.write_all(&[0; ORDER])?;
        peer.read_exact(&mut [0; REPORT])?;
        taken.push(sent.elapsed().as_nanos());
    }
    taken.sort_unstable();
    let at = |percent: usize| taken.get(taken.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default();
    println!("{} {} {}", at(50), at(99), taken.len());
    Ok(())
}
