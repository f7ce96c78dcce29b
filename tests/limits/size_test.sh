#!/usr/bin/env bash
# How large the runtime without XNNPACK is on every machine whose compiler is here, as a table: the library with all
# operators, and a program that draws pictures (draw.cc beside this), linked with all operators and with those of the
# digits VAE's decoder alone. Code past its limit fails.
# usage: size_test.sh BUILD_FOLDER FIGMENT      (the command line, which knows a model's operators)
# Keeps its builds in BUILD_FOLDER/size, so that a second run compiles what changed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$1/size
operators=$("$2" show --ops "$root/models/digits_vae/decoder.fgm")
library_limit=$((250 * 1024)) # everywhere
model_limit=$((48 * 1024))    # on aarch64
result=0

# configure TREE OPERATORS TOOLCHAIN: false, with the reason in TREE.log, where the compiler is missing.
configure() {
  mkdir -p "$work"
  cmake --preset release -S "$root" -B "$1" ${3:+--toolchain "$3"} -DFIGMENT_PLACE=host -DFIGMENT_XNNPACK=OFF \
    -DFIGMENT_BOARD_DEBIAN= -DFIGMENT_BUILD_CONVERTER=OFF -DFIGMENT_BUILD_TOOLS=OFF -DFIGMENT_BUILD_TESTS=OFF \
    "-DFIGMENT_OPS=$2" >"$1.log" 2>&1
}

setting() { sed -n "s/^$2:[A-Z]*=//p" "$1/CMakeCache.txt"; }

# text_and_data FILE: both sums, as `size` counts them.
text_and_data() { size --totals "$1" | awk '$NF == "(TOTALS)" { print $1, $2 }'; }

# link TREE: leaves the program's own code and the library's in TREE/draw.o, without what it does not reach.
link() {
  cmake --build "$1" --target figment >>"$1.log" 2>&1 || { tail -n 20 "$1.log"; exit 1; }
  local compiler flags
  compiler=$(sed -n 's/^ *set(CMAKE_CXX_COMPILER "\(.*\)")$/\1/p' "$1"/CMakeFiles/*/CMakeCXXCompiler.cmake)
  flags="$(setting "$1" CMAKE_CXX_FLAGS) -std=c++20 -Os -fno-exceptions -fno-unwind-tables -fno-asynchronous-unwind-tables"
  # shellcheck disable=SC2086 # flags are words
  "$compiler" $flags -I"$root/runtime/include" -c "$root/tests/limits/draw.cc" -o "$1/draw.cc.o" &&
    "$compiler" $flags -r -nostdlib -Wl,--gc-sections -Wl,-e,draw "$1/draw.cc.o" "$1/runtime/libfigment.a" -o "$1/draw.o"
}

# check WHAT BYTES LIMIT
check() {
  [ "$2" -gt 0 ] || { echo "no code was found in $1"; result=1; }
  [ "$2" -le "$3" ] || { echo "$1 takes $2 bytes of code, more than $3"; result=1; }
}

printf '%-10s %-8s %-34s %9s %6s %9s\n' target preset 'operators' text data file
row() { # TARGET WHAT FILE TEXT DATA
  printf '%-10s %-8s %-34s %9d %6d %9d\n' "$1" release "$2" "$4" "$5" "$(stat -c %s "$3")"
}
for board in "" aarch64 armv7 riscv64 cortex_m3 cortex_m7; do
  toolchain=${board:+$root/toolchains/boards/$board.cmake}
  target=${board:-$(uname -m)}
  if ! configure "$work/$target" "" "$toolchain"; then
    [ -n "$board" ] || { cat "$work/$target.log"; exit 1; }
    printf '%-10s its compiler is not here\n' "$board"
    continue
  fi
  configure "$work/$target-vae" "$operators" "$toolchain"
  link "$work/$target"
  link "$work/$target-vae"
  library=$work/$target/runtime/libfigment.a
  read -r text data <<<"$(text_and_data "$library")"
  row "$target" 'all, the library' "$library" "$text" "$data"
  check "the library on $target" "$text" "$library_limit"
  read -r text data <<<"$(text_and_data "$work/$target/draw.o")"
  row "$target" 'all, linked' "$work/$target/draw.o" "$text" "$data"
  read -r text data <<<"$(text_and_data "$work/$target-vae/draw.o")"
  row "$target" "the digits VAE's decoder's, linked" "$work/$target-vae/draw.o" "$text" "$data"
  if [ "$target" = aarch64 ]; then check "the digits VAE on $target" "$text" "$model_limit"; fi
done
exit "$result"
