//! The plane: the core, its records, and everything that waits to leave. One thread owns it; each event is appended,
//! applied, and turned into reports and venue messages in one go, without a hand-over.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use riskcore::engine::Engine;
use riskcore::events::Event;
use riskcore::ids::{ClOrdId, OrderId, RouterId};
use riskcore::names::Names;
use riskcore::outcome::{Effect, Outcome};
use riskcore::units::Nanos;
use riskgate_journal::{Health, Journal, Lsn};

use crate::clock::Clock;
use crate::config::Config;
use crate::events::EventLog;
use crate::fleet::FleetSetup;
use crate::lanes::Lane;
use crate::overload::Overload;
use crate::router::Router;
use crate::self_watch::SelfWatch;
use crate::sessions::Stream;
use crate::slab::{Key, Slab};
use crate::venue::drop_copy::Copies;
use crate::venue::state::VenueState;

/// The plane, as tasks of its thread share it. The lock is never held across an `await` and never contended: other
/// threads talk to the plane by commands.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Plane>>);

impl Shared {
    /// Shares a plane.
    pub fn new(plane: Plane) -> Shared {
        Shared(Arc::new(Mutex::new(plane)))
    }

    /// The plane. A panic on this thread has ended the process before anybody could see a poisoned lock. While it is held,
    /// time stands still: a frame's messages came together, and one look at the clock is enough for all of them.
    pub fn lock(&self) -> MutexGuard<'_, Plane> {
        let plane = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plane.now.set(None);
        plane
    }
}

/// A cancel that a router asked for and the venue has not answered.
#[derive(Clone, Copy, Debug)]
pub struct CancelRequest {
    /// The id of the request, if it has one.
    pub cl_ord_id: Option<ClOrdId>,
    /// Its sequence number; 0 on the cancel lane.
    pub client_seq: u64,
}

/// Counts for people.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Sessions cut because they did not read.
    pub slow_readers: u64,
    /// Sessions cut because they were silent.
    pub silent_sessions: u64,
    /// Streams ended because of what their peer sent.
    pub protocol_errors: u64,
    /// Logons refused.
    pub refused_logons: u64,
    /// Orders refused because the way to the venue was full.
    pub venue_busy: u64,
    /// Attempts answered at the edge during a flood.
    pub dropped_attempts: u64,
    /// Times the venue link was lost.
    pub venue_losses: u64,
    /// Quotes taken from the feed.
    pub quotes: u64,
    /// Quotes of symbols that are not configured, or newer ones replaced before the core saw them.
    pub quotes_merged: u64,
    /// Statuses of instruments, or of the market, taken from the feed.
    pub statuses: u64,
    /// Rates taken from the feed.
    pub fx_rates: u64,
    /// Executions of the venue's drop copy.
    pub drop_copies: u64,
    /// Alarms of the core.
    pub alarms: u64,
    /// Steps of the warning ladder.
    pub warnings: u64,
}

/// Alarm events per 10 ms; more are only counted.
pub(crate) const ALARMS_PER_TURN: u32 = 20;

/// See the module.
pub struct Plane {
    /// What it was told.
    pub config: Config,
    /// What it expects of its fleet.
    pub fleet: FleetSetup,
    /// The currency of every limit on money, by its name; empty where none is named.
    pub base_currency: String,
    /// The core.
    pub engine: Engine,
    clock: Clock,
    now: Cell<Option<Nanos>>,
    pub(crate) journal: Box<dyn Journal>,
    /// Per router id.
    pub(crate) routers: Vec<Router>,
    pub(crate) streams: Slab<Stream>,
    pub(crate) lanes: Slab<Lane>,
    pub(crate) venue: VenueState,
    pub(crate) cancels: BTreeMap<OrderId, CancelRequest>,
    /// The record of each halt.
    pub(crate) trip_records: BTreeMap<u64, Lsn>,
    pub(crate) events: Arc<EventLog>,
    pub(crate) oms: Vec<(String, String)>,
    pub(crate) counters: Counters,
    /// When the frame came that is being worked through.
    pub(crate) arrived: Nanos,
    pub(crate) copies: Copies,
    pub(crate) self_watch: SelfWatch,
    pub(crate) overload: Overload,
    pub(crate) alarm_budget: u32,
    pub(crate) poisoned: bool,
    pub(crate) stopping: bool,
    /// What a person is doing at the moment, for the events that follow from it.
    pub(crate) doing: Option<String>,
    /// The threads run: set-up is over.
    pub(crate) running: bool,
    pub(crate) waiting_for_durable: Vec<Waker>,
    record: Vec<u8>,
    effects: Vec<Effect>,
    pub(crate) body: Vec<u8>,
}

impl Plane {
    /// A plane around an engine that has its reference data; routers in id order.
    pub(crate) fn new(config: Config, engine: Engine, clock: Clock, journal: Box<dyn Journal>) -> Plane {
        Plane {
            venue: VenueState::default(),
            config,
            fleet: FleetSetup::default(),
            base_currency: String::new(),
            engine,
            clock,
            now: Cell::default(),
            journal,
            routers: Vec::new(),
            streams: Slab::default(),
            lanes: Slab::default(),
            cancels: BTreeMap::new(),
            trip_records: BTreeMap::new(),
            events: Arc::default(),
            oms: Vec::new(),
            counters: Counters::default(),
            arrived: Nanos::default(),
            copies: Copies::default(),
            self_watch: SelfWatch::default(),
            overload: Overload::default(),
            alarm_budget: ALARMS_PER_TURN,
            poisoned: false,
            stopping: false,
            doing: None,
            running: false,
            waiting_for_durable: Vec::new(),
            record: Vec::with_capacity(1 << 10),
            effects: Vec::with_capacity(1 << 10),
            body: Vec::with_capacity(1 << 10),
        }
    }

    /// The configured names.
    pub fn names(&self) -> &Names {
        &self.engine.state().names
    }

    /// Now, as events carry it; see [`Shared::lock`].
    pub fn now(&self) -> Nanos {
        let now = self.now.get().unwrap_or_else(|| self.clock.now());
        self.now.set(Some(now));
        now
    }

    /// It is this time, until the plane is taken again.
    #[cfg(test)]
    pub(crate) fn stand_at(&self, now: Nanos) {
        self.now.set(Some(now));
    }

    /// The last record appended: what is written now leaves when it is durable.
    pub(crate) fn lsn(&self) -> Lsn {
        self.journal.appended()
    }

    /// Applies an event, and sees to what follows from it beyond the answer.
    pub fn apply(&mut self, event: &Event) -> Outcome {
        let outcome = self.decide(event);
        self.follow_up();
        outcome
    }

    /// Applies an event and records it with its decision, before anything of it can leave. The caller carries out the
    /// answer, then calls `follow_up`: a halt that an order trips must find that order on its way, not after its cancel.
    pub(crate) fn decide(&mut self, event: &Event) -> Outcome {
        let now = self.now();
        let outcome = self.engine.apply(now, event);
        self.record.clear();
        let (seq, decision) = (self.journal.appended().0 + 1, riskcore::record::decision_of(&outcome));
        riskcore::record::encode(seq, now, decision, event, &mut self.record);
        self.journal.append(&self.record);
        outcome
    }

    /// Carries out what the core wants done beyond its answers.
    pub(crate) fn follow_up(&mut self) {
        let mut effects = std::mem::take(&mut self.effects);
        self.engine.take_effects(&mut effects);
        for effect in effects.drain(..) {
            self.carry_out(effect);
        }
        self.effects = effects;
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::SendCancel(order) => self.send_cancel(order),
            Effect::Released(order) => self.report_released(order),
            Effect::Halted(trip) => self.announce_halt(trip),
            Effect::HaltClean(trip) => self.announce_clean(trip),
            Effect::Reinstated(scope) => self.announce_reinstated(scope),
            Effect::LimitChanged => self.announce_limit(),
            Effect::Breached(limit, reject) => self.announce_breach(limit, &reject),
            Effect::Warned(warning) => self.announce_warning(&warning),
            Effect::RestrictionChanged => self.announce_restriction(),
            Effect::Alarm(alarm) => self.announce_alarm(alarm),
            Effect::Gate => self.announce_gate(),
            Effect::Finding(finding) => self.announce_finding(finding),
        }
    }

    /// Every 10 ms: time passes in the core, sessions are looked at, floods are written down. `late`: how long the turn has
    /// waited for its thread.
    pub fn turn(&mut self, late: Nanos) {
        self.alarm_budget = ALARMS_PER_TURN;
        self.check_journal();
        self.write_down_floods();
        self.watch_itself(late);
        self.watch_load();
        self.apply(&Event::Timer);
        self.check_sessions(late);
    }

    fn write_down_floods(&mut self) {
        for router in 0..self.routers.len() {
            self.flush_dropped(RouterId(router as u32));
        }
    }

    /// The last records of an orderly end.
    pub(crate) fn close_records(&mut self) {
        self.write_down_floods();
        self.journal.flush();
    }

    /// A journal that lost a record ends new risk for good; cancels and reports still flow.
    fn check_journal(&mut self) {
        if self.poisoned {
            return;
        }
        if let Health::Poisoned(why) = self.journal.health() {
            self.poisoned = true;
            self.apply(&Event::Halt {
                scope: riskcore::scopes::Scope::Firm,
                state: riskcore::halts::State::CancelOnly,
                principal: "riskgate".to_owned(),
                text: format!("records can no longer be written: {why}"),
            });
        }
    }

    /// The journal has made more records durable: everything that waits may look again.
    pub fn durable_advanced(&mut self) {
        for waker in self.waiting_for_durable.drain(..) {
            waker.wake();
        }
        for key in self.streams.keys().collect::<Vec<Key>>() {
            self.wake_stream(key);
        }
        for key in self.lanes.keys().collect::<Vec<Key>>() {
            self.wake_lane(key);
        }
        self.venue.wake_all();
    }
}

/// Waits until the record at `lsn` is durable.
pub async fn durable(plane: &Shared, lsn: Lsn) {
    std::future::poll_fn(|cx| {
        let mut plane = plane.lock();
        if plane.journal.durable() >= lsn {
            return std::task::Poll::Ready(());
        }
        plane.waiting_for_durable.push(cx.waker().clone());
        std::task::Poll::Pending
    })
    .await;
}

/// Lets other tasks have their turn: back to the end of the run queue.
pub async fn yield_turn() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if yielded {
            return std::task::Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
