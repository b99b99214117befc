//! The venue stub: an exchange that answers at once and the same way every time, so that it is never what a bench
//! measures. It keeps sequences, resends, cancels and mass status as the contract says; it has no book.
//!
//! Memory is bounded: open orders, reports kept for a resume, and gateways each have a capacity. A client that does
//! not read its reports is not read from.

pub mod book;
pub mod cancels;
pub mod codec;
pub mod config;
pub mod market_data;
pub mod order;
pub mod quotes;
pub mod report;
pub mod service;
pub mod session;
pub mod venue;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

pub use config::{Behaviour, StubConfig};
pub use venue::{StubCounts, Venue};

use service::ExchangeService;

/// A gateway sends to the venue on one stream; the connection window is what bounds a burst.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;

/// Why a stub did not start.
#[derive(Debug, thiserror::Error)]
pub enum StubError {
    /// `listen` is not an address and port.
    #[error("listen = {0:?} is not an address and a port: write for example 127.0.0.1:7100, or port 0 for any")]
    Address(String),
    /// The address is taken, or not ours.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The operating system gave no thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// A running stub on a thread of its own. Dropping it stops it.
#[derive(Debug)]
pub struct VenueStub {
    address: SocketAddr,
    venue: Arc<Venue>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl VenueStub {
    /// Listens, and returns when connections are accepted.
    pub fn start(config: StubConfig) -> Result<Self, StubError> {
        let address: SocketAddr = config.listen.parse().map_err(|_| StubError::Address(config.listen.clone()))?;
        let failed = |error| StubError::Listen(address, error);
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let venue = Arc::new(Venue::new(config));
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .event_interval(8)
            .enable_all()
            .build()
            .map_err(StubError::Thread)?;
        let service = ExchangeService::new(Arc::clone(&venue));
        let work = move || runtime.block_on(serve(listener, service, stopped));
        let thread = std::thread::Builder::new().name("venue-stub".to_owned());
        let thread = thread.spawn(work).map_err(StubError::Thread)?;
        Ok(Self { address, venue, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens; the real port when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has done, and its quotes.
    pub fn venue(&self) -> &Venue {
        &self.venue
    }

    /// Closes every connection and joins the thread. Idempotent.
    pub fn stop(&mut self) {
        // The receiver is gone when the thread has ended by itself: nothing to stop then.
        self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for VenueStub {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Serves until told to stop; connections end with the runtime, not gracefully: a venue that is gone is gone.
async fn serve(listener: TcpListener, service: ExchangeService, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(16)
        .serve_with_incoming(service, incoming);
    tokio::select! {
        _ = server => {}
        _ = stopped => {}
    }
}
