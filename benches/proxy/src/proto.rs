//! The generated wire contracts.

#![allow(clippy::all, reason = "generated code")]

tonic::include_proto!("riskgate.v1");
