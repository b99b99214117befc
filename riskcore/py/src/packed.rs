//! Packed batches of new orders: 64 bytes each, little-endian, no padding but the last byte.
//! The layout is documented for callers in docs/reference/embedding.md.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use riskcore::Event;

use crate::arguments::OrderNumbers;
use crate::engine::Engine;
use crate::errors::Error;

/// The layout of one record, for Python's `struct`: t, qty, price, cl_ord_id, flags, router, account, symbol, strategy,
/// parent, side, ord_type, tif and one byte that is ignored.
pub const FORMAT: &str = "<qqqqQiiiiiBBBx";

/// Bytes of one record.
const RECORD: usize = 64;

/// Bytes of one verdict.
const VERDICT: usize = 8;

/// Orders whose room is kept from one batch to the next: a larger one takes its memory anew.
const KEPT: usize = 1 << 12;

/// An order and its time, ns.
pub type TimedOrder = (i64, Event);

/// Decides every order of a batch. A record that cannot be an order raises before anything is decided.
pub fn decide<'py>(py: Python<'py>, engine: &mut Engine, packed: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let mut orders = core::mem::take(&mut engine.batch);
    unpack(packed, &mut orders)?;
    let verdicts = PyBytes::new_with(py, orders.len() * VERDICT, |verdicts| {
        let (verdicts, _) = verdicts.as_chunks_mut::<VERDICT>();
        for ((t, order), verdict) in orders.iter().zip(verdicts) {
            *verdict = engine.decide(*t, order).to_le_bytes();
        }
        Ok(())
    });
    orders.clear();
    orders.shrink_to(KEPT);
    engine.batch = orders;
    verdicts
}

/// The orders of all records.
fn unpack(packed: &[u8], orders: &mut Vec<TimedOrder>) -> Result<(), Error> {
    let (records, rest) = packed.as_chunks::<RECORD>();
    if !rest.is_empty() {
        return Err(Error::Invalid(format!(
            "packed orders: {} bytes are not a multiple of {RECORD}; pack each with riskcore.NEW_ORDER_FORMAT",
            packed.len()
        )));
    }
    orders.reserve(records.len());
    for (n, record) in records.iter().enumerate() {
        match order(record) {
            Ok(order) => orders.push(order),
            Err(Error::Invalid(why)) => {
                return Err(Error::Invalid(format!("packed order {n}: {why}; nothing of the batch was decided")));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

#[inline]
fn order(record: &[u8; RECORD]) -> Result<TimedOrder, Error> {
    let long = |at: usize| i64::from_le_bytes(bytes(record, at));
    let int = |at: usize| i64::from(i32::from_le_bytes(bytes(record, at)));
    let numbers = OrderNumbers {
        qty: long(8),
        price: long(16),
        cl_ord_id: long(24),
        flags: u64::from_le_bytes(bytes(record, 32)),
        router: int(40),
        account: int(44),
        symbol: int(48),
        strategy: int(52),
        parent: int(56),
        side: record[60].into(),
        ord_type: record[61].into(),
        tif: record[62].into(),
    };
    Ok((long(0), numbers.event()?))
}

/// `N` bytes of a record; every place used above lies within it.
#[inline]
fn bytes<const N: usize>(record: &[u8; RECORD], at: usize) -> [u8; N] {
    core::array::from_fn(|n| record[at + n])
}
