#!/bin/sh
# Build the native module, and the bare proxy that benches compare it with, guided by a profile of themselves: built once
# to count what they do under the benches' load, and again with the code laid out for that. An order passes some 14,000
# instructions; what matters is that they lie together, because the processor's cache for code holds 32 KiB.
set -eu

python=.venv/bin/python
out=$PWD/target/guided
sysroot=$(rustc --print sysroot)
host=$(rustc -vV | sed -n 's/^host: //p')
profdata=$sysroot/lib/rustlib/$host/bin/llvm-profdata

if [ ! -x "$profdata" ]; then
    echo "installing rustc's llvm-tools, for llvm-profdata"
    rustup component add llvm-tools || {
        echo "riskgate: missing: llvm-profdata of this rustc's LLVM" >&2
        echo "          install: rustup component add llvm-tools (with a Rust from rustup)" >&2
        exit 1
    }
fi

build() {
    VIRTUAL_ENV=$PWD/.venv .venv/bin/maturin develop --quiet --release ${CI:+--locked} --manifest-path riskcore/py/Cargo.toml
}

echo "building the native module so that it counts what it does"
export CARGO_TARGET_DIR="$out/counting" RUSTFLAGS="-Cprofile-generate=$out/counts"
build
$python -c 'from benches.gateway.targets import build_proxy; build_proxy()'

echo "counting"
rm -rf "$out/counts"
export LLVM_PROFILE_FILE="$out/counts/%p-%m.profraw"
$python benches/bench_gateway.py --case comparison --case runaway --rounds 1 --seconds 0.5 >/dev/null
$python benches/bench_embedding.py --quick >/dev/null
unset LLVM_PROFILE_FILE
"$profdata" merge --sparse --output "$out/profile" "$out/counts"

echo "building the native module by what it counted"
export CARGO_TARGET_DIR="$out/built" RUSTFLAGS="-Cprofile-use=$out/profile"
build
