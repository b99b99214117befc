//! Generated types: for logon, parents, admin and the tests. Orders and reports use the codec in [`crate::wire`].

#![allow(missing_docs, clippy::all, reason = "generated code")]

tonic::include_proto!("riskgate.v1");
