//! What routers say at logon: compared, refused, quarantined, remembered - over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use common::router::{Router, order};
use common::venue::Venue;
use common::{Gateway, Options, until};
use prost::Message;
use riskgate_server::fleet::attestation::Attributes;
use riskgate_server::fleet::flags::Flag;
use riskgate_server::fleet::{FleetSetup, Policy};
use riskgate_server::proto;
use riskgate_server::proto::router_message::Body as Out;
use tonic::{Code, Status};

/// What a deployed router says.
fn said(name: &str) -> proto::Logon {
    proto::Logon {
        router: name.to_owned(),
        token: format!("token of {name}"),
        instance_id: format!("{name}:1"),
        host: format!("host-of-{name}"),
        build: "smars-2012.08".to_owned(),
        binary_sha256: "ab".repeat(32),
        environment: "prod".to_owned(),
        feature_flags: [("RLP".to_owned(), "2".to_owned())].into(),
        signature: vec![1; 64],
        ..proto::Logon::default()
    }
}

/// What the server says that was not deployed to.
fn stale(name: &str) -> proto::Logon {
    proto::Logon {
        build: "smars-2005.03".to_owned(),
        binary_sha256: "cd".repeat(32),
        feature_flags: [("POWER_PEG".to_owned(), "1".to_owned())].into(),
        ..said(name)
    }
}

fn expected() -> Attributes {
    [
        ("binary_sha256", "ab".repeat(32)),
        ("environment", "prod".to_owned()),
        ("feature_flags", "RLP=2".to_owned()),
        ("signature", "01".repeat(64)),
    ]
    .into()
}

fn manifest(policy: Policy) -> FleetSetup {
    let names = ["r1", "r2"];
    let expected: BTreeMap<String, Attributes> = names.iter().map(|name| ((*name).to_owned(), expected())).collect();
    FleetSetup { policy, has_manifest: true, expected, ..FleetSetup::default() }
}

fn registry() -> Vec<Flag> {
    let flag = |bit, name: &str, version: &str, retired| Flag {
        bit,
        name: name.to_owned(),
        version: version.to_owned(),
        owner: "desk".to_owned(),
        retired,
        readers: vec!["smars".to_owned()],
    };
    vec![flag(0, "POWER_PEG", "1", true), flag(0, "RLP", "2", false)]
}

async fn log_on(gateway: &Gateway, logon: proto::Logon) -> Result<Router, Status> {
    let name = logon.router.clone();
    let message = proto::RouterMessage { client_seq: 0, body: Some(Out::Logon(logon)) };
    let mut router = Router::try_attest(gateway, &name, message).await?;
    router.beat();
    Ok(router)
}

async fn refusal(gateway: &Gateway, logon: proto::Logon) -> String {
    let status = log_on(gateway, logon).await.err().expect("a refusal");
    assert_eq!(Code::PermissionDenied, status.code());
    status.message().to_owned()
}

async fn leave(gateway: &Gateway, router: Router) {
    let name = router.name.clone();
    router.send_raw(vec![proto::RouterMessage {
        client_seq: 0,
        body: Some(Out::Logout(proto::Logout { text: String::new() })),
    }]);
    drop(router);
    until("the session ends", || {
        gateway.status().routers.iter().any(|router| router.router == name && !router.connected)
    })
    .await;
}

fn fleet(gateway: &Gateway) -> proto::GetFleetResponse {
    gateway.admin("GetFleet", &proto::GetFleetRequest {})
}

async fn start(fleet: FleetSetup) -> (Venue, Gateway) {
    let venue = Venue::start().await;
    let gateway = Gateway::ready(&venue, Options { fleet, ..Options::default() }).await;
    (venue, gateway)
}

#[tokio::test]
async fn a_server_that_was_not_deployed_to_is_refused_with_every_attribute_that_differs() {
    let (_venue, gateway) = start(manifest(Policy::Refuse)).await;

    assert_eq!(
        "logon: this is not what the manifest expects here: binary_sha256 is cdcdcdcdcdcd..., expected abababababab...; \
         feature_flags is POWER_PEG=1, expected RLP=2; deploy what the manifest names, or sign a new manifest",
        refusal(&gateway, stale("r1")).await
    );
    // The neighbour is not concerned, and the same router comes in once it is deployed to.
    assert!(log_on(&gateway, said("r2")).await.is_ok());
    let row = fleet(&gateway).rows.into_iter().find(|row| row.router == "r1").unwrap();
    assert_eq!("refused", row.presence);
    assert_eq!("smars-2005.03", row.attributes["build"]);
    assert!(row.refusal.contains("binary_sha256"));
    assert_eq!(1, gateway.metric("attestation_mismatch{attribute=binary_sha256,router=r1}"));
    assert_eq!(0, gateway.metric("attestation_mismatch{attribute=binary_sha256,router=r2}"));
    assert_eq!(1, gateway.metric("attestation_mismatch{attribute=missing,router=r3}"));

    let router = log_on(&gateway, said("r1")).await.expect("what the manifest expects");

    assert_eq!(proto::HaltState::Active as i32, router.ack.state);
    assert_eq!(0, gateway.metric("attestation_mismatch{attribute=binary_sha256,router=r1}"));
}

#[tokio::test]
async fn a_document_of_another_deployment_a_router_without_an_entry_and_another_environment_are_refused() {
    let (_venue, gateway) = start(manifest(Policy::Quarantine)).await;

    let message = refusal(&gateway, proto::Logon { environment: "test".to_owned(), ..said("r1") }).await;
    assert!(message.contains("its environment is test, and this gateway's is prod"), "{message}");
    let message = refusal(&gateway, proto::Logon { environment: String::new(), ..said("r1") }).await;
    assert!(message.contains("its environment is missing"), "{message}");

    let (_venue, gateway) = start(FleetSetup { policy: Policy::Refuse, ..manifest(Policy::Refuse) }).await;
    let message = refusal(&gateway, proto::Logon { signature: vec![2; 64], ..said("r1") }).await;
    assert!(message.contains("signature is 020202020202..., expected 010101010101..."), "{message}");
    let message = refusal(&gateway, said("r3")).await;
    assert!(message.contains("expected a router that the manifest names"), "{message}");
}

#[tokio::test]
async fn under_quarantine_it_trades_small_and_two_people_promote_it() {
    let (_venue, gateway) = start(manifest(Policy::Quarantine)).await;
    let mut odd = log_on(&gateway, stale("r1")).await.expect("admitted");
    let mut peer = log_on(&gateway, said("r2")).await.expect("admitted");

    odd.order("A0");
    assert_eq!("CANARY_NOT_CONFIGURED", odd.report().await.reject.unwrap().name);
    let lets_it_trade = set(&gateway, "r1", "canary_max_order_qty", "10");
    assert!(!lets_it_trade.applied);
    approve(&gateway, lets_it_trade.proposal_id);
    odd.order("A1");
    peer.order("B1");

    let reject = odd.report().await.reject.expect("a reject");
    assert_eq!(("CANARY_ORDER_QTY", "10", "100"), (&*reject.name, &*reject.limit, &*reject.value));
    assert!(peer.report().await.reject.is_none());
    let rows = fleet(&gateway).rows;
    assert_eq!(
        vec![("r1", true), ("r2", false), ("r3", false)],
        rows.iter().map(|r| (&*r.router, r.canary)).collect::<Vec<_>>()
    );

    let request = proto::ProposePromotionRequest { router: "r1".to_owned(), reason: "seen".to_owned() };
    let proposed: proto::ProposePromotionResponse = gateway.admin("ProposePromotion", &request);
    approve(&gateway, proposed.proposal_id);
    odd.order("A2");

    assert!(odd.report().await.reject.is_none());
}

#[tokio::test]
async fn coming_back_changed_halts_the_router_and_coming_back_the_same_does_not() {
    // The manifest says nothing of the commit, so what changes is not a mismatch.
    let (_venue, gateway) = start(manifest(Policy::Refuse)).await;
    let router = log_on(&gateway, said("r1")).await.unwrap();
    leave(&gateway, router).await;
    let moved = proto::Logon { instance_id: "r1:2".to_owned(), host: "standby".to_owned(), ..said("r1") };
    let router = log_on(&gateway, moved).await.unwrap();
    assert_eq!(proto::HaltState::Active as i32, router.ack.state);
    leave(&gateway, router).await;

    let mut router = log_on(&gateway, proto::Logon { vcs_commit: "f00".to_owned(), ..said("r1") }).await.unwrap();

    assert_eq!(proto::HaltState::Halted as i32, router.ack.state);
    router.order("A1");
    assert_eq!("HALTED", router.report().await.reject.unwrap().name);
    let trip = gateway.status().trips.remove(0);
    assert_eq!("ATTESTATION_CHANGED", trip.cause.unwrap().name);
    assert_eq!("attestation changed", trip.text);
}

#[tokio::test]
async fn without_a_manifest_nothing_is_enforced_and_the_odd_one_out_is_named() {
    let (_venue, gateway) = start(FleetSetup::default()).await;
    let _r1 = log_on(&gateway, said("r1")).await.unwrap();
    let _r2 = log_on(&gateway, said("r2")).await.unwrap();
    let r3 = log_on(&gateway, stale("r3")).await.unwrap();
    leave(&gateway, r3).await;
    let again = log_on(&gateway, proto::Logon { deploy_id: "d".to_owned(), ..stale("r3") }).await.unwrap();

    assert_eq!(proto::HaltState::Active as i32, again.ack.state);
    let shown = fleet(&gateway);
    assert!(!shown.has_manifest);
    assert_eq!(
        vec![
            "r3: binary_sha256 differs from 2 of 3 (cdcdcdcdcdcd... instead of abababababab...); build differs from 2 of 3 \
             (smars-2005.03 instead of smars-2012.08); deploy_id differs from 2 of 3 (d instead of missing); feature_flags \
             differs from 2 of 3 (POWER_PEG=1 instead of RLP=2)"
        ],
        shown.findings
    );
}

#[tokio::test]
async fn an_order_whose_flag_the_build_does_not_know_never_reaches_the_venue() {
    let (venue, gateway) = start(FleetSetup { flags: registry(), ..FleetSetup::default() }).await;
    let mut new = log_on(&gateway, said("r1")).await.unwrap();
    let mut old = log_on(&gateway, stale("r2")).await.unwrap();
    let flagged = |id: &str| Out::NewOrderSingle(proto::NewOrderSingle { order_flags: 1, ..order(id) });

    new.send(flagged("A1"));
    old.send(flagged("B1"));

    assert!(new.report().await.reject.is_none());
    assert_eq!("FLAG_NOT_ATTESTED", old.report().await.reject.unwrap().name);
    assert_eq!(1, venue.lock().orders.len());
    let findings = fleet(&gateway).findings;
    assert!(findings.iter().any(|text| text.starts_with("order flag bit 0 means RLP 2 and meant POWER_PEG 1")));
    assert!(findings.iter().any(|text| text.contains("still knows order flag POWER_PEG 1 (bit 0), which is retired")));
    assert!(events(&gateway).iter().any(|text| text.contains("router r2 sends orders with RLP 2 (bit 0)")));
}

#[tokio::test]
async fn the_build_of_a_halted_router_stays_out_until_its_incident_is_closed() {
    let (_venue, gateway) = start(FleetSetup::default()).await;
    let mut culprit = log_on(&gateway, stale("r1")).await.unwrap();
    let suspect = log_on(&gateway, stale("r2")).await.unwrap();
    tighten(&gateway, "r1", "max_turnover_day", "1");
    culprit.order("A1");
    assert_eq!("TURNOVER_LIMIT", culprit.report().await.reject.unwrap().name);

    assert!(events(&gateway).iter().any(|text| text.starts_with("r2 also run the build of r1, halted by trip 1")));
    let message = refusal(&gateway, stale("r3")).await;
    assert_eq!(
        "logon: this is the build of r1, halted by trip 1 (TURNOVER_LIMIT); a rollback to it is refused until the incident \
         is closed",
        message
    );
    assert!(log_on(&gateway, said("r3")).await.is_ok());
    leave(&gateway, suspect).await;
    assert!(refusal(&gateway, stale("r2")).await.contains("this is the build of r1"));
    leave(&gateway, culprit).await;
    let back = log_on(&gateway, stale("r1")).await.expect("the culprit sees its orders through");
    assert_eq!(proto::HaltState::Halted as i32, back.ack.state);
    assert_eq!("r1", fleet(&gateway).incidents[0].router);
}

fn tighten(gateway: &Gateway, router: &str, limit: &str, value: &str) {
    assert!(set(gateway, router, limit, value).applied);
}

fn set(gateway: &Gateway, router: &str, limit: &str, value: &str) -> proto::SetLimitResponse {
    let request = proto::SetLimitRequest {
        scope: Some(common::router_scope(router)),
        limit: limit.to_owned(),
        value: value.to_owned(),
        ..proto::SetLimitRequest::default()
    };
    gateway.admin("SetLimit", &request)
}

/// The second person.
fn approve(gateway: &Gateway, proposal_id: u64) {
    let request = proto::ApproveProposalRequest { proposal_id };
    let answer = gateway.plane.admin("ApproveProposal", request.encode_to_vec(), "bob");
    assert!(answer.is_ok(), "{answer:?}");
}

fn events(gateway: &Gateway) -> Vec<String> {
    let encoded = gateway.plane.next_events(0, std::time::Duration::ZERO);
    encoded.iter().map(|event| proto::StreamEventsResponse::decode(&event[..]).unwrap().text).collect()
}
