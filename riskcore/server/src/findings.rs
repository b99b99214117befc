//! Findings as people see them: one sentence each, the loud ones first.

use riskcore::detect::divergence::Signal;
use riskcore::detect::findings::{About, Finding};
use riskcore::detect::first_seen::Seen;
use riskcore::events::Event;
use riskcore::ids::RouterId;
use riskcore::outcome::Outcome;
use riskcore::scopes::Scope;
use riskgate_journal::Lsn;

use crate::admin::refused;
use crate::commands::clipped;
use crate::error::Error;
use crate::plane::Plane;
use crate::proto;
use crate::sentence::decimal;

impl Plane {
    pub(crate) fn list_findings(&self, request: &proto::ListFindingsRequest) -> proto::ListFindingsResponse {
        let detect = self.engine.detect();
        let newest = detect.findings.iter().rev().filter(|finding| !request.open_only || finding.is_open());
        let (loud, quiet): (Vec<_>, Vec<_>) = newest.partition(|finding| finding.is_pressing());
        let findings = loud.into_iter().chain(quiet).map(|finding| self.finding_message(finding));
        proto::ListFindingsResponse {
            findings: findings.collect(),
            standings: self.standings().collect(),
            lost: detect.findings.lost(),
        }
    }

    fn finding_message(&self, finding: &Finding) -> proto::Finding {
        let (kind, what) = match finding.about {
            About::FirstSeen(seen) => (seen.kind(), seen.value(self.names()).into_owned()),
            About::Divergence { signal, .. } => ("divergence", signal.name().to_owned()),
        };
        let by = finding.acknowledged.as_ref();
        proto::Finding {
            finding_id: finding.id,
            kind: kind.to_owned(),
            what,
            router: self.router_name(finding.router),
            count: finding.count,
            total: finding.total,
            first: finding.first.0 as u64,
            last: finding.last.0 as u64,
            loud: finding.loud,
            common: finding.common,
            text: self.finding_sentence(finding),
            acknowledged_by: by.map_or(String::new(), |by| by.principal.clone()),
            acknowledged_reason: by.map_or(String::new(), |by| by.text.clone()),
            acknowledged_time: by.map_or(0, |by| by.time.0 as u64),
        }
    }

    /// The standings of routers that have sent an order today.
    fn standings(&self) -> impl Iterator<Item = proto::RouterStanding> + '_ {
        let divergence = &self.engine.detect().divergence;
        let active = (0..self.routers.len() as u32).map(RouterId).filter(|router| divergence.is_active(*router));
        active.flat_map(move |router| {
            Signal::ALL.into_iter().map(move |signal| {
                let standing = divergence.standing(router, signal);
                proto::RouterStanding {
                    router: self.router_name(router),
                    signal: signal.name().to_owned(),
                    value: standing.value,
                    peers: standing.peers,
                    percent: standing.percent_of_peers(signal),
                    unit: unit_of(signal).to_owned(),
                }
            })
        })
    }

    /// What was found, of whom, and how much of it is theirs.
    pub(crate) fn finding_sentence(&self, finding: &Finding) -> String {
        let router = self.names().routers.name(finding.router.0);
        match finding.about {
            About::FirstSeen(seen) => self.first_seen_sentence(seen, router, finding),
            About::Divergence { signal, value, peers } => divergence_sentence(signal, router, value, peers, finding),
        }
    }

    fn first_seen_sentence(&self, seen: Seen, router: &str, finding: &Finding) -> String {
        let value = seen.value(self.names());
        let (what, verb) = match seen {
            Seen::VenueReject(_) => (format!("the venue's rejects \"{value}\""), "has"),
            Seen::Refusal(_) => (format!("the refusals {value}"), "has"),
            Seen::OrdType(_) | Seen::TimeInForce(_) => (format!("the {value} orders"), "sends"),
            Seen::Flag(_) => (format!("the orders with flag {value}"), "sends"),
            Seen::Strategy(_) => (format!("the orders of strategy {value}"), "sends"),
            Seen::SecurityGroup(_) => (format!("the orders in instruments of group {value}"), "sends"),
        };
        let (count, total) = (finding.count, finding.total);
        let share = if count == total {
            format!("{router} alone {verb} {what}, {count} of {total}")
        } else {
            format!("{router} {verb} {count} of {total} of {what}")
        };
        if finding.common { format!("{share}; by now at least half of the fleet shows it") } else { share }
    }

    pub(crate) fn announce_finding(&mut self, id: u64) {
        let Some(finding) = self.engine.detect().findings.get(id).cloned() else { return };
        let level = if finding.loud { "" } else { " (quiet)" };
        let text = format!("finding {id}{level}: {}", self.finding_sentence(&finding));
        self.push_event("finding", text, Some(Scope::Router(finding.router)), None);
    }

    /// The configuration knows of something: it is never a finding.
    pub(crate) fn known(&mut self, text: &str) -> Result<(), Error> {
        let seen = match text.strip_prefix("venue_reject:") {
            Some(words) => self.venue_text(words.as_bytes()).map(Seen::VenueReject),
            None => Seen::parse(text, self.names()),
        };
        let seen = seen.ok_or_else(|| {
            Error::Invalid(format!("[findings] known: {text:?} names no reason, value or strategy there is"))
        })?;
        self.apply(&Event::Known { seen });
        Ok(())
    }

    pub(crate) fn acknowledge_finding(
        &mut self,
        request: &proto::AcknowledgeFindingRequest,
        principal: &str,
    ) -> Result<proto::AcknowledgeFindingResponse, Error> {
        let (principal, text) = (clipped(principal), clipped(&request.reason));
        let said = format!("{principal} acknowledged finding {}: {text}", request.finding_id);
        match self.apply(&Event::AcknowledgeFinding { finding: request.finding_id, principal, text }) {
            Outcome::Applied => {
                self.announce("finding", said);
                let Lsn(seq) = self.lsn();
                Ok(proto::AcknowledgeFindingResponse { seq })
            }
            other => Err(refused(&other)),
        }
    }
}

const fn unit_of(signal: Signal) -> &'static str {
    match signal {
        Signal::ExcessAttempts | Signal::UnmatchedExecutions | Signal::Orders => "count",
        Signal::LossPerShare => "price",
        Signal::ChildrenPerParent => "thousandths",
        Signal::RejectRate => "bps",
    }
}

fn divergence_sentence(signal: Signal, router: &str, value: i64, peers: i64, finding: &Finding) -> String {
    let (value, peers) = (i128::from(value), i128::from(peers));
    match signal {
        Signal::ExcessAttempts => carries(router, "excess attempts", finding),
        Signal::UnmatchedExecutions => carries(router, "executions that fill no open quantity", finding),
        Signal::LossPerShare => format!(
            "{router} lost {} a share against the mid; the median of its peers is {}",
            decimal(value),
            decimal(peers)
        ),
        Signal::ChildrenPerParent => format!(
            "{router} sent {} orders per parent; the median of its peers is {}",
            decimal(value * 1_000_000),
            decimal(peers * 1_000_000)
        ),
        Signal::RejectRate => format!(
            "{router} had {} % of its orders refused; the median of its peers is {} %",
            decimal(value * 10_000_000),
            decimal(peers * 10_000_000)
        ),
        Signal::Orders => format!("{router} sent {value} orders in a second; the median of its peers is {peers}"),
    }
}

/// "smars-8 carries 99.6 % of the excess attempts (249 of 250), 1 elsewhere".
fn carries(router: &str, what: &str, finding: &Finding) -> String {
    let (count, total) = (u128::from(finding.count), u128::from(finding.total.max(1)));
    let tenths = count * 1_000 / total;
    let elsewhere = total.saturating_sub(count);
    format!(
        "{router} carries {}.{} % of the {what} ({count} of {total}), {elsewhere} elsewhere",
        tenths / 10,
        tenths % 10
    )
}
