//! `ListScopes`, a few scopes at a time: a listing grows with routers, symbols and limits, and orders go on meanwhile.

use prost::Message;
use riskcore::scopes::ScopeIx;
use tokio::sync::oneshot;

use crate::admin::decode;
use crate::error::Error;
use crate::plane::{Plane, Shared, durable, yield_turn};
use crate::proto;

/// Scopes that are described before orders have their turn, when there are few.
const PART: usize = 2;

/// Parts of a listing at most: in a flood each waits for all that the sessions have to say, and whoever watches it must still be
/// answered in time.
const PARTS: usize = 256;

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
        let (part, next) = plane.lock().list_scopes(&request, first);
        answer.append(&mut part.encode_to_vec());
        from = next;
        yield_turn().await;
    }
    let lsn = plane.lock().lsn();
    durable(&plane, lsn).await;
    let _ = reply.send(Ok(answer));
}

impl Plane {
    /// The part from the scope with index `first` on, and the index to go on from.
    fn list_scopes(
        &self,
        request: &proto::ListScopesRequest,
        first: usize,
    ) -> (proto::ListScopesResponse, Option<usize>) {
        let state = self.engine.state();
        let most = part_of(state.scopes.len());
        let all = (first..state.scopes.len()).map(|n| ScopeIx(n as u32));
        let mut wanted = all.filter(|ix| !request.halted_only || self.is_halted(*ix)).peekable();
        let scopes = wanted.by_ref().take(most).filter_map(|ix| self.scope_status(ix, state.scopes.at(ix))).collect();
        (proto::ListScopesResponse { scopes }, wanted.peek().map(|ix| ix.at()))
    }
}

/// Scopes of a part, of so many in all.
fn part_of(scopes: usize) -> usize {
    scopes.div_ceil(PARTS).max(PART)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_listing_has_more_parts_than_can_be_waited_for() {
        for scopes in [1_usize, 2, 511, 512, 513, 10_000, 1_000_000] {
            assert!(scopes.div_ceil(part_of(scopes)) <= PARTS, "{scopes} scopes");
        }
        assert_eq!(PART, part_of(PART * PARTS));
    }
}
