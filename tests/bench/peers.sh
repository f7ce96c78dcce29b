#!/usr/bin/env bash
# Figment beside ONNX Runtime, ncnn, LiteRT, MNN, OpenVINO and XNNPACK's own operators, as a table:
#   ./figment bench --peers [--cpu avx2] [FOLDER]
# FOLDER (default: build/bench) keeps the models and a Python environment with the engines, from PyPI in pinned versions.
# The launcher installs what this needs (group peers of toolchains/packages.txt) and builds both programs.
set -euo pipefail
bench=$(dirname "$(readlink -f "$0")")
root=$(readlink -f "$bench/../..")
fail() { echo "figment bench --peers: $*" >&2; exit 2; }

folder=$root/build/bench
cap=()
while [ $# -gt 0 ]; do
  case $1 in
    --cpu)
      [ "${2:-}" = avx2 ] || fail "--cpu takes avx2."
      cap=(--cpu avx2)
      shift 2 ;;
    -*) fail "there is no option $1; usage: ./figment bench --peers [--cpu avx2] [FOLDER]" ;;
    *)
      folder=$1
      shift ;;
  esac
done
mkdir -p "$folder"
folder=$(readlink -f "$folder")

# Debian's own Python has Debian's torch and onnx; only the engines come from PyPI.
if [ ! -x "$folder/venv/bin/pip" ]; then /usr/bin/python3 -m venv --clear "$folder/venv"; fi
"$folder/venv/bin/python" -c 'import numpy' 2>/dev/null ||
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
if [ ! "$folder/taesd_dec_16_y.npy" -nt "$bench/make_models.py" ]; then
  /usr/bin/python3 "$bench/make_models.py" "$folder" >"$folder/make_models.log" 2>&1 ||
    fail "the models could not be made; see $folder/make_models.log"
fi
if [ ${#cap[@]} -gt 0 ]; then
  cc -O2 -shared -fPIC "$bench/cap_processor.c" -o "$folder/cap_processor.so" 2>"$folder/cap_processor.log" &&
    cap+=(--cap "$folder/cap_processor.so")
fi
xnnpack=$(sed -n 's/^FIGMENT_XNNPACK_ROOT:[A-Z]*=.*xnnpack-\([0-9]*\)-.*/\1/p' "$root/build/release/CMakeCache.txt")

PYTHONDONTWRITEBYTECODE=1 exec "$folder/venv/bin/python" "$bench/peers.py" --folder "$folder" \
  --figment "$root/build/release/targets/host/figment" --plain "$root/build/release/tests/plain_xnnpack_bench" \
  --xnnpack "${xnnpack:-the system\'s}" ${cap[@]+"${cap[@]}"}
