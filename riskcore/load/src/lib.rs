//! Open-loop order generator and venue stub, for floods and benches.
//!
//! Goals: as many orders per second as the wire takes, from one thread, with latencies that are honest (counted from
//! the moment an order was *meant* to leave); a venue that is never what is being measured.
//!
//! Non-goals: an order book, realistic prices, reconnects. The simulators have those.
//!
//! Nothing is allocated per order: frames are encoded in place from templates ([`flood::template`]) and decoded in
//! place by the codec, straight into the session's counters or the stub's book.

pub mod clock;
pub mod flood;
pub mod proto;
pub mod stub;
pub mod sync;
pub mod wire;
