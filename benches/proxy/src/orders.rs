//! What a report must say of its order and a venue does not repeat.

use std::collections::VecDeque;

/// One order on its way.
pub struct Sent {
    pub cl_ord_id: String,
    pub symbol: String,
    pub side: i32,
    pub order_qty: i64,
}

/// The orders of one session that are not answered finally, by `client_seq`.
#[derive(Default)]
pub struct Orders {
    first: u64,
    sent: VecDeque<Option<Sent>>,
}

impl Orders {
    /// Keeps an order. Sequence numbers are dense, as both protocols demand.
    pub fn keep(&mut self, client_seq: u64, order: Sent) {
        if self.sent.is_empty() {
            self.first = client_seq;
        }
        self.sent.push_back(Some(order));
    }

    /// The order of this number.
    pub fn get(&self, client_seq: u64) -> Option<&Sent> {
        self.sent.get(usize::try_from(client_seq.checked_sub(self.first)?).ok()?)?.as_ref()
    }

    /// The order of this number, which gets no further report.
    pub fn take(&mut self, client_seq: u64) -> Option<Sent> {
        let order = self.sent.get_mut(usize::try_from(client_seq.checked_sub(self.first)?).ok()?)?.take();
        while matches!(self.sent.front(), Some(None)) {
            self.sent.pop_front();
            self.first += 1;
        }
        order
    }
}
