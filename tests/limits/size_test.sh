#!/usr/bin/env bash
# The runtime's own code, XNNPACK not counted, stays within 250 KB of text for all operators.
# usage: size_test.sh libfigment.a
set -euo pipefail
limit=$((250 * 1024))
size --totals "$1"
text=$(size --totals "$1" | awk '$NF == "(TOTALS)" { print $1 }')
[ "$text" -gt 0 ] || { echo "no text was found in $1"; exit 1; }
echo "text: $text of $limit bytes"
[ "$text" -le "$limit" ]
