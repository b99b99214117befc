//! What other threads ask of the plane: plain messages through a queue, worked off by its thread. The halt door has a
//! queue of its own, which comes first.

use std::sync::Arc;

use riskcore::events::Event;
use riskcore::halts::State;
use riskcore::outcome::Outcome;
use riskcore::scopes::ScopeKind;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::error::Error;
use crate::listing;
use crate::plane::{Plane, Shared, durable};
use crate::scope_text;

/// A halt from the native door.
#[derive(Debug)]
pub struct HaltCommand {
    /// What.
    pub target: HaltTarget,
    /// How severely.
    pub state: State,
    /// Who.
    pub principal: String,
    /// Why.
    pub text: String,
    /// Trip id and open orders; dropped if nobody waits.
    pub reply: oneshot::Sender<Result<Halted, Error>>,
}

/// What a halt is to apply to.
#[derive(Debug)]
pub enum HaltTarget {
    /// A kind and names, from a message.
    Names(ScopeKind, String, String),
    /// A text, from a file.
    Text(String),
}

/// A halt is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halted {
    /// Its trip.
    pub trip_id: u64,
    /// Orders that rested in the scope when it latched.
    pub open_orders: u32,
}

/// Anything else.
#[derive(Debug)]
pub enum Command {
    /// A unary method of `Admin`.
    Admin {
        /// Its name.
        method: String,
        /// The serialized request.
        request: Vec<u8>,
        /// Who asks; authenticated.
        principal: String,
        /// The serialized response.
        reply: oneshot::Sender<Result<Vec<u8>, Error>>,
    },
    /// Counters and gauges.
    Metrics {
        /// By name with labels.
        reply: oneshot::Sender<Vec<(String, u64)>>,
    },
}

/// The other threads' end.
#[derive(Clone, Debug)]
pub struct Commands {
    /// Halts.
    pub halts: mpsc::Sender<HaltCommand>,
    /// The rest.
    pub others: mpsc::Sender<Command>,
    /// The gateway stops.
    pub stop: Arc<Notify>,
}

/// The plane's end.
pub struct Inbox {
    halts: mpsc::Receiver<HaltCommand>,
    others: mpsc::Receiver<Command>,
    stop: Arc<Notify>,
}

/// Commands that may wait; more are refused where they come from.
const WAITING: usize = 256;

/// A queue.
pub fn queue() -> (Commands, Inbox) {
    let (halts, halt_inbox) = mpsc::channel(WAITING);
    let (others, inbox) = mpsc::channel(WAITING);
    let stop = Arc::new(Notify::new());
    (Commands { halts, others, stop: Arc::clone(&stop) }, Inbox { halts: halt_inbox, others: inbox, stop })
}

/// Works off commands until the gateway is told to stop.
pub async fn serve(plane: Shared, mut inbox: Inbox) {
    loop {
        let command = tokio::select! {
            biased;
            Some(halt) = inbox.halts.recv() => {
                let (answer, lsn) = {
                    let mut plane = plane.lock();
                    (plane.on_halt(&halt), plane.lsn())
                };
                durable(&plane, lsn).await;
                let _ = halt.reply.send(answer);
                continue;
            }
            () = inbox.stop.notified() => return,
            Some(command) = inbox.others.recv() => command,
            else => return,
        };
        match command {
            Command::Admin { method, request, reply, .. } if method == "ListScopes" => {
                tokio::spawn(listing::scopes(plane.clone(), request, reply));
            }
            Command::Admin { method, request, principal, reply } => {
                let (answer, lsn) = {
                    let mut plane = plane.lock();
                    (plane.admin(&method, &request, &principal), plane.lsn())
                };
                durable(&plane, lsn).await;
                let _ = reply.send(answer);
            }
            Command::Metrics { reply } => {
                let _ = reply.send(plane.lock().metrics());
            }
        }
    }
}

impl Plane {
    fn on_halt(&mut self, halt: &HaltCommand) -> Result<Halted, Error> {
        let scope = match &halt.target {
            HaltTarget::Names(kind, name, symbol) => scope_text::resolve(*kind, name, symbol, self.names())?,
            HaltTarget::Text(text) => scope_text::parse_scope(text, self.names())?,
        };
        self.halt(scope, halt.state, &halt.principal, &halt.text)
    }

    /// Halts a scope for a person.
    pub(crate) fn halt(
        &mut self,
        scope: riskcore::scopes::Scope,
        state: State,
        principal: &str,
        text: &str,
    ) -> Result<Halted, Error> {
        let event = Event::Halt { scope, state, principal: clipped(principal), text: clipped(text) };
        match self.apply(&event) {
            Outcome::Halted(trip_id) => {
                let known = self.engine.state().halts.trip(trip_id);
                let open_orders = known.map_or_else(|| self.engine.outstanding(scope), |trip| trip.open_orders);
                Ok(Halted { trip_id, open_orders })
            }
            Outcome::Refused(reject) => Err(Error::Refused(reject.reason.doc.to_owned())),
            other => Err(Error::Refused(format!("the core answered {other:?}"))),
        }
    }
}

/// Text of people in records, within the bound of a record.
pub(crate) fn clipped(text: &str) -> String {
    let mut end = text.len().min(riskcore::record::MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
