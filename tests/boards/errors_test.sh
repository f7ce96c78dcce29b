#!/usr/bin/env bash
# What a user who builds for a board does wrong ends in a sentence that says what to do.
# usage: errors_test.sh
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# says SENTENCE COMMAND...: the command fails and says so.
says() {
  local sentence=$1
  shift
  if "$@" >"$work/said" 2>&1; then echo "this should have failed: $*"; exit 1; fi
  tr -s ' \n' ' ' <"$work/said" | grep -F "$sentence" >/dev/null || {
    echo "'$sentence' is not what was said by: $*"
    cat "$work/said"
    exit 1
  }
}

# A launcher of its own, so that nothing here is touched.
mkdir "$work/figment"
cp -r "$root/figment" "$root/toolchains" "$work/figment"
launcher=$work/figment/figment

says "there is no board 'toaster'; there are aarch64 armv7" "$launcher" --target toaster build
says "there is no board ''" "$launcher" --target
says "leave out --target armv7" "$launcher" --target armv7 test --all
says "leave out --target armv7" "$launcher" --target armv7 bench --peers

# A build folder that came with the checkout from another machine.
mkdir -p "$work/figment/build/release"
touch "$work/figment/build/.setup-build"
echo sparc64 >"$work/figment/build/release/.machine"
says "was built on another kind of machine, sparc64; remove it" "$launcher" build

# No compiler for the board: only what CMake itself wants is on the path.
mkdir "$work/bin"
for program in cmake ninja cc c++ uname; do ln -s "$(command -v "$program")" "$work/bin/"; done
for triple in aarch64-linux-gnu arm-linux-gnueabihf riscv64-linux-gnu; do
  case $triple in aarch64*) board=aarch64 ;; arm*) board=armv7 ;; *) board=riscv64 ;; esac
  says "There is no $triple-g++; install the package g++-$triple." env PATH="$work/bin" cmake --preset release \
    -S "$root" -B "$work/$board" --toolchain "$root/toolchains/boards/$board.cmake" -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF
done

# Libraries of a board that Debian does not have.
says "Debian's libraries for m68k could not be had" env XDG_CACHE_HOME="$work/cache" "$root/toolchains/sysroot.sh" m68k
