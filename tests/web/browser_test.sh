#!/usr/bin/env bash
# Runs a test that drives a browser; exit code 77 where there is none, or no npm to fetch Playwright.
# usage: browser_test.sh FOLDER TEST.mjs ARGUMENTS...   (FOLDER of the build tree, for what comes from npm)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$1
shift
for program in node npm chromium; do
  command -v "$program" >/dev/null || { echo "$program is not installed"; exit 77; }
done
mkdir -p "$folder"
if ! cmp -s "$here/package-lock.json" "$folder/fetched.json"; then
  cp "$here/package.json" "$here/package-lock.json" "$folder"
  npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund || { echo "Playwright cannot be had"; exit 77; }
  cp "$here/package-lock.json" "$folder/fetched.json"
fi
export FIGMENT_PACKAGES=$folder CHROMIUM
CHROMIUM=$(command -v chromium)
exec node "$here/$1" "${@:2}"
