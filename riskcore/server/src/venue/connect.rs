//! Connections to the exchange that can be cut: a venue that does not read must not keep a lost session's streams alive.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::config::MISSED_HEARTBEATS;
use crate::io::{Cord, read_ahead};
use crate::knobs::keepalive;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// A channel over one connection, and the cord of that connection. `heartbeat`: how often the venue is to be heard.
pub async fn connect(address: &str, heartbeat: Duration) -> Result<(Channel, Cord), Status> {
    let unreachable = |e: &dyn std::fmt::Display| Status::unavailable(format!("cannot connect to {address}: {e}"));
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|e| Status::invalid_argument(format!("{address} is not host:port: {e}")))?
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .http2_keep_alive_interval(keepalive(heartbeat))
        .keep_alive_timeout(keepalive(heartbeat) * MISSED_HEARTBEATS)
        .http2_max_header_list_size(8 << 10)
        .connect_timeout(CONNECT);
    let cord = Arc::new(Mutex::new(None));
    let connector = Connector { address: address.to_owned(), cord: Arc::clone(&cord) };
    let connecting = tokio::time::timeout(CONNECT, endpoint.connect_with_connector(connector));
    let channel = connecting.await.map_err(|_| unreachable(&"timed out"))?.map_err(|e| unreachable(&e))?;
    let cord = cord.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok((channel, cord.ok_or_else(|| unreachable(&"no connection"))?))
}

/// Connects once: a channel that reconnected by itself would carry a session's streams on behind its back.
struct Connector {
    address: String,
    cord: Arc<Mutex<Option<Cord>>>,
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<BufReader<TcpStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<BufReader<TcpStream>>>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let (address, cord) = (self.address.clone(), Arc::clone(&self.cord));
        Box::pin(async move {
            let stream = TcpStream::connect(&address).await?;
            stream.set_nodelay(true)?;
            *cord.lock().unwrap_or_else(PoisonError::into_inner) = Some(Cord::of(&stream)?);
            Ok(TokioIo::new(read_ahead(stream)))
        })
    }
}
