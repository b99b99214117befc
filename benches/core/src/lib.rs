//! The firm, its day and its orders, as every bench of the core decides them.

pub mod cases;
pub mod firm;
pub mod rejects;
pub mod series;
pub mod world;
