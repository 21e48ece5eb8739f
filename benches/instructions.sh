#!/usr/bin/env bash
# Counts instructions, and fails where one kind of work takes more of them than is written in
# benches/instructions.toml.
#
#   benches/instructions.sh [--update | --if-comparable]
#
# Unlike times, instructions are the same on a busy machine. They are not the same with another
# compiler, or a processor with other instructions: then, and when a change is worth its cost,
# --update writes down what is counted now. With --if-comparable nothing is counted, and nothing
# fails, where the numbers were recorded with other tools than there are here.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

tolerance=3 # per cent
works=(unstuff unstuff_dots join snapshot plan)
recorded=benches/instructions.toml

update='' lenient=''
case ${1:-} in
'') ;;
--update) update=yes ;;
--if-comparable) lenient=yes ;;
*) echo "usage: benches/instructions.sh [--update | --if-comparable]" >&2; exit 64 ;;
esac
if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing, so nothing is counted: apt-get install valgrind" >&2
    exit 69
fi

# All that makes instructions of the sources, Rust and C.
here="$(rustc --version | cut -d' ' -f1,2), $(cc --version | head -n 1), $(valgrind --version)"
! grep -qw avx2 /proc/cpuinfo || here+=", AVX2"
there=$(sed -n 's/^counted-with = "\(.*\)"/\1/p' "$recorded" 2>/dev/null || true)
if [ -n "$lenient" ] && [ "$here" != "$there" ]; then
    echo "instructions are not compared: counted here with $here, recorded with $there"
    exit 0
fi

program=$(cargo bench --locked --bench instructions --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*instructions-[^"]*\)".*/\1/p')
[ -x "$program" ] || { echo "cargo did not say where it put the program" >&2; exit 70; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$program" prepare "$folder"

# Instructions of a work done so many times.
count() {
    valgrind --tool=callgrind --callgrind-out-file="$folder/callgrind" --quiet \
        "$program" "$1" "$2" "$folder"
    sed -n 's/^totals: \([0-9]*\)$/\1/p' "$folder/callgrind"
}

failed=
lines=()
for work in "${works[@]}"; do
    ready=$(count "$work" 0)
    done=$(count "$work" 1)
    now=$((done - ready))
    lines+=("$work = $now")
    before=$(sed -n "s/^$work = \([0-9]*\)\$/\1/p" "$recorded" 2>/dev/null || true)
    verdict=ok
    if [ -z "$before" ]; then
        before=0 verdict="not recorded"
        failed=yes
    elif [ $((now * 100)) -gt $((before * (100 + tolerance))) ]; then
        verdict="MORE than recorded"
        failed=yes
    elif [ $((now * 100)) -lt $((before * (100 - tolerance))) ]; then
        verdict="fewer than recorded: --update keeps it so"
    fi
    printf '%-14s %13d, recorded %13d: %s\n' "$work" "$now" "$before" "$verdict"
done

if [ -n "$update" ]; then
    {
        echo "# Instructions for each kind of work in instructions.rs; instructions.sh --update writes this."
        echo "counted-with = \"$here\""
        echo
        echo "[instructions]"
        printf '%s\n' "${lines[@]}"
    } >"$recorded"
    echo "written to $recorded"
elif [ -n "$failed" ]; then
    echo "More instructions than recorded, by over $tolerance %." >&2
    [ "$here" = "$there" ] || echo "It may be the tools: counted here with $here, recorded with $there." >&2
    echo "See where they go with callgrind_annotate, or record them with $0 --update" >&2
    exit 1
fi
