#!/usr/bin/env bash
# Every shipped model gives on every processor of a board's kind what it should: the portable backend the golden's
# very bits, XNNPACK, whose kernels differ with the processor's instructions, the golden within 1e-4.
# usage: processors_test.sh EMULATOR FIGMENT PROCESSOR...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
emulator=$1 figment=$2
shift 2
checked=0
for processor in "$@"; do
  for model in models/*/*.fgm; do
    printf '%-12s %-40s ' "$processor" "$model"
    said=$("$emulator" -cpu "$processor" "$figment" check "$model" 2>&1) || { echo "$said"; exit 1; }
    tail -n 1 <<<"$said"
    checked=$((checked + 1))
  done
done
[ "$checked" -gt 0 ] || { echo "nothing was checked"; exit 1; }
