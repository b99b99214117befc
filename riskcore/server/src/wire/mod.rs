//! The own codec: protobuf read in place into `Copy` structs, and written without allocating.
//!
//! tonic hands over one whole, contiguous message and takes whole messages back; what is between is here. The generated
//! types would allocate four times per order.

pub mod frame;
pub mod primitives;
pub mod requests;
pub mod responses;
pub mod venue;

pub use primitives::{Field, Fields, Malformed};
