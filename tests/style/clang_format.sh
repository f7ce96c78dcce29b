#!/usr/bin/env bash
# Every C++ file that git tracks is laid out as .clang-format says.
set -euo pipefail
command -v clang-format >/dev/null || { echo "clang-format is not installed"; exit 77; }
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
git ls-files -z -- '*.cc' '*.h' | xargs -0 --no-run-if-empty clang-format --dry-run -Werror
