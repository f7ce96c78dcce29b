#!/usr/bin/env bash
# Boots a firmware in QEMU, its console on standard output, its exit code this one's.
# usage: emulate.sh MACHINE FIRMWARE [WORDS for the firmware...]
set -euo pipefail
machine=$1 firmware=$2
shift 2
command -v qemu-system-arm >/dev/null || {
  echo "figment: qemu-system-arm is missing; install the Debian package qemu-system-arm." >&2
  exit 1
}
words=arg=figment
for word in "$@"; do words+=,arg=${word//,/,,}; done
# An instruction takes 32 ns of the board's time, whatever the host does: cycles come out the same each time.
exec qemu-system-arm -machine "$machine" -display none -serial none -monitor none -icount shift=5,sleep=off \
  -chardev stdio,id=console -semihosting-config "enable=on,target=native,chardev=console,$words" \
  -kernel "$firmware"
