#!/usr/bin/env bash
# What `cmake --install` puts down is enough to build and run a program that draws and one that learns, and it does not
# refer back to the source or build folder.
# usage: install_test.sh BUILD_FOLDER CXX_COMPILER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1 compiler=$2 root=$here/../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/first" >"$work/log" || { cat "$work/log"; exit 1; }
# Moved, so that an absolute path into the first place would show.
mv "$work/first" "$work/installed"
# XDG_CACHE_HOME: the installed tree must do without the user's cache folder.
XDG_CACHE_HOME=$work/empty cmake -S "$here" -B "$work/build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/installed" >"$work/log" 2>&1 &&
  cmake --build "$work/build" >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
if grep -rlE "$(realpath "$build")|figment/xnnpack-2" "$work/installed/lib/cmake" "$work"/installed/lib/*/cmake 2>/dev/null; then
  echo "the installed package refers to the folder it was built in"
  exit 1
fi
"$work/build/program" "$root/models/digits_vae/decoder.fgm"
"$work/build/learner" "$root/models/digits_vae/decoder.fgm" "$root/models/digits_vae/encoder.fgm"
