//! Start and stop: two threads, the listeners, and the panic hook.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use riskcore::engine::{Engine, EngineConfig};
use riskcore::events::{Event, Instrument, NameKind};
use riskcore::ids::{AccountId, CurrencyId, Ref, SymbolId};
use riskcore::outcome::Outcome;
use riskcore::security::Rules;
use riskcore::units::{Nanos, Price, Qty};
use riskgate_journal::{FileHeader, Journal, MemoryRing, RingOptions};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use crate::admin::{refused, unknown};
use crate::clock::Clock;
use crate::commands::{self, Command, Commands, Inbox};
use crate::config::{Config, PermitSetup, RestrictedSetup, Setup};
use crate::error::Error;
use crate::events::EventLog;
use crate::halt_door::{self, HaltDoor};
use crate::io::Incoming;
use crate::knobs::Knobs;
use crate::limits::limit_named;
use crate::order_entry::OrderPort;
use crate::plane::{Plane, Shared, yield_turn};
use crate::router::Router;
use crate::scope_text;
use crate::secrets;
use crate::venue::state::Phase;
use crate::venue::{drop_copy, feed, link};

/// How long a person's request may wait for the plane.
const ANSWER: Duration = Duration::from_secs(5);

/// How long stopping waits for cancels to be confirmed.
const LAST_CANCELS: Duration = Duration::from_secs(1);

/// The threads, until they are joined.
struct Threads {
    io: JoinHandle<()>,
    halt: JoinHandle<()>,
    stop_halt: oneshot::Sender<()>,
}

/// A running order path.
pub struct DataPlane {
    commands: Commands,
    events: Arc<EventLog>,
    threads: Mutex<Option<Threads>>,
    /// Where routers connect.
    pub order_entry_address: SocketAddr,
    /// Where the halt door listens.
    pub halt_address: SocketAddr,
    /// The limits of the order port, for the log.
    pub knobs: String,
}

impl DataPlane {
    /// Binds the listeners and starts the threads; when this returns, connections are accepted.
    pub fn start(config: Config, setup: Setup) -> Result<DataPlane, Error> {
        abort_on_panic();
        let order_entry = bind(&config.order_entry_listen)?;
        let halt = bind(&config.halt_listen)?;
        let halt_socket = config.halt_socket.as_deref().map(bind_unix).transpose()?;
        let address = |listener: &TcpListener| listener.local_addr().map_err(Error::io("listener address"));
        let (order_entry_address, halt_address) = (address(&order_entry)?, address(&halt)?);
        let knobs = Knobs::order_entry(config.max_sessions, config.heartbeat);
        let (commands, inbox) = commands::queue();
        let door = HaltDoor::new(commands.clone(), setup.operators.clone());
        let halt_file = config.halt_file.clone();
        let mut plane = prepare(config, setup)?;
        plane.engine.touch_pages();
        let events = Arc::clone(&plane.events);
        let text = knobs.to_string();

        let io_runtime = runtime(plane.overload.rest())?;
        let io = spawn("riskgate-io", move || run_io(&io_runtime, plane, inbox, order_entry, knobs))?;
        let (stop, stopped) = oneshot::channel();
        let halt_runtime = runtime(|| ())?;
        let halt = spawn("riskgate-halt", move || {
            halt_runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(halt) else { return };
                let socket = halt_socket.and_then(|socket| tokio::net::UnixListener::from_std(socket).ok());
                halt_door::serve(door, listener, socket, halt_file, stopped).await;
            });
        })?;
        Ok(DataPlane {
            commands,
            events,
            threads: Mutex::new(Some(Threads { io, halt, stop_halt: stop })),
            order_entry_address,
            halt_address,
            knobs: text,
        })
    }

    /// Logs routers out, leaves the venue, joins the threads. Idempotent.
    pub fn stop(&self) {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Threads { io, halt, stop_halt }) = threads else { return };
        self.commands.stop.notify_one();
        // A thread that panicked has ended the process; there is no other failure to join.
        let _ = io.join();
        let _ = stop_halt.send(());
        let _ = halt.join();
        self.events.close();
    }

    /// Runs one unary method of `Admin`.
    pub fn admin(&self, method: &str, request: Vec<u8>, principal: &str) -> Result<Vec<u8>, Error> {
        let (reply, answer) = oneshot::channel();
        let (method, principal) = (method.to_owned(), principal.to_owned());
        self.ask(Command::Admin { method, request, principal, reply })?;
        wait(answer)?
    }

    /// Counters and gauges by name with labels.
    pub fn metrics(&self) -> Result<Vec<(String, u64)>, Error> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Metrics { reply })?;
        wait(answer)
    }

    fn ask(&self, command: Command) -> Result<(), Error> {
        self.commands
            .others
            .try_send(command)
            .map_err(|_| Error::Stopped("the data plane does not run, or too many requests wait for it".to_owned()))
    }

    /// Events after a sequence number, encoded; waits up to `timeout` for the first.
    pub fn next_events(&self, after: u64, timeout: Duration) -> Vec<Vec<u8>> {
        self.events.after(after, timeout)
    }
}

impl Drop for DataPlane {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits for an answer of the plane's thread, from a thread that has no runtime.
fn wait<T>(mut answer: oneshot::Receiver<T>) -> Result<T, Error> {
    let deadline = Instant::now() + ANSWER;
    let late = || Error::Stopped("the data plane did not answer within 5 s".to_owned());
    let thread = std::thread::current();
    let waker = std::task::Waker::from(Arc::new(Unpark(thread)));
    let mut cx = std::task::Context::from_waker(&waker);
    loop {
        match std::pin::Pin::new(&mut answer).poll(&mut cx) {
            std::task::Poll::Ready(answer) => return answer.map_err(|_| late()),
            std::task::Poll::Pending => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(late());
                }
                std::thread::park_timeout(left);
            }
        }
    }
}

struct Unpark(std::thread::Thread);

impl std::task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn bind(address: &str) -> Result<TcpListener, Error> {
    let what = || format!("cannot listen on {address}");
    let resolved = address.to_socket_addrs().map_err(Error::io(what()))?.next();
    let resolved = resolved.ok_or_else(|| Error::Invalid(format!("{address} is not host:port")))?;
    let listener = TcpListener::bind(resolved).map_err(Error::io(what()))?;
    listener.set_nonblocking(true).map_err(Error::io(what()))?;
    Ok(listener)
}

/// A UNIX socket that only its owner may use. One left behind by a dead process is replaced; a live one is not.
fn bind_unix(path: &Path) -> Result<std::os::unix::net::UnixListener, Error> {
    use std::os::unix::net::{UnixListener, UnixStream};
    let what = || format!("cannot listen on {}", path.display());
    if path.exists() && UnixStream::connect(path).is_err() {
        std::fs::remove_file(path).map_err(Error::io(what()))?;
    }
    let listener = UnixListener::bind(path).map_err(Error::io(what()))?;
    let owner_only = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, owner_only).map_err(Error::io(what()))?;
    listener.set_nonblocking(true).map_err(Error::io(what()))?;
    Ok(listener)
}

/// So many turns of tasks between two polls of the kernel: few, so that a flood does not delay others' sockets, and more
/// than one order takes on its way, so that it is not polled for in the middle.
const EVENT_INTERVAL: u32 = 8;

/// A runtime on one thread, which calls `rest` each time before it sleeps.
fn runtime(rest: impl Fn() + Send + Sync + 'static) -> Result<Runtime, Error> {
    Builder::new_current_thread()
        .on_thread_park(rest)
        .enable_io()
        .enable_time()
        .event_interval(EVENT_INTERVAL)
        .build()
        .map_err(Error::io("cannot start a runtime"))
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(Error::io("cannot start a thread"))
}

/// A panic on a data-plane thread ends the process: tokio would swallow it, and a half-applied core would trade on.
#[expect(clippy::print_stderr, reason = "the last line of a process that cannot log any more")]
fn abort_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            match thread.name() {
                Some(name) if name.starts_with("riskgate-") => {
                    eprintln!("{name}: {info}; the process ends, because a half-applied decision must not trade on");
                    std::process::abort();
                }
                _ => others(info),
            }
        }));
    });
}

fn run_io(runtime: &Runtime, plane: Plane, inbox: Inbox, listener: TcpListener, knobs: Knobs) {
    let plane = Shared::new(plane);
    let serving = plane.clone();
    plane.lock().announce("gateway", format!("order port: {knobs}"));
    runtime.block_on(async move {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        tokio::spawn(keep_time(serving.clone()));
        tokio::spawn(link::run(serving.clone()));
        tokio::spawn(feed::run(serving.clone()));
        if serving.lock().config.drop_copy {
            tokio::spawn(drop_copy::run(serving.clone()));
        }
        let port = OrderPort::new(serving.clone(), knobs.clone());
        let server = knobs.server().serve_with_incoming(port, Incoming::new(listener, knobs));
        tokio::select! {
            _ = server => {}
            () = commands::serve(serving.clone(), inbox) => leave(&serving).await,
        }
    });
    plane.lock().close_records();
}

/// The turn of 10 ms. While orders wait to be cancelled, the next turn comes at once.
async fn keep_time(plane: Shared) {
    let mut every = tokio::time::interval(Duration::from_millis(10));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let due = every.tick().await;
        let late = Nanos(i64::try_from(due.elapsed().as_nanos()).unwrap_or(i64::MAX));
        plane.lock().turn(late);
        while plane.lock().sweep() {
            yield_turn().await;
        }
    }
}

/// Logs routers out and waits, within reason, until their cancelled orders are confirmed.
async fn leave(plane: &Shared) {
    plane.lock().log_everybody_out();
    let deadline = Instant::now() + LAST_CANCELS;
    loop {
        {
            let plane = plane.lock();
            let done = plane.engine.state().orders.open() == 0
                || plane.venue.phase == Phase::Down
                || !plane.config.cancel_on_disconnect;
            if done && plane.streams.is_empty() || Instant::now() > deadline {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Plane {
    /// One turn of a halt sweep; `false` when none is pending.
    fn sweep(&mut self) -> bool {
        let pending = self.engine.sweep_pending();
        if pending {
            self.apply(&Event::Timer);
        }
        pending && self.engine.sweep_pending()
    }
}

/// The engine with its reference data, and the plane around it.
pub fn prepare(config: Config, setup: Setup) -> Result<Plane, Error> {
    let seed = secrets::random().map_err(Error::io("/dev/urandom"))?;
    let (seed, _) = seed.split_first_chunk().unwrap_or((&[0; 8], &[]));
    let engine_config = EngineConfig {
        epoch: config.epoch,
        trading_day: config.trading_day,
        seed: u64::from_le_bytes(*seed),
        max_orders: config.max_orders,
        max_parents: config.max_parents,
        in_flight_mitigation: config.replace_in_flight_mitigation,
        ..EngineConfig::default()
    };
    let journal = open_journal(&config, &engine_config)?;
    let mut plane = Plane::new(config, Engine::new(&engine_config), Clock::start(Nanos(0)), journal);
    define(&mut plane, setup)?;
    plane.running = true;
    Ok(plane)
}

fn open_journal(config: &Config, engine: &EngineConfig) -> Result<Box<dyn Journal>, Error> {
    let options = RingOptions::default();
    let Some(path) = &config.journal_file else { return Ok(Box::new(MemoryRing::new(&options))) };
    let header = FileHeader {
        epoch: engine.epoch,
        trading_day: engine.trading_day,
        seed: engine.seed,
        max_orders: engine.max_orders as u32,
        max_pairs: engine.max_pairs as u32,
        max_parents: engine.max_parents as u32,
        in_flight_mitigation: engine.in_flight_mitigation,
    };
    let what = format!("record file {} (it must not exist yet; move the old one away)", path.display());
    Ok(Box::new(MemoryRing::with_file(&options, path, header).map_err(Error::io(what))?))
}

fn define(plane: &mut Plane, setup: Setup) -> Result<(), Error> {
    if plane.config.publishes_phases {
        must(plane, &Event::PhasesPublished { published: true }, "[venue] publishes_phases")?;
    }
    for (n, account) in setup.accounts.iter().enumerate() {
        name(plane, NameKind::Account, &account.name)?;
        let required = account.parent_required;
        must(plane, &Event::ParentRequired { account: AccountId(n as u32), required }, &account.name)?;
        if account.smp_group.is_some() {
            // A group's number is the place of the first account that names it.
            let group = setup.accounts.iter().position(|other| other.smp_group == account.smp_group);
            let group = group.map(|group| group as u32);
            must(plane, &Event::SelfMatchGroup { account: AccountId(n as u32), group }, &account.name)?;
        }
    }
    for strategy in &setup.strategies {
        name(plane, NameKind::Strategy, strategy)?;
    }
    for (n, symbol) in setup.symbols.iter().enumerate() {
        name(plane, NameKind::Symbol, &symbol.name)?;
        let currency = symbol.currency.as_deref().map(|name| currency(plane, name)).transpose()?;
        let instrument = Instrument { currency, ..symbol.instrument };
        let id = SymbolId(n as u32);
        must(plane, &Event::Instrument { symbol: id, instrument }, &symbol.name)?;
        if symbol.rules != Rules::default() {
            must(plane, &Event::SymbolRules { symbol: id, rules: symbol.rules }, &symbol.name)?;
        }
        if let Some(price) = symbol.prior_close {
            must(plane, &Event::PriorClose { symbol: id, price: Price(price) }, &symbol.name)?;
        }
        if symbol.average_volume.is_some() {
            must(plane, &Event::AverageVolume { symbol: id, qty: symbol.average_volume }, &symbol.name)?;
        }
        if let Some(group) = &symbol.security_group {
            put_in_group(plane, id, group)?;
        }
    }
    for router in setup.routers {
        name(plane, NameKind::Router, &router.name)?;
        let mut accounts = vec![false; setup.accounts.len()];
        for account in &router.accounts {
            let id = configured("account", account, plane.names().account(account))?;
            if let Some(slot) = accounts.get_mut(id.index()) {
                *slot = true;
            }
        }
        plane.routers.push(Router::new(router.name, router.token, accounts, plane.config.reports));
    }
    plane.base_currency = setup.base_currency;
    plane.fleet = setup.fleet;
    plane.set_up_fleet();
    plane.oms = setup.oms.into_iter().map(|oms| (oms.name, oms.token)).collect();
    if let Some(readiness) = &setup.readiness {
        plane.set_up_readiness(readiness)?;
    }
    for text in setup.known {
        plane.known(&text)?;
    }
    define_lists(plane, setup.permits, setup.restricted)?;
    for limit in setup.limits {
        let target = scope_text::parse_target(&limit.scope, plane.names())?;
        let what = format!("limit {} of {}", limit.limit, limit.scope);
        let principal = limit.principal.clone();
        let (limit, setting) = (limit_named(&limit.limit)?, limit.setting()?);
        must(plane, &Event::SetLimit { target, limit, setting, principal }, &what)?;
    }
    for opening in setup.opening {
        let account = configured("account", &opening.account, plane.names().account(&opening.account))?;
        let symbol = configured("symbol", &opening.symbol, plane.names().symbol(&opening.symbol))?;
        let (qty, mark) = (Qty(opening.qty), Price(opening.mark));
        let what = format!("opening position {}/{}", opening.account, opening.symbol);
        must(plane, &Event::OpeningPosition { account, symbol, qty, mark }, &what)?;
    }
    Ok(())
}

/// The group of a symbol; a new one has no id yet.
fn put_in_group(plane: &mut Plane, symbol: SymbolId, group: &str) -> Result<(), Error> {
    if plane.names().security_group(group).known().is_none() {
        name(plane, NameKind::SecurityGroup, group)?;
    }
    let id = configured("security group", group, plane.names().security_group(group))?;
    must(plane, &Event::SecurityGroup { symbol, group: id }, group)
}

/// Who may trade what, and the restricted list.
fn define_lists(plane: &mut Plane, permits: Vec<PermitSetup>, restricted: Vec<RestrictedSetup>) -> Result<(), Error> {
    for permit in permits {
        let scope = scope_text::parse_scope(&permit.scope, plane.names())?;
        let symbols = permit.symbols.iter().map(|name| configured("symbol", name, plane.names().symbol(name)));
        let symbols = symbols.collect::<Result<_, _>>()?;
        must(plane, &Event::Permit { scope, symbols }, &format!("symbols of {}", permit.scope))?;
    }
    for entry in restricted {
        let symbol = configured("symbol", &entry.symbol, plane.names().symbol(&entry.symbol))?;
        let (stops, principal, text) = (Some(entry.stops), "config".to_owned(), entry.text);
        must(plane, &Event::Restrict { symbol, stops, principal, text }, &format!("restricted {}", entry.symbol))?;
    }
    Ok(())
}

fn name(plane: &mut Plane, kind: NameKind, name: &str) -> Result<(), Error> {
    must(plane, &Event::Define { kind, name: name.to_owned() }, &format!("{kind:?} {name:?}"))
}

/// A currency gets its id from the first symbol that is quoted in it.
fn currency(plane: &mut Plane, text: &str) -> Result<CurrencyId, Error> {
    if plane.names().currency(text) == Ref::Unknown {
        name(plane, NameKind::Currency, text)?;
    }
    configured("currency", text, plane.names().currency(text))
}

fn configured<T>(what: &str, name: &str, found: Ref<T>) -> Result<T, Error> {
    found.known().ok_or_else(|| unknown(what, name))
}

fn must(plane: &mut Plane, event: &Event, what: &str) -> Result<(), Error> {
    match plane.apply(event) {
        Outcome::Applied => Ok(()),
        outcome => Err(Error::Invalid(format!("{what}: {}", refused(&outcome)))),
    }
}
