//! Counters and gauges by name with labels, for `/metrics`. Labels come from closed sets: configured names and reasons.

use riskcore::detect::divergence::Signal;
use riskcore::ids::RouterId;
use riskcore::readiness::Item;

use crate::plane::Plane;
use crate::venue::state::Phase;

impl Plane {
    /// Everything there is to count, now. A name that ends in `_total` only rises.
    pub fn metrics(&self) -> Vec<(String, u64)> {
        let mut out = Vec::with_capacity(64);
        for router in &self.routers {
            let name = &router.name;
            out.push((format!("orders_total{{decision=accept,check=,router={name}}}"), router.accepted));
            for (reason, count) in &router.refused {
                let check = reason.to_lowercase();
                out.push((format!("orders_total{{decision=reject,check={check},router={name}}}"), *count));
            }
        }
        out.extend(self.attestation_mismatches());
        self.detections(&mut out);
        self.unmatched_notional(&mut out);
        self.rate_ages(&mut out);
        let core = &self.engine.state().counters;
        let own = &self.counters;
        let plain = [
            ("duplicate_orders_total", core.duplicates),
            ("late_fills_total", core.late_fills),
            ("duplicate_reports_total", core.duplicate_reports),
            ("unknown_order_reports_total", core.unknown_orders),
            ("bad_reports_total", core.bad_reports),
            ("bad_ticks_total", core.bad_ticks),
            ("slow_readers_total", own.slow_readers),
            ("silent_sessions_total", own.silent_sessions),
            ("protocol_errors_total", own.protocol_errors),
            ("refused_logons_total", own.refused_logons),
            ("venue_busy_total", own.venue_busy),
            ("busy_turns_total", self.overload.busy_turns),
            ("dropped_attempts_total", own.dropped_attempts),
            ("venue_losses_total", own.venue_losses),
            ("quotes_total", own.quotes),
            ("quotes_merged_total", own.quotes_merged),
            ("statuses_total", own.statuses),
            ("fx_rates_total", own.fx_rates),
            ("alarms_total", own.alarms),
            ("limit_warnings_total", own.warnings),
            ("drop_copies_total", own.drop_copies),
            ("drop_copy_differences", self.engine.checks().drop_copy.differences() as u64),
            ("drop_copy_up", u64::from(self.config.drop_copy && self.engine.checks().drop_copy.down_since().is_none())),
            ("sessions", self.sessions() as u64),
            ("venue_queue_messages", self.venue.queued() as u64),
            ("venue_queue_bytes", self.venue.queued_bytes() as u64),
            ("venue_up", u64::from(self.venue.phase == Phase::Up)),
            ("journal_poisoned", u64::from(self.poisoned)),
        ];
        out.extend(plain.map(|(name, value)| (name.to_owned(), value)));
        let residence = &self.venue.residence;
        out.extend(
            residence.cumulative().map(|(edge, count)| (format!("order_residence_ns_bucket{{le={edge}}}"), count)),
        );
        out.push(("order_residence_ns_sum".to_owned(), residence.sum_ns()));
        out
    }

    /// What the detectors found. Kinds, signals and routers are closed sets.
    fn detections(&self, out: &mut Vec<(String, u64)>) {
        let detect = self.engine.detect();
        let red = self.engine.assess();
        for item in Item::ALL {
            out.push((format!("ready{{item={}}}", item.name()), u64::from(!red.has(item))));
        }
        let open = |loud| detect.findings.iter().filter(|finding| finding.is_open() && finding.loud == loud).count();
        out.push(("findings_open{level=loud}".to_owned(), open(true) as u64));
        out.push(("findings_open{level=quiet}".to_owned(), open(false) as u64));
        let oldest = detect.findings.iter().find(|finding| finding.is_pressing());
        let age = oldest.map_or(0, |finding| self.now().since(finding.first).0.max(0) as u64 / 1_000_000_000);
        out.push(("finding_unacknowledged_seconds".to_owned(), age));
        for (n, router) in self.routers.iter().enumerate() {
            let (id, name) = (RouterId(n as u32), &router.name);
            for (kind, count) in detect.first_seen.firsts(id) {
                out.push((format!("first_seen_total{{kind={kind},router={name}}}"), count));
            }
            for signal in Signal::ALL {
                let percent = detect.divergence.standing(id, signal).percent_of_peers(signal);
                out.push((format!("router_divergence_percent{{router={name},signal={}}}", signal.name()), percent));
            }
        }
    }
}
