//! Compiles the wire contracts without `protoc`.

use std::error::Error;
use std::path::Path;

const FILES: [&str; 2] = ["riskgate/v1/order_entry.proto", "riskgate/v1/exchange.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../protos");
    println!("cargo::rerun-if-changed={}", root.display());
    tonic_prost_build::configure().compile_fds(protox::compile(FILES, [&root])?)?;
    Ok(())
}
