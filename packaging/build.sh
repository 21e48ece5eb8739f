#!/bin/sh
# Builds the program for packages, without the paths of this machine in it, and the notices of third
# parties beside it. The paths in panics and in assertions of C code would otherwise name the
# builder's home.
#
# Usage: packaging/build.sh [TARGET]
# x86_64-unknown-linux-musl gives a static program; that needs musl-gcc for SQLite, zstd and ring.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)
cargo=${CARGO_HOME:-$HOME/.cargo}
rust=$(rustc --print sysroot)
rust_flags="--remap-path-prefix=$here=popsync --remap-path-prefix=$cargo=cargo --remap-path-prefix=$rust=rust"
c_flags="-ffile-prefix-map=$here=popsync -ffile-prefix-map=$cargo=cargo"
export RUSTFLAGS="${RUSTFLAGS:-} $rust_flags"
export CFLAGS="${CFLAGS:-} $c_flags"
cargo build --release --locked ${1:+--target "$1"}
packaging/notices.sh ${1:+"$1"} > "${CARGO_TARGET_DIR:-target}/${1:+$1/}release/THIRD-PARTY-NOTICES.txt"
