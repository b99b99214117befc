#!/bin/sh
# Check that the tools a build needs are there, and print the Python to use. A missing tool is named on stderr with the
# way to install it (Debian's package, or the tool's own installer), all of them at once.
set -u

missing=0

need() { # what, how to install it
    echo "riskgate: missing: $1" >&2
    echo "          install: $2" >&2
    missing=1
}

python=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    need "Python 3.11 or newer" "apt-get install python3 python3-venv (Debian 12), or set PYTHON=/path/to/python3"
elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    need "Python's venv module" "apt-get install python3-venv"
fi

command -v cc >/dev/null 2>&1 || need "a C compiler (cc), which links the native module" "apt-get install gcc libc6-dev"

# 1.88 is rust-version in Cargo.toml; Debian 12's own rustc (1.63) is too old.
rust="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh (then open a new shell)"
if ! command -v cargo >/dev/null 2>&1; then
    need "a Rust toolchain (cargo), 1.88 or newer" "$rust"
else
    minor=$(cargo --version 2>/dev/null | sed -n 's/^cargo 1\.\([0-9]*\)\..*/\1/p')
    [ "${minor:-0}" -ge 88 ] || need "Rust 1.88 or newer (found: $(cargo --version 2>&1 | head -n 1))" "rustup update, or $rust"
fi

[ "$missing" -eq 0 ] || exit 1
echo "$python"
