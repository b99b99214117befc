//! `riskgate-proxy VENUE`: listens where routers connect, forwards to the venue, prints its address, and ends when its
//! standard input does.
//!
//! The baseline of the gateway's benches: the same hops, the same messages and one thread, but tonic and prost as they
//! come, and nothing that looks at an order. What the gateway costs beyond this is the price of its checks; what it
//! costs less is its codec's.

mod orders;
mod proto;
mod proxy;
mod translate;

use std::error::Error;
use std::net::Ipv4Addr;

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};

use proto::exchange_client::ExchangeClient;
use proto::order_entry_server::OrderEntryServer;
use proxy::Proxy;

/// Wide enough that no window is what is measured. Routers get less of it than the venue: a million orders a second in
/// frames of one, unread, would be more than h2 lets a peer send before it ends the connection.
const ROUTER_WINDOW: u32 = 1 << 18;
const VENUE_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let venue = std::env::args().nth(1).ok_or("usage: riskgate-proxy VENUE, as host:port")?;
    let channel = Endpoint::from_shared(format!("http://{venue}"))?
        .initial_stream_window_size(VENUE_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .tcp_nodelay(true)
        .connect()
        .await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    let server = Server::builder()
        .initial_stream_window_size(ROUTER_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .serve_with_incoming(
            OrderEntryServer::new(Proxy::new(ExchangeClient::new(channel))),
            TcpIncoming::from(listener).with_nodelay(Some(true)),
        );
    let mut input = tokio::io::stdin();
    tokio::select! {
        served = server => served?,
        _ = input.read_u8() => {}
    }
    Ok(())
}
