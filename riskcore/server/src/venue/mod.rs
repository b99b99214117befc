//! The exchange's side: orders and cancels out, reports in, market data.

pub mod attempts;
pub mod connect;
pub mod drop_copy;
pub mod feed;
pub mod link;
pub mod rates;
pub mod reports;
pub mod residence;
pub mod sequence;
pub mod state;
pub mod statuses;
pub mod texts;
