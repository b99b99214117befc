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

use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
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

/// Reads a socket in large pieces: h2 asks for what is left of a buffer of 8 KiB, which may be a few bytes.
pub(crate) fn read_ahead(stream: TcpStream) -> BufReader<TcpStream> {
    BufReader::with_capacity(64 << 10, stream)
}

/// One accepted connection.
pub struct Connection {
    stream: BufReader<TcpStream>,
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
            stream: read_ahead(stream),
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_stream::StreamExt;

    const SHORT: Duration = Duration::from_millis(30);

    fn knobs() -> Knobs {
        Knobs::order_entry(1, Duration::from_secs(1))
    }

    async fn connected(knobs: Knobs) -> (TcpStream, Connection, Incoming) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut incoming = Incoming::new(listener, knobs);
        let client = TcpStream::connect(address).await.unwrap();
        let connection = incoming.next().await.unwrap().unwrap();
        (client, connection, incoming)
    }

    async fn read_all(connection: &mut Connection) -> io::Result<usize> {
        let mut bytes = [0; 64];
        loop {
            let n = connection.read(&mut bytes).await?;
            if n == 0 {
                return Ok(0);
            }
        }
    }

    #[tokio::test]
    async fn a_peer_that_says_nothing_is_cut() {
        let knobs = Knobs { first_byte: SHORT, ..knobs() };
        let (_client, mut connection, _incoming) = connected(knobs).await;

        assert_eq!(io::ErrorKind::TimedOut, read_all(&mut connection).await.unwrap_err().kind());
    }

    #[tokio::test]
    async fn a_peer_that_never_shows_a_credential_is_cut_and_one_that_does_may_stay() {
        let knobs = Knobs { identified: SHORT, ..knobs() };
        let (mut client, mut connection, _incoming) = connected(knobs.clone()).await;
        client.write_all(b"hello").await.unwrap();
        let cut = read_all(&mut connection).await;
        let (mut client, mut connection, _incoming) = connected(knobs).await;
        connection.connect_info().identified();
        client.write_all(b"hello").await.unwrap();
        let idle = tokio::time::timeout(3 * SHORT, read_all(&mut connection)).await;

        assert_eq!(io::ErrorKind::TimedOut, cut.unwrap_err().kind());
        assert!(idle.is_err(), "it was cut although it had identified itself");
    }

    #[tokio::test]
    async fn a_cord_ends_a_connection_whose_peer_does_not_read() {
        let (mut client, mut connection, incoming) = connected(knobs()).await;
        let gauge = incoming.gauge();
        let cord = connection.connect_info();
        let writing = tokio::spawn(async move {
            let block = vec![0; 1 << 20];
            while connection.write_all(&block).await.is_ok() {}
        });
        cord.cut();
        writing.await.unwrap();
        let mut bytes = Vec::new();
        let ended = client.read_to_end(&mut bytes).await;

        assert!(ended.is_ok() || bytes.is_empty(), "the peer sees the end");
        assert_eq!(0, gauge.load(Ordering::Relaxed));
    }
}
