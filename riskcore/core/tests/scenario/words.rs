//! The core's values in the words of the scenario language, and back.

use riskcore::events::Side;
use riskcore::ids::ClOrdId;
use riskcore::outcome::{CxlRejReason, Outcome};

/// A ClOrdID as the scenario names it.
pub fn cl_ord_id(text: &str) -> ClOrdId {
    ClOrdId::new(text.as_bytes()).unwrap_or_else(|| panic!("not a ClOrdID: {text}"))
}

/// A side by its word.
pub fn side(text: &str) -> Side {
    match text {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        "short" => Side::SellShort,
        "exempt" => Side::SellShortExempt,
        other => panic!("not a side: {other}"),
    }
}

/// Money as decimal text without trailing zeros.
pub fn money(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let (whole, part) = (amount.unsigned_abs() / 1_000_000_000, amount.unsigned_abs() % 1_000_000_000);
    if part == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{}", format!("{part:09}").trim_end_matches('0'))
}

/// An outcome in the words of the scenario language.
pub fn verdict(outcome: &Outcome) -> String {
    let cancel = |reason: &CxlRejReason| match reason {
        CxlRejReason::TooLate => "too_late",
        CxlRejReason::UnknownOrder => "unknown_order",
        CxlRejReason::AlreadyPending => "already_pending",
        CxlRejReason::DuplicateClOrdId => "duplicate_cl_ord_id",
        CxlRejReason::Other => "other",
    };
    match outcome {
        Outcome::Rejected(reject) | Outcome::Refused(reject) | Outcome::ReplaceRejected(_, _, Some(reject)) => {
            format!("reject {}", reject.reason.name.to_lowercase())
        }
        Outcome::ReplaceRejected(_, reason, None) | Outcome::CancelRejected(_, reason) => {
            format!("reject {}", cancel(reason))
        }
        Outcome::Duplicate(_) => "duplicate".into(),
        Outcome::DuplicateReport => "duplicate_report".into(),
        Outcome::UnknownOrder => "unknown_order".into(),
        Outcome::ReportGap(_) => "report_gap".into(),
        Outcome::MassCancelAccepted(count) => format!("accept {count}"),
        _ => "accept".into(),
    }
}
