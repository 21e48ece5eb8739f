#!/bin/sh
# Prints the notices of third parties: each package that is built into the program, its licence, and
# the texts that come with it. Many licences ask that a binary has these beside it.
#
# Usage: packaging/notices.sh [TARGET]
# Needs jq.
set -eu
cd "$(dirname "$0")/.."
target=${1:-$(rustc -vV | sed -n 's/^host: //p')}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo metadata --locked --format-version 1 --filter-platform "$target" |
    jq -r '.packages[] | select(.source) | "\(.name) v\(.version)\t\(.license // "see its files")\t\(.manifest_path)"' |
    sort > "$work/packages"
echo "popsync is built with the packages below, each under its own licence."
cargo tree --locked --package popsync --edges normal --target "$target" --prefix none --format '{p}' |
    sed 's/ (.*//' | sort -u |
    while IFS= read -r package; do
        line=$(grep -F "$package	" "$work/packages" | head -n 1) || continue
        licence=$(printf '%s' "$line" | cut -f 2)
        folder=$(dirname "$(printf '%s' "$line" | cut -f 3)")
        printf '\n%s\n%s\n%s\n' "------------------------------------------------" "$package" "$licence"
        for file in "$folder"/LICEN[CS]E* "$folder"/COPYING* "$folder"/NOTICE* "$folder"/UNLICENSE*; do
            [ -f "$file" ] || continue
            # Most packages have the same texts.
            sum=$(cksum < "$file" | tr ' ' -)
            if [ -e "$work/$sum" ]; then
                printf '\n%s: as in %s\n' "$(basename "$file")" "$(cat "$work/$sum")"
            else
                printf '%s' "$package" > "$work/$sum"
                printf '\n'
                cat "$file"
            fi
        done
    done
