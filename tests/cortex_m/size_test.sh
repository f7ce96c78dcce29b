#!/usr/bin/env bash
# A firmware's code stays within a budget of flash and all its memory within one of RAM, and nothing of a heap,
# of exceptions or of printf has come in.
# usage: size_test.sh COMPILER_PREFIX CODE_KB RAM_KB FIRMWARE...
set -euo pipefail
prefix=$1 most_code=$(($2 * 1024)) most_ram=$(($3 * 1024))
shift 3
result=0
complain() { echo "$*"; result=1; }

for firmware in "$@"; do
  name=$(basename "$firmware" .elf)
  # bytes SECTION: its size, 0 where there is none
  sections=$("${prefix}size" -A -d "$firmware")
  bytes() { awk -v name="$1" '$1 == name { print $2; found = 1 } END { if (!found) print 0 }' <<<"$sections"; }
  code=$(($(bytes .text) + $(bytes .rodata) + $(bytes .data)))
  ram=$(($(bytes .data) + $(bytes .bss) + $(bytes .arena) + $(bytes .stack)))
  "${prefix}size" "$firmware"
  echo "$name: code and constants $code of $most_code bytes, the model $(bytes .model)"
  echo "$name: RAM $ram of $most_ram bytes: data $(($(bytes .data) + $(bytes .bss))), arena $(bytes .arena), stack $(bytes .stack)"
  [ "$(bytes .text)" -gt 0 ] && [ "$(bytes .arena)" -gt 0 ] || complain "$name: no code or no arena was found"
  [ "$code" -le "$most_code" ] || complain "$name: $code bytes of code are more than $most_code"
  [ "$ram" -le "$most_ram" ] || complain "$name: $ram bytes of RAM are more than $most_ram"
  symbols=$("${prefix}nm" -C "$firmware")
  grep -q ' T figment::Session::run()$' <<<"$symbols" || complain "$name: nm finds no Session::run"
  if grep -E ' (_*(malloc|free|calloc|realloc|sbrk)(_r)?|operator (new|delete).*|.*printf.*|__cxa_.*|_Unwind.*|__aeabi_unwind.*|abort|atexit)$' \
      <<<"$symbols"; then
    complain "$name: the above came in"
  fi
done
exit $result
