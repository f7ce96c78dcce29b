#!/usr/bin/env bash
# What runs between Quantize and Dequantize calls no routine for floating point: neither in the loops of integer
# products, nor in the operators' own code (their `multiply_adds`, a figure for reports, apart).
# usage: integers_test.sh COMPILER_PREFIX LIBRARY
set -euo pipefail
prefix=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${prefix}ar" x "$2"
result=0
count=0
for object in integer_product.cc.* quantized_*.cc.*; do
  count=$((count + 1))
  # Each function has a section of its own, whose name it is; calls are its relocations.
  calls=$("${prefix}objdump" -r "$object" | awk '
    /^RELOCATION RECORDS FOR/ { section = $4 }
    section ~ /^\[\.text/ && section !~ /multiply_adds/ && / __aeabi_([fd](add|sub|rsub|mul|div|neg|cmp|2)|c[fd]|u?[il]2[fd])/ { print section, $3 }')
  [ -z "$calls" ] || { echo "$object computes with floating point: $calls"; result=1; }
done
[ "$count" -ge 6 ] || { echo "only $count objects of integer operators were found in $2"; result=1; }
# The search can find something: Quantize multiplies.
"${prefix}objdump" -dr quantize.cc.* >listing # a pipe whose reader has seen enough would fail here
grep -q -E "__aeabi_fmul|vmul" listing ||
  { echo "quantize.cc was expected to multiply"; result=1; }
exit "$result"
