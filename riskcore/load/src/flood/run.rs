//! Threads and connections: each thread has a runtime of its own, each session a connection of its own.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

use super::codec::{FloodCodec, Speech};
use super::config::{FloodConfig, Protocol, SessionConfig};
use super::session::{Phase, Session};
use super::source::Source;
use super::template::Templates;
use super::timer::{Timer, Timers};
use crate::clock::Clock;
use crate::sync::lock;

/// Reports may pile up while this thread encodes a burst; the peer must never wait for a window update.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// From the last logon to the first order.
const LEAD: u64 = 10_000_000;
/// How long a peer may take to end the stream after our logout.
const GOODBYE: Duration = Duration::from_secs(2);
/// How often a session is asked whether its peer still takes anything.
const STUCK_CHECK: Duration = Duration::from_millis(200);

/// One session and how to run it.
#[derive(Debug)]
pub struct Runner {
    /// Its state.
    pub session: Arc<Mutex<Session>>,
    /// Router name.
    pub router: String,
    codec: FloodCodec,
    target: String,
    protocol: Protocol,
    logon_timeout: Duration,
    ended: Arc<Notify>,
}

/// Lets all sessions start together: the last one to log on, or to fail, starts those that are ready.
#[derive(Debug)]
pub struct Gate {
    missing: AtomicUsize,
    sessions: Vec<Arc<Mutex<Session>>>,
    clock: Clock,
}

impl Gate {
    /// A gate for these sessions.
    pub fn new(sessions: Vec<Arc<Mutex<Session>>>, clock: Clock) -> Self {
        Self { missing: AtomicUsize::new(sessions.len()), sessions, clock }
    }

    fn arrive(&self) {
        if self.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            let start = self.clock.now() + LEAD;
            for session in &self.sessions {
                lock(session).begin(start);
            }
        }
    }
}

impl Runner {
    /// Prepares one session; connects nothing.
    pub fn new(config: &FloodConfig, session: &SessionConfig, clock: Clock) -> Self {
        let templates = Arc::new(Templates::new(session, config.protocol, &session.router));
        let drain = u64::try_from(config.drain_timeout.as_nanos()).unwrap_or(u64::MAX);
        let state = Session::new(session, config.protocol, Arc::clone(&templates), config.max_batch, drain);
        let state = Arc::new(Mutex::new(state));
        let speech = Arc::new(Speech::new(config.protocol, session));
        Self {
            codec: FloodCodec { session: Arc::clone(&state), templates, speech, clock },
            session: state,
            router: session.router.clone(),
            target: config.target.clone(),
            protocol: config.protocol,
            logon_timeout: config.logon_timeout,
            ended: Arc::new(Notify::new()),
        }
    }

    /// Runs the session to its end. What went wrong is in [`Session::error`].
    pub async fn run(self, timers: Arc<Timers>, gate: Arc<Gate>) {
        let mut arrived = false;
        let result = self.converse(&timers, || {
            gate.arrive();
            arrived = true;
        });
        let result = result.await;
        lock(&self.session).close(result.err());
        if !arrived {
            gate.arrive();
        }
    }

    async fn converse(&self, timers: &Arc<Timers>, ready: impl FnOnce()) -> Result<(), String> {
        let stream = timeout(self.logon_timeout, self.open(timers)).await.map_err(|_| self.late("open a stream"))?;
        let mut stream = stream?;
        let logon = async {
            while lock(&self.session).phase() == Phase::LoggingOn {
                if stream.message().await?.is_none() {
                    return Err(Status::unavailable("the peer ended the stream before the logon was answered"));
                }
            }
            Ok(())
        };
        let logged_on = timeout(self.logon_timeout, logon).await.map_err(|_| self.late("log on"))?;
        logged_on.map_err(|status| self.status(&status))?;
        ready();
        self.read_to_end(&mut stream).await
    }

    /// Reads until the stream ends: for as long as we send, and for a moment after our logout.
    async fn read_to_end(&self, stream: &mut Streaming<()>) -> Result<(), String> {
        let goodbye = async {
            self.ended.notified().await;
            tokio::time::sleep(GOODBYE).await;
        };
        let stuck = async {
            while !lock(&self.session).stuck(self.codec.clock.now()) {
                tokio::time::sleep(STUCK_CHECK).await;
            }
        };
        tokio::pin!(goodbye, stuck);
        loop {
            let message = tokio::select! {
                message = stream.message() => message,
                // The peer has our logout; a peer that keeps the stream open is left behind.
                () = &mut goodbye => return Ok(()),
                () = &mut stuck => return Err(format!("{} has stopped taking messages", self.target)),
            };
            match message {
                Ok(Some(())) => {}
                Ok(None) | Err(_) if lock(&self.session).phase() == Phase::Ended => return Ok(()),
                Ok(None) => return Err(format!("{} ended the stream", self.target)),
                Err(status) => return Err(self.status(&status)),
            }
        }
    }

    async fn open(&self, timers: &Arc<Timers>) -> Result<Streaming<()>, String> {
        let channel = self.connect().await.map_err(|error| self.cannot_connect(&error))?;
        let mut grpc = tonic::client::Grpc::new(channel);
        grpc.ready().await.map_err(|error| self.cannot_connect(&error))?;
        let timer = Timer::new(timers);
        let source = Source::new(Arc::clone(&self.session), timer, self.codec.clock, Arc::clone(&self.ended));
        let path = match self.protocol {
            Protocol::OrderEntry => PathAndQuery::from_static("/riskgate.v1.OrderEntry/Session"),
            Protocol::Exchange { .. } => PathAndQuery::from_static("/riskgate.v1.Exchange/Session"),
        };
        let response = grpc.streaming(Request::new(source), path, self.codec.clone()).await;
        Ok(response.map_err(|status| self.status(&status))?.into_inner())
    }

    async fn connect(&self) -> Result<Channel, tonic::transport::Error> {
        Endpoint::from_shared(format!("http://{}", self.target))?
            .tcp_nodelay(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .connect()
            .await
    }

    fn cannot_connect(&self, error: &tonic::transport::Error) -> String {
        format!("cannot connect to {} ({error}{}): is it running and is the address right?", self.target, causes(error))
    }

    fn late(&self, what: &str) -> String {
        format!("router {} could not {what} at {} within {:?}", self.router, self.target, self.logon_timeout)
    }

    fn status(&self, status: &Status) -> String {
        let session = lock(&self.session);
        let silent = Duration::from_nanos(self.codec.clock.now().saturating_sub(session.tally.finished));
        format!(
            "{} ended router {}'s session, {}, with {:?}: {}{}; {} orders unanswered, the last answer {silent:.1?} before",
            self.target,
            self.router,
            session.phase().name(),
            status.code(),
            status.message(),
            causes(status),
            session.tally.unanswered(),
        )
    }
}

/// What lies behind an error: of a connection that ended, tonic's own text is the same whoever ended it and why.
fn causes(error: &dyn Error) -> String {
    let first: Option<&(dyn Error + 'static)> = error.source();
    std::iter::successors(first, |cause| (*cause).source()).map(|cause| format!(": {cause}")).collect()
}

/// Runs `runners` on this thread until all have ended.
pub fn run_thread(runners: Vec<Runner>, clock: Clock, gate: &Arc<Gate>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().event_interval(8).enable_all().build()?;
    runtime.block_on(async {
        let timers = Arc::new(Timers::new(clock)?);
        tokio::spawn(Arc::clone(&timers).run());
        let start = |runner: Runner| tokio::spawn(runner.run(Arc::clone(&timers), Arc::clone(gate)));
        let tasks: Vec<_> = runners.into_iter().map(start).collect();
        for task in tasks {
            // A session that panicked has reported nothing; its counters stay as they were.
            let _ = task.await;
        }
        Ok(())
    })
}
