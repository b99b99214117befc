//! What the gateway knows of one router through the day, whether it is connected or not.

use std::collections::BTreeMap;

use riskcore::ids::{AccountId, OrderId, Ref};
use riskcore::outcome::Reject;
use riskcore::reasons::Reason;
use riskcore::units::Nanos;

use crate::fleet::admission::Known;
use crate::ring::{ReportRing, RingBounds};
use crate::slab::Key;

/// How a message of the router was answered, for its resends.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// It led to this order, or was about it.
    Order(OrderId),
    /// Refused.
    Refused(Reason),
    /// A mass cancel of so many orders.
    MassCancel(u32),
    /// A cancel or replace of an order that is not known.
    UnknownOrder,
}

/// Answers held per router.
const ANSWERS: usize = 8_192;

/// The last answers, by client_seq.
pub struct Answers {
    slots: Vec<Option<(u64, Answer)>>,
}

impl Answers {
    fn new() -> Answers {
        Answers { slots: vec![None; ANSWERS] }
    }

    /// Holds an answer, in the place of one that is `ANSWERS` older.
    pub fn put(&mut self, client_seq: u64, answer: Answer) {
        if let Some(slot) = self.slots.get_mut(client_seq as usize % ANSWERS) {
            *slot = Some((client_seq, answer));
        }
    }

    /// The answer to a message, if it is still held.
    pub fn get(&self, client_seq: u64) -> Option<Answer> {
        let (seq, answer) = (*self.slots.get(client_seq as usize % ANSWERS)?)?;
        (seq == client_seq).then_some(answer)
    }
}

/// Attempts that are answered without asking the core, because the router floods and is refused anyway.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flood {
    /// Refusals by latch or rate since the last turn of 10 ms.
    pub refusals: u32,
    /// The newest of them.
    pub reject: Option<Reject>,
    /// Attempts answered at the edge since.
    pub dropped: u32,
    /// The first of them.
    pub first: Nanos,
    /// Sequence number of the last of them.
    pub last_client_seq: u64,
}

/// Refusals by latch or rate within 10 ms after which the edge answers.
pub const FLOOD_AFTER: u32 = 64;

/// See the module.
pub struct Router {
    /// Name.
    pub name: String,
    /// Credential.
    pub token: String,
    accounts: Vec<bool>,
    /// Its reports.
    pub ring: ReportRing,
    /// The last client_seq applied.
    pub high_water: u64,
    /// Its last answers.
    pub answers: Answers,
    /// Its live session.
    pub live: Option<Key>,
    /// Its live cancel lane.
    pub lane: Option<Key>,
    /// Opens the cancel lane of the live session.
    pub session_token: Vec<u8>,
    /// What it said it runs.
    pub runs: Known,
    /// Flood bookkeeping.
    pub flood: Flood,
    /// The spell in which it last had more to say than one turn takes (`overload.rs`).
    pub crowded_in: Option<u64>,
    /// Orders accepted.
    pub accepted: u64,
    /// Orders refused, by reason code.
    pub refused: BTreeMap<&'static str, u64>,
}

impl Router {
    /// A router that may use these accounts (by id).
    pub fn new(name: String, token: String, accounts: Vec<bool>, bounds: RingBounds) -> Router {
        Router {
            name,
            token,
            accounts,
            ring: ReportRing::new(bounds),
            high_water: 0,
            answers: Answers::new(),
            live: None,
            lane: None,
            session_token: Vec::new(),
            runs: Known::default(),
            flood: Flood::default(),
            crowded_in: None,
            accepted: 0,
            refused: BTreeMap::new(),
        }
    }

    /// Whether it may use an account. One that is absent or unknown is for the core to refuse.
    pub fn may_use(&self, account: Ref<AccountId>) -> bool {
        match account {
            Ref::Known(id) => self.accounts.get(id.index()).copied().unwrap_or(false),
            Ref::Absent | Ref::Unknown => true,
        }
    }

    /// Orders refused, over all reasons.
    pub fn refused_total(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Counts a refused order; how many were refused for this reason.
    pub fn count_refused(&mut self, reason: Reason) -> u64 {
        let count = self.refused.entry(reason.name).or_default();
        *count += 1;
        *count
    }
}
