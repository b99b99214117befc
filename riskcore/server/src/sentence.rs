//! Why a halt happened, in one sentence: what an operator reads first.

use riskcore::halts::Trip;
use riskcore::outcome::{Reject, Unit};
use riskcore::units::UNIT;

use crate::plane::Plane;
use crate::scope_text;

impl Plane {
    /// The words of the person who halted, or what the check found: which bound, what was reached, by which order.
    pub(crate) fn sentence(&self, trip: &Trip) -> String {
        let Some(cause) = &trip.cause else { return trip.text.clone() };
        let mut text = cause.reason.name.to_ascii_lowercase().replace('_', " ");
        if let Some(bound) = bound_text(cause) {
            let scope =
                cause.scope.map_or(String::new(), |scope| format!(" at {}", scope_text::render(scope, self.names())));
            text = format!("{text}{scope}: {bound}");
        }
        if !trip.text.is_empty() {
            text = format!("{text}: {}", trip.text);
        }
        let Some(offender) = trip.offender else { return text };
        let router = self.names().routers.name(offender.router.0);
        text = format!("{text}; order {} of {router}", offender.cl_ord_id.as_str());
        match offender.parent.and_then(|parent| self.engine.state().parents.get(parent)) {
            Some(parent) => format!("{text}, parent {}", parent.name.as_str()),
            None => text,
        }
    }
}

/// "200 where 100 is allowed", in the unit of the bound.
fn bound_text(reject: &Reject) -> Option<String> {
    let render: fn(i128) -> String = match reject.unit {
        Unit::None => return None,
        Unit::Money | Unit::Price => decimal,
        Unit::Nanos => |ns| format!("{} ms", decimal(ns * 1_000)),
        Unit::Bps => |bps| format!("{bps} bps"),
        Unit::Quantity | Unit::Messages | Unit::Count => |n| n.to_string(),
    };
    Some(format!("{} where {} is allowed", render(reject.value), render(reject.limit)))
}

/// 1e-9 units as decimal text without trailing zeros.
pub(crate) fn decimal(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let (whole, part) = (amount.unsigned_abs() / UNIT as u128, amount.unsigned_abs() % UNIT as u128);
    match part {
        0 => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{}", format!("{part:09}").trim_end_matches('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_time_are_told_in_their_units() {
        for (unit, value, limit, expected) in [
            (Unit::Quantity, 200, 100, "200 where 100 is allowed"),
            (Unit::Money, 1_500_000_000, 1_000_000_000, "1.5 where 1 is allowed"),
            (Unit::Money, -20_000_001, 0, "-0.020000001 where 0 is allowed"),
            (Unit::Nanos, 120_500_000, 100_000_000, "120.5 ms where 100 ms is allowed"),
            (Unit::Bps, 301, 300, "301 bps where 300 bps is allowed"),
        ] {
            let reason = &riskcore::reasons::CAPACITY;
            let reject = Reject { reason, scope: None, limit, value, unit };

            assert_eq!(Some(expected.to_owned()), bound_text(&reject));
        }
        assert_eq!(None, bound_text(&Reject::plain(&riskcore::reasons::CAPACITY)));
    }
}
