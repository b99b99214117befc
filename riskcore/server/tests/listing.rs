//! Scopes are listed a few at a time; what comes out is one list.

mod common;

use std::collections::BTreeSet;

use common::router::Router;
use common::venue::Venue;
use common::{Gateway, Options, router_scope};
use riskgate_server::proto;

fn listed(gateway: &Gateway, halted_only: bool) -> Vec<proto::Scope> {
    let request = proto::ListScopesRequest { halted_only };
    let response: proto::ListScopesResponse = gateway.admin("ListScopes", &request);
    response.scopes.into_iter().filter_map(|status| status.scope).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scope_is_listed_once() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let mut router = Router::log_on(&gateway, "r3").await;
    router.order("A1");
    router.report().await;
    let scopes = listed(&gateway, false);

    let names: BTreeSet<_> = scopes.iter().map(|s| (s.kind, s.name.clone(), s.symbol.clone())).collect();
    assert_eq!(names.len(), scopes.len());
    assert_eq!(Some(proto::ScopeKind::Firm as i32), scopes.first().map(|scope| scope.kind));
    for router in ["r1", "r2", "r3"] {
        assert!(scopes.contains(&router_scope(router)), "{router} of {scopes:?}");
    }
    let of_pairs = scopes.iter().filter(|scope| !scope.symbol.is_empty());
    assert_eq!(1, of_pairs.filter(|scope| scope.kind == proto::ScopeKind::AccountSymbol as i32).count());
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_are_halted_are_listed_wherever_they_stand() {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options::default()).await;
    let halt = |name: &str| proto::HaltScopeRequest {
        scope: Some(router_scope(name)),
        state: proto::HaltState::Unspecified as i32,
        reason: "test".to_owned(),
    };
    assert_eq!(Vec::<proto::Scope>::new(), listed(&gateway, true));
    for name in ["r1", "r3"] {
        gateway.admin::<proto::HaltScopeResponse>("HaltScope", &halt(name));
    }

    assert_eq!(vec![router_scope("r1"), router_scope("r3")], listed(&gateway, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_none_is_refused() {
    let venue = Venue::start().await;
    let gateway = Gateway::start(&venue, Options::default());
    let error = gateway.plane.admin("ListScopes", vec![0xff], "alice").expect_err("no request");

    assert!(error.to_string().contains("the request is not what this method takes"), "{error}");
}
