//! Connections that can be cut from outside, with deadlines and a cap.
//!
//! Dropping a stream's sender, or answering it with an error, does not end a stream whose peer does not read. Shutting
//! the socket down does: the connection's task fails at its next turn and frees everything it holds.

use std::future::Future;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;
use tokio_stream::Stream;
use tonic::transport::server::Connected;

use crate::knobs::Knobs;

/// Cuts one connection, from anywhere.
#[derive(Clone, Debug)]
pub struct Cord(Arc<CordInner>);

#[derive(Debug)]
struct CordInner {
    socket: std::net::TcpStream,
    identified: AtomicBool,
}

impl Cord {
    /// The cord of a connection.
    pub(crate) fn of(stream: &TcpStream) -> io::Result<Cord> {
        let socket = std::net::TcpStream::from(stream.as_fd().try_clone_to_owned()?);
        Ok(Cord(Arc::new(CordInner { socket, identified: AtomicBool::new(false) })))
    }

    /// Ends the connection in both directions, now.
    pub fn cut(&self) {
        // It fails only if the connection has ended already.
        let _ = self.0.socket.shutdown(Shutdown::Both);
    }

    /// The peer has shown a valid credential: its connection may stay.
    pub fn identified(&self) {
        self.0.identified.store(true, Ordering::Relaxed);
    }
}

/// One accepted connection.
pub struct Connection {
    stream: TcpStream,
    cord: Cord,
    deadline: Option<Pin<Box<Sleep>>>,
    heard: bool,
    identify_within: Duration,
    _place: Place,
}

impl Connection {
    /// Whether the peer is late: with its first byte, then with its credential.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = &mut self.deadline else { return false };
        if self.cord.0.identified.load(Ordering::Relaxed) {
            self.deadline = None;
            return false;
        }
        deadline.as_mut().poll(cx).is_ready()
    }
}

impl Connected for Connection {
    type ConnectInfo = Cord;

    fn connect_info(&self) -> Cord {
        self.cord.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_late(cx) {
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::TimedOut)));
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if !self.heard && buf.filled().len() > before {
            self.heard = true;
            let within = self.identify_within;
            if let Some(deadline) = &mut self.deadline {
                deadline.as_mut().reset(tokio::time::Instant::now() + within);
                let _ = deadline.as_mut().poll(cx);
            }
        }
        result
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl Drop for Connection {
    /// The cord holds a second handle of the socket: without this the peer would see no end while someone holds it.
    fn drop(&mut self) {
        self.cord.cut();
    }
}

/// One of the places a listener has.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The connections of a listener; those above the cap are closed at once.
pub struct Incoming {
    listener: TcpListener,
    knobs: Knobs,
    taken: Arc<AtomicUsize>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Incoming {
    /// Listens with these limits.
    pub fn new(listener: TcpListener, knobs: Knobs) -> Incoming {
        Incoming { listener, knobs, taken: Arc::new(AtomicUsize::new(0)), pause: None }
    }

    /// How many connections are open.
    pub fn gauge(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.taken)
    }

    fn admit(&self, stream: TcpStream) -> io::Result<Option<Connection>> {
        if self.taken.load(Ordering::Relaxed) >= self.knobs.max_connections {
            return Ok(None);
        }
        stream.set_nodelay(true)?;
        let cord = Cord::of(&stream)?;
        self.taken.fetch_add(1, Ordering::Relaxed);
        Ok(Some(Connection {
            stream,
            cord,
            deadline: Some(Box::pin(tokio::time::sleep(self.knobs.first_byte))),
            heard: false,
            identify_within: self.knobs.identified,
            _place: Place(Arc::clone(&self.taken)),
        }))
    }
}

/// After an error of `accept` (out of file descriptors): trying again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                if pause.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.pause = None;
            }
            match self.listener.poll_accept(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => self.pause = Some(Box::pin(tokio::time::sleep(ACCEPT_PAUSE))),
                Poll::Ready(Ok((stream, _))) => {
                    if let Ok(Some(connection)) = self.admit(stream) {
                        return Poll::Ready(Some(Ok(connection)));
                    }
                }
            }
        }
    }
}
