//! The hand-written messages against the generated types: what one writes, the other reads.

mod support;

use prost::Message;
use riskgate_load::flood::config::Protocol;
use riskgate_load::flood::template::Templates;
use riskgate_load::flood::{OrderLine, SessionConfig};
use riskgate_load::proto::{self, CxlRejResponseTo, ExecType};
use riskgate_load::stub::order::{NewOrder, Replace};
use riskgate_load::stub::report::{Execution, Report};
use support::{line, session};

const SEQS: [u64; 4] = [1, 127, 128, 9_999_999_999];

fn templates(lines: Vec<OrderLine>, protocol: Protocol) -> Templates {
    Templates::new(&SessionConfig { lines, ..session("r1", 1, 1) }, protocol, "r1")
}

#[test]
fn order_entry_orders_read_as_written() {
    let market = OrderLine { price: None, strategy: String::new(), order_flags: 0, ..line() };
    let templates = templates(vec![line(), market.clone()], Protocol::OrderEntry);
    for (index, order) in [line(), market].iter().enumerate() {
        for seq in SEQS {
            let mut frame = Vec::new();
            templates.put(&mut frame, index as u64, seq, 77);
            let read = proto::SessionRequest::decode(frame.as_slice()).expect("a valid message");
            let expected = proto::NewOrderSingle {
                cl_ord_id: format!("r1-{seq:010}"),
                account: order.account.clone(),
                symbol: order.symbol.clone(),
                side: order.side.into(),
                ord_type: order.ord_type.into(),
                time_in_force: order.time_in_force.into(),
                order_qty: order.order_qty,
                price: order.price,
                parent_cl_ord_id: order.parent_cl_ord_id.clone(),
                strategy: order.strategy.clone(),
                order_flags: order.order_flags,
                transact_time: 77,
            };

            let body = Some(proto::router_message::Body::NewOrderSingle(expected));
            assert_eq!(vec![proto::RouterMessage { client_seq: seq, body }], read.messages);
            assert_eq!(Some(seq), templates.seq_of(format!("r1-{seq:010}").as_bytes()));
        }
    }
}

#[test]
fn cancels_read_as_written() {
    let config = SessionConfig { lines: Vec::new(), cancels_from: Some(40), ..session("r1", 1, 1) };
    let templates = Templates::new(&config, Protocol::OrderEntry, "r1");
    for seq in SEQS {
        let mut frame = Vec::new();
        templates.put(&mut frame, 2, seq, 77);
        let read = proto::SessionRequest::decode(frame.as_slice()).expect("a valid message");

        let cancel = proto::OrderCancelRequest { orig_cl_ord_id: "r1-0000000042".to_owned(), cl_ord_id: String::new() };
        let body = Some(proto::router_message::Body::OrderCancelRequest(cancel));
        assert_eq!(vec![proto::RouterMessage { client_seq: seq, body }], read.messages);
    }
}

#[test]
fn ids_of_others_are_not_ours() {
    let templates = templates(vec![line()], Protocol::OrderEntry);

    for id in ["", "r1-", "r1-1", "r1-00000000x1", "r2-0000000001", "r1-00000000001"] {
        assert_eq!(None, templates.seq_of(id.as_bytes()), "{id}");
    }
    assert_eq!(None, templates.seq_of_venue_id(1));
}

#[test]
fn venue_orders_read_as_written_by_both_readers() {
    let templates = templates(vec![line()], Protocol::Exchange { epoch: 5 });
    for seq in SEQS {
        let mut frame = Vec::new();
        templates.put(&mut frame, 0, seq, 77);
        let read = proto::ExchangeSessionRequest::decode(frame.as_slice()).expect("a valid message");
        let Some(proto::exchange_request::Body::NewOrder(order)) = &read.messages[0].body else { panic!("{read:?}") };

        let id = 5 << 40 | seq;
        assert_eq!((seq, id), (read.messages[0].client_seq, order.cl_ord_id));
        assert_eq!(Some(seq), templates.seq_of_venue_id(id));
        assert_eq!(("r1", 100, Some(100_000_000_000)), (order.router.as_str(), order.order_qty, order.price));
        let expected = NewOrder {
            id,
            symbol: b"AAPL",
            side: order.side as u64,
            ord_type: order.ord_type as u64,
            time_in_force: order.time_in_force as u64,
            qty: 100,
            price: order.price,
        };
        assert_eq!(Ok(expected), NewOrder::read(&order.encode_to_vec()));
    }
}

#[test]
fn replaces_read_as_written() {
    for price in [None, Some(-1), Some(0)] {
        let replace = proto::VenueReplace { cl_ord_id: u64::MAX, order_qty: i64::MIN, price };

        let expected = Replace { id: u64::MAX, qty: i64::MIN, price };
        assert_eq!(Ok(expected), Replace::read(&replace.encode_to_vec()));
    }
}

#[test]
fn reports_read_as_written_up_to_the_extremes() {
    for extreme in [0, 1, i64::MIN, i64::MAX] {
        let execution = Execution {
            id: u64::MAX,
            exec_type: ExecType::Trade,
            last_qty: extreme,
            last_px: extreme,
            cum_qty: extreme,
            leaves_qty: extreme,
            ord_rej_reason: u32::MAX,
            time: u64::MAX,
        };
        let mut frame = Vec::new();
        Report::Execution(execution).put(&mut frame, u64::MAX);
        let read = proto::ExchangeSessionResponse::decode(frame.as_slice()).expect("a valid message");

        let expected = proto::VenueReport {
            cl_ord_id: u64::MAX,
            venue_exec_id: u64::MAX,
            exec_type: ExecType::Trade.into(),
            last_qty: extreme,
            last_px: extreme,
            cum_qty: extreme,
            leaves_qty: extreme,
            ord_rej_reason: u32::MAX,
            transact_time: u64::MAX,
            ..proto::VenueReport::default()
        };
        let body = Some(proto::exchange_message::Body::Report(expected));
        assert_eq!(vec![proto::ExchangeMessage { venue_seq: u64::MAX, body }], read.messages);
    }
}

#[test]
fn cancel_rejects_read_as_written() {
    let mut frame = Vec::new();
    Report::CancelReject { id: 7, response_to: CxlRejResponseTo::OrderCancelRequest }.put(&mut frame, 9);
    let read = proto::ExchangeSessionResponse::decode(frame.as_slice()).expect("a valid message");

    let expected = proto::VenueCancelReject {
        cl_ord_id: 7,
        cxl_rej_response_to: CxlRejResponseTo::OrderCancelRequest.into(),
        cxl_rej_reason: proto::CxlRejReason::UnknownOrder.into(),
    };
    let body = Some(proto::exchange_message::Body::CancelReject(expected));
    assert_eq!(vec![proto::ExchangeMessage { venue_seq: 9, body }], read.messages);
}
