//! Compiles the wire contracts without `protoc`.

use std::error::Error;
use std::path::Path;

const FILES: [&str; 6] = [
    "riskgate/v1/types.proto",
    "riskgate/v1/order_entry.proto",
    "riskgate/v1/exchange.proto",
    "riskgate/v1/parent_orders.proto",
    "riskgate/v1/explain.proto",
    "riskgate/v1/admin.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../protos");
    for file in FILES {
        println!("cargo::rerun-if-changed={}", root.join(file).display());
    }
    let descriptors = protox::compile(FILES, [&root])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
