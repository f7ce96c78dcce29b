#!/usr/bin/env bash
# The portable backend computes the same bits with gcc and clang, optimized and not, on every shipped
# model. usage: compilers_test.sh BUILD_FOLDER
# Keeps its builds in BUILD_FOLDER/compilers, so that a second run compiles what changed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$1/compilers
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || { echo "$compiler is not installed"; exit 77; }
done
mapfile -t models < <(cd "$root" && ls models/*/*.fgm)
[ ${#models[@]} -gt 0 ] || { echo "there are no models/*/*.fgm"; exit 1; }

# digests COMPILER FLAGS NAME: writes $work/NAME.txt
digests() {
  local compiler=$1 flags=$2 name=$3 tree=$work/$3
  mkdir -p "$tree"
  {
    cmake -S "$root" -B "$tree" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=None \
      -DCMAKE_CXX_FLAGS="$flags" -DFIGMENT_XNNPACK=OFF -DFIGMENT_BUILD_CONVERTER=OFF \
      -DFIGMENT_BUILD_TOOLS=OFF -DFIGMENT_BUILD_TESTS=OFF &&
      cmake --build "$tree" --target figment &&
      # shellcheck disable=SC2086 # flags are words
      "$compiler" -std=c++20 $flags -I"$root/runtime/include" "$root/tests/compilers/digest.cc" \
        "$tree/runtime/libfigment.a" -o "$tree/digest"
  } >"$tree/log" 2>&1 || { cat "$tree/log"; exit 1; }
  (cd "$root" && "$tree/digest" "${models[@]}") >"$work/$name.txt"
  [ -s "$work/$name.txt" ] || { echo "$name computed nothing"; exit 1; }
}

digests g++ "-O3 -DNDEBUG" gcc-release
digests g++ "-O1" gcc-debug
digests clang++ "-O3 -DNDEBUG" clang-release
digests clang++ "-O1" clang-debug
cat "$work/gcc-release.txt"
for name in gcc-debug clang-release clang-debug; do
  diff "$work/gcc-release.txt" "$work/$name.txt" || { echo "$name differs from gcc-release"; exit 1; }
done
