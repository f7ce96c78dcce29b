#!/usr/bin/env bash
# How large the runtime without XNNPACK is on every machine whose compiler is here, as a table: the library with all
# operators, and a program that draws pictures (draw.cc beside this), linked with all operators and with those of the
# digits VAE's decoder alone. Then what learning adds on this machine and on a Cortex-M3, the smallest: the program with
# the operators of the digits VAE, and the same when it also trains one (learn.cc), of a build that learns VAEs alone.
# Code past its limit fails, as does a program that draws alone but carries some of the learning.
# usage: size_test.sh BUILD_FOLDER FIGMENT      (the command line, which knows a model's operators)
# FIGMENT_SIZE_PRESETS=release leaves the preset small out, which has no limit; FIGMENT_SIZE_BOARDS names the boards.
# Keeps its builds in BUILD_FOLDER/size, so that a second run compiles what changed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$1/size
operators=$("$2" show --ops "$root/models/digits_vae/decoder.fgm")
learning_operators=$operators,$("$2" show --ops "$root/models/digits_vae/encoder.fgm")
library_limit=$((250 * 1024)) # everywhere
model_limit=$((48 * 1024))    # on aarch64
learning_limit=$((40 * 1024)) # on a Cortex-M3
result=0

# configure TREE PRESET OPERATORS TOOLCHAIN OPTION...: false, with the reason in TREE.log, where the compiler is missing.
configure() {
  mkdir -p "$work"
  cmake --preset "$2" -S "$root" -B "$1" ${4:+--toolchain "$4"} -DFIGMENT_PLACE=host -DFIGMENT_XNNPACK=OFF \
    -DFIGMENT_BOARD_DEBIAN= -DFIGMENT_BUILD_CONVERTER=OFF -DFIGMENT_BUILD_TOOLS=OFF -DFIGMENT_BUILD_TESTS=OFF \
    "-DFIGMENT_OPS=$3" "${@:5}" >"$1.log" 2>&1
}

# text_and_data FILE: both sums, as the compiler's own `size` counts them.
text_and_data() {
  case $board in
    web) llvm_size=$(command -v llvm-size || find /usr/lib/llvm-*/bin/llvm-size | tail -n 1)
      "$llvm_size" --totals "$1" ;;
    *) size --totals "$1" ;;
  esac | awk '$NF == "(TOTALS)" { print $1, $2 }'
}

# link TREE PROGRAM OBJECT...: leaves the code of PROGRAM (draw, or learn, which draws too) and of the library, without
# what it does not reach, in TREE/PROGRAM.o. The objects come before the library's own.
link() {
  local compiler flags source roots=(draw) objects=("${@:3}")
  [ "$2" = draw ] || roots+=("$2")
  compiler=$(sed -n 's/^ *set(CMAKE_CXX_COMPILER "\(.*\)")$/\1/p' "$1"/CMakeFiles/*/CMakeCXXCompiler.cmake)
  flags="$(sed -n 's/^CMAKE_CXX_FLAGS:[A-Z]*=//p' "$1/CMakeCache.txt") -std=c++20 -Os"
  flags+=" -fno-exceptions -fno-unwind-tables -fno-asynchronous-unwind-tables"
  for source in "${roots[@]}"; do
    # shellcheck disable=SC2086 # flags are words
    "$compiler" $flags -I"$root/runtime/include" -c "$root/tests/limits/$source.cc" -o "$1/$source.cc.o"
    objects=("$1/$source.cc.o" "${objects[@]}")
  done
  case $board in
    # WebAssembly drops what is not reached in a whole module alone.
    web) "$compiler" -Os -sSTANDALONE_WASM --no-entry -sEXPORTED_FUNCTIONS="$(printf ',_%s' "${roots[@]}" | cut -c 2-)" \
      -sALLOW_MEMORY_GROWTH -sMALLOC=emmalloc -sFILESYSTEM=0 "${objects[@]}" "$1/runtime/libfigment.a" -o "$1/$2.wasm" &&
      mv "$1/$2.wasm" "$1/$2.o" ;;
    *) "$compiler" -r -nostdlib -Wl,--gc-sections -Wl,-e,draw -Wl,-u,"$2" "${objects[@]}" "$1/runtime/libfigment.a" -o "$1/$2.o" ;;
  esac
}

# check WHAT BYTES LIMIT
check() {
  [ "$2" -gt 0 ] || { echo "no code was found in $1"; result=1; }
  [ "$2" -le "$3" ] || { echo "$1 takes $2 bytes of code, more than $3"; result=1; }
}

# objects TREE PATTERN: the object files that TREE makes and whose names fit, one a line; makes them.
objects() {
  local names
  names=$(ninja -C "$1" -t targets all | sed -n "s/^\($2\.o[bj]*\): .*/\1/p")
  # shellcheck disable=SC2086 # names are words
  ninja -C "$1" $names >>"$1.log" 2>&1 || { tail -n 20 "$1.log" >&2; exit 1; }
  # shellcheck disable=SC2086
  printf "$1/%s\n" $names
}

printf '%-10s %-8s %-34s %9s %6s %9s\n' target preset 'operators' text data file
row() { # WHAT FILE; sets text and data
  read -r text data <<<"$(text_and_data "$2")"
  printf '%-10s %-8s %-34s %9d %6d %9d\n' "$target" "$preset" "$1" "$text" "$data" "$(stat -c %s "$2")"
}
for board in "" ${FIGMENT_SIZE_BOARDS:-aarch64 armv7 riscv64 cortex_m3 cortex_m7 web}; do
  toolchain=${board:+$root/toolchains/boards/$board.cmake}
  target=${board:-$(uname -m)}
  for preset in ${FIGMENT_SIZE_PRESETS:-release small}; do
    tree=$work/$target-$preset
    if ! configure "$tree" $preset "" "$toolchain"; then
      [ -n "$board" ] || { cat "$tree.log"; exit 1; }
      printf '%-10s its compiler is not here\n' "$board"
      break
    fi
    # For the model's table of operators; nothing else is compiled there.
    configure "$tree-vae" $preset "$operators" "$toolchain"
    cmake --build "$tree" --target figment >>"$tree.log" 2>&1 || { tail -n 20 "$tree.log"; exit 1; }
    table=$(objects "$tree-vae" '.*\/operators\.cc')
    row 'all, the library' "$tree/runtime/libfigment.a"
    # Objects of WebAssembly pad every address to five bytes, which linking takes out again.
    [ "$target" = web ] || check "the library on $target" "$text" "$library_limit"
    link "$tree" draw
    row 'all, linked' "$tree/draw.o"
    [ "$target" != web ] || check "the library on $target" "$text" "$library_limit"
    link "$tree" draw "$table"
    row "the digits VAE's decoder's, linked" "$tree/draw.o"
    if [ "$target" = aarch64 ]; then check "the digits VAE on $target" "$text" "$model_limit"; fi
    # What learns is a third of a minute's compiling: for two machines.
    case $target-$preset in "$(uname -m)-release" | cortex_m3-release) ;; *) continue ;; esac
    configure "$tree-learning" $preset "$learning_operators" "$toolchain" -DFIGMENT_TRAINING=ON -DFIGMENT_LEARN=vae
    learning_table=$(objects "$tree-learning" '.*\/operators\.cc')
    mapfile -t learning < <(objects "$tree-learning" 'runtime\/train\/.*')
    link "$tree" draw "$learning_table" "${learning[@]}"
    row "the digits VAE's, linked" "$tree/draw.o"
    drawing=$text
    if grep -q 7figment5train "$tree/draw.o"; then
      echo "a program that only draws carries code of the learning on $target"
      result=1
    fi
    link "$tree" learn "$learning_table" "${learning[@]}"
    row '... and learning, linked' "$tree/learn.o"
    if [ "$target" = cortex_m3 ]; then check "learning on $target" $((text - drawing)) "$learning_limit"; fi
  done
done
exit "$result"
