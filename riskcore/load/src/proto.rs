//! The generated wire contracts, for the rare messages and for tests. Orders and reports go through [`crate::wire`].

#![allow(missing_docs, clippy::all, reason = "generated code")]

tonic::include_proto!("riskgate.v1");
