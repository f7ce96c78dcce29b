#!/usr/bin/env bash
# Fetches the libraries that Figment's command line wants on a board (group `board` of toolchains/packages.txt) from
# the Debian archive and prints the folder they are in as the last line. Kept in the user's cache folder; needs no root
# and changes nothing of this machine.
#
# usage: sysroot.sh ARCHITECTURE     Debian's name: arm64, armhf, riscv64
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/debian.sh"

architecture=${1:?usage: sysroot.sh ARCHITECTURE}
mapfile -t packages < <(awk '$1 == "board" { print $2 }' "$here/packages.txt")
suite=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")
# What is unpacked: for this list of packages, from this release.
prefix=$cache/sysroot-$architecture-$suite-$(echo "${packages[*]}" | sha256sum | cut -c 1-8)
if [ -d "$prefix" ]; then
  echo "$prefix"
  exit 0
fi

mkdir -p "$cache"
work=$(mktemp -d "$prefix.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$prefix.log
say "getting ${packages[*]} for $architecture (log: $log)"
unpack_from() {
  mkdir "$work/$1"
  use_apt_apart "$work/$1" deb "$1" || return 1
  apt_options+=(-oAPT::Architecture="$architecture" -oAPT::Architectures="$architecture"
    -oDir::State::status=/dev/null)
  apt-get "${apt_options[@]}" update || true
  (cd "$work/$1" && apt-get "${apt_options[@]}" download "${packages[@]}") &&
    for package in "$work/$1"/*.deb; do dpkg-deb -x "$package" "$work/root"; done
}
# Debian has RISC-V from 13 (trixie) on; C libraries of a newer release serve as well, since they are linked whole.
{ unpack_from "$suite" || unpack_from trixie; } >"$log" 2>&1 || {
  tail -n 5 "$log" >&2
  fail "Debian's libraries for $architecture could not be had; see $log, or name a folder that has them" \
    "with -DFIGMENT_SYSROOT=FOLDER."
}
# Another run may have been faster.
mv -T "$work/root" "$prefix" 2>/dev/null || [ -d "$prefix" ]
echo "$prefix"
