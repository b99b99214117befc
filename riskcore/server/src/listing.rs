//! `ListScopes`, a few scopes at a time: a listing grows with routers, symbols and limits, and orders go on meanwhile.

use prost::Message;
use riskcore::scopes::ScopeIx;
use tokio::sync::oneshot;

use crate::admin::decode;
use crate::error::Error;
use crate::plane::{Plane, Shared, durable, yield_turn};
use crate::proto;

/// Scopes that are described before orders have their turn.
const PART: usize = 2;

/// Answers `ListScopes`. Each scope is told as it stands when its turn comes.
pub async fn scopes(plane: Shared, request: Vec<u8>, reply: oneshot::Sender<Result<Vec<u8>, Error>>) {
    let request: proto::ListScopesRequest = match decode(&request) {
        Ok(request) => request,
        Err(error) => {
            let _ = reply.send(Err(error));
            return;
        }
    };
    // The parts one after the other are the whole: so Protocol Buffers merges what is repeated.
    let (mut answer, mut from) = (Vec::new(), Some(0));
    while let Some(first) = from.filter(|_| !reply.is_closed()) {
        let (part, next) = plane.lock().list_scopes(&request, first, PART);
        answer.append(&mut part.encode_to_vec());
        from = next;
        yield_turn().await;
    }
    let lsn = plane.lock().lsn();
    durable(&plane, lsn).await;
    let _ = reply.send(Ok(answer));
}

impl Plane {
    /// At most `most` scopes from the one with index `first` on, and the index to go on from.
    fn list_scopes(
        &self,
        request: &proto::ListScopesRequest,
        first: usize,
        most: usize,
    ) -> (proto::ListScopesResponse, Option<usize>) {
        let state = self.engine.state();
        let all = (first..state.scopes.len()).map(|n| ScopeIx(n as u32));
        let mut wanted = all.filter(|ix| !request.halted_only || self.is_halted(*ix)).peekable();
        let scopes = wanted.by_ref().take(most).filter_map(|ix| self.scope_status(ix, state.scopes.at(ix))).collect();
        (proto::ListScopesResponse { scopes }, wanted.peek().map(|ix| ix.at()))
    }
}
