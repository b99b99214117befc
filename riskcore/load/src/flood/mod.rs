//! The generator: router sessions that send on a fixed schedule, whatever the receiver does.

pub mod answered;
pub mod codec;
pub mod config;
pub mod exchange;
pub mod order_entry;
pub mod run;
pub mod schedule;
pub mod session;
pub mod source;
pub mod tally;
pub mod template;
pub mod timer;

use std::convert::Infallible;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

pub use config::{ConfigError, FloodConfig, OrderLine, Protocol, SessionConfig, Shape};
pub use session::Phase;
pub use tally::Tally;

use crate::clock::Clock;
use crate::sync::lock;
use run::{Gate, Runner, run_thread};
use session::Session;

/// One session's share of a report.
#[derive(Clone, Debug)]
pub struct SessionReport {
    /// Router name.
    pub router: String,
    /// Where it stands.
    pub phase: Phase,
    /// Why it ended early.
    pub error: Option<String>,
    /// Orders of the schedule that were never sent.
    pub unsent: u64,
    /// The last report it has seen; a gateway sends those after it again, see [`SessionConfig::resume_after`].
    pub last_report_seq: u64,
    /// What it counted.
    pub tally: Tally,
}

/// Why a flood did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// See the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The operating system gave no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

/// A running flood. Dropping it stops it.
#[derive(Debug)]
pub struct Flood {
    sessions: Vec<(String, Arc<Mutex<Session>>)>,
    threads: Vec<JoinHandle<io::Result<()>>>,
    /// Carries nothing: it is disconnected when the last thread has ended.
    done: Mutex<Receiver<Infallible>>,
}

impl Flood {
    /// Checks the configuration and starts the threads; connections are made on them.
    pub fn start(config: &FloodConfig) -> Result<Self, StartError> {
        config.check()?;
        let clock = Clock::new();
        let runners: Vec<_> = config.sessions.iter().map(|session| Runner::new(config, session, clock)).collect();
        let sessions: Vec<_> = runners.iter().map(|one| (one.router.clone(), Arc::clone(&one.session))).collect();
        let states = sessions.iter().map(|(_, session)| Arc::clone(session)).collect();
        let gate = Arc::new(Gate::new(states, clock));
        let (alive, done) = sync_channel(0);
        let mut flood = Self { sessions, threads: Vec::new(), done: Mutex::new(done) };
        for (index, share) in deal(runners, config.threads).into_iter().enumerate() {
            let gate = Arc::clone(&gate);
            let thread = std::thread::Builder::new().name(format!("flood-{index}"));
            let alive = alive.clone();
            flood.threads.push(thread.spawn(move || {
                let _alive = alive;
                run_thread(share, clock, &gate)
            })?);
        }
        Ok(flood)
    }

    /// Waits for the end, at most `timeout`; whether it has come.
    pub fn wait(&self, timeout: Duration) -> bool {
        matches!(lock(&self.done).recv_timeout(timeout), Err(RecvTimeoutError::Disconnected))
    }

    /// No further orders; sessions wait for their answers, log out and end.
    pub fn request_stop(&self) {
        for (_, session) in &self.sessions {
            lock(session).stop();
        }
    }

    /// Waits until every session has ended.
    pub fn join(&mut self) {
        for thread in self.threads.drain(..) {
            // A thread that failed has said why in its sessions, or never had one.
            let _ = thread.join();
        }
    }

    /// Stops and waits.
    pub fn stop(&mut self) {
        self.request_stop();
        self.join();
    }

    /// What has been counted so far, session by session. Cheap enough to call once a second.
    pub fn report(&self) -> Vec<SessionReport> {
        let one = |(router, session): &(String, Arc<Mutex<Session>>)| {
            let session = lock(session);
            SessionReport {
                router: router.clone(),
                phase: session.phase(),
                error: session.error.clone(),
                unsent: session.unsent(),
                last_report_seq: session.last_report_seq(),
                tally: session.tally.clone(),
            }
        };
        self.sessions.iter().map(one).collect()
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The sum of all sessions.
pub fn total(sessions: &[SessionReport]) -> Tally {
    let mut sum = Tally::new();
    for session in sessions {
        sum.add(&session.tally);
    }
    sum
}

/// Deals the runners to at most `threads` threads, in turn.
fn deal(runners: Vec<Runner>, threads: usize) -> Vec<Vec<Runner>> {
    let threads = threads.clamp(1, runners.len().max(1));
    let mut shares: Vec<Vec<Runner>> = (0..threads).map(|_| Vec::new()).collect();
    for (index, runner) in runners.into_iter().enumerate() {
        if let Some(share) = shares.get_mut(index % threads) {
            share.push(runner);
        }
    }
    shares
}
