//! The door that can only halt: a listener, a UNIX socket and a file, on a thread of its own. It works while Python hangs
//! and while the order port floods; it knows no command that loosens anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use riskcore::halts::State;
use riskcore::scopes::ScopeKind;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::oneshot;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status};

use crate::commands::{Commands, HaltCommand, HaltTarget, Halted};
use crate::config::PrincipalSetup;
use crate::error::Error;
use crate::io::{Cord, Incoming};
use crate::knobs::Knobs;
use crate::proto;
use crate::proto::emergency_halt_server::{EmergencyHalt, EmergencyHaltServer};
use crate::secrets;

/// How long a halt may wait for the plane. It takes microseconds; later than this something is badly wrong, and the caller
/// must hear so.
const ANSWER: Duration = Duration::from_secs(5);

/// How often the halt file is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// The largest halt file that is read.
const MAX_FILE: usize = 1_024;

/// Serves the door.
#[derive(Clone)]
pub struct HaltDoor {
    commands: Commands,
    operators: Arc<Vec<PrincipalSetup>>,
}

impl HaltDoor {
    /// A door for these operators.
    pub fn new(commands: Commands, operators: Vec<PrincipalSetup>) -> HaltDoor {
        HaltDoor { commands, operators: Arc::new(operators) }
    }

    fn authenticate(&self, name: &str, token: &str) -> Result<(), Status> {
        let known = self.operators.iter().find(|operator| operator.name == name);
        let expected = known.map_or("", |operator| operator.token.as_str());
        if !secrets::equal(token.as_bytes(), expected.as_bytes()) || expected.is_empty() {
            return Err(Status::unauthenticated("operator: nobody has this name and token"));
        }
        if known.is_some_and(|operator| !operator.may_halt) {
            return Err(Status::permission_denied("operator: this role may not halt"));
        }
        Ok(())
    }

    async fn send(&self, target: HaltTarget, state: State, principal: &str, text: &str) -> Result<Halted, Error> {
        let (reply, answer) = oneshot::channel();
        let halt = HaltCommand { target, state, principal: principal.to_owned(), text: text.to_owned(), reply };
        let stopped = || Error::Stopped("the data plane does not answer; halt at the venue".to_owned());
        let asked = async {
            self.commands.halts.send(halt).await.map_err(|_| stopped())?;
            answer.await.map_err(|_| stopped())?
        };
        tokio::time::timeout(ANSWER, asked).await.map_err(|_| stopped())?
    }

    /// Looks for the halt file. Its first line may name a scope; an empty file means the firm. A file that stays halts
    /// once; one that is written anew halts again.
    pub async fn watch_file(self, path: PathBuf) {
        let mut seen = None;
        loop {
            let now = stamp(&path);
            if now != seen {
                if now.is_some() {
                    self.halt_by_file(&path).await;
                }
                seen = now;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn halt_by_file(&self, path: &Path) {
        let scope = read_scope(path);
        let text = format!("halt file {}", path.display());
        let halted = self.send(HaltTarget::Text(scope), State::Halted, "halt-file", &text).await;
        // A scope that cannot be read must not make the file powerless.
        if let Err(Error::Invalid(why)) = halted {
            let text = format!("{text}: {why}; the firm is halted instead");
            let _ = self.send(HaltTarget::Text("firm".to_owned()), State::Halted, "halt-file", &text).await;
        }
    }
}

fn stamp(path: &Path) -> Option<(u64, std::time::SystemTime)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().unwrap_or(std::time::UNIX_EPOCH)))
}

fn read_scope(path: &Path) -> String {
    use std::io::Read;
    let mut text = Vec::new();
    if let Ok(file) = std::fs::File::open(path) {
        let _ = file.take(MAX_FILE as u64).read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    match text.lines().next().map(str::trim) {
        None | Some("") => "firm".to_owned(),
        Some(line) => line.to_owned(),
    }
}

#[tonic::async_trait]
impl EmergencyHalt for HaltDoor {
    async fn halt(&self, request: Request<proto::HaltRequest>) -> Result<Response<proto::HaltResponse>, Status> {
        let cord = request.extensions().get::<Cord>().cloned();
        let halt = request.into_inner();
        self.authenticate(&halt.operator, &halt.token)?;
        if let Some(cord) = cord {
            cord.identified();
        }
        let state = match halt.state() {
            proto::HaltState::Unspecified | proto::HaltState::Halted => State::Halted,
            proto::HaltState::CancelOnly => State::CancelOnly,
            _ => return Err(Status::invalid_argument("state: this door sets CANCEL_ONLY or HALTED")),
        };
        let scope = halt.scope.unwrap_or_default();
        let kind = u8::try_from(scope.kind).ok().and_then(ScopeKind::from_number);
        let kind = kind.ok_or_else(|| Status::invalid_argument("scope.kind: missing or unknown"))?;
        let target = HaltTarget::Names(kind, scope.name, scope.symbol);
        match self.send(target, state, &halt.operator, &halt.reason).await {
            Ok(Halted { trip_id, open_orders }) => Ok(Response::new(proto::HaltResponse { trip_id, open_orders })),
            Err(Error::Stopped(why)) => Err(Status::unavailable(why)),
            Err(why) => Err(Status::invalid_argument(why.to_string())),
        }
    }
}

/// Serves every way in until `stop`.
pub async fn serve(
    door: HaltDoor,
    listener: TcpListener,
    socket: Option<UnixListener>,
    file: Option<PathBuf>,
    stop: oneshot::Receiver<()>,
) {
    let knobs = Knobs::halt_door();
    let service = || EmergencyHaltServer::new(door.clone()).max_decoding_message_size(knobs.max_message_size);
    if let Some(path) = file {
        tokio::spawn(door.clone().watch_file(path));
    }
    if let Some(socket) = socket {
        let server = knobs.server();
        let service = service();
        tokio::spawn(async move { server.serve_with_incoming(service, UnixListenerStream::new(socket)).await });
    }
    tokio::select! {
        _ = knobs.server().serve_with_incoming(service(), Incoming::new(listener, knobs.clone())) => {}
        _ = stop => {}
    }
}
