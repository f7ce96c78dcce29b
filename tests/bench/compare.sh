#!/usr/bin/env bash
# Figment beside XNNPACK's own operators and ONNX Runtime, one thread, batch 1, float32, in one run:
#   tests/bench/compare.sh [FOLDER]        FOLDER keeps the models and ONNX Runtime (default: build/bench)
# Needs Debian's python3-torch and python3-onnx, and npm. Every program takes its turn three times, on one core.
set -euo pipefail
bench=$(dirname "$(readlink -f "$0")")
root=$(readlink -f "$bench/../..")
mkdir -p "${1:-$root/build/bench}"
folder=$(readlink -f "${1:-$root/build/bench}")

"$root/figment" build >/dev/null
cmake --build "$root/build/release" --target plain_xnnpack_bench >/dev/null
figment=$root/build/release/targets/host/figment
plain=$root/build/release/tests/plain_xnnpack_bench
[ -f "$folder/dcgan64.onnx" ] || /usr/bin/python3 "$bench/make_models.py" "$folder" >/dev/null
[ -d "$folder/node_modules/onnxruntime-node" ] ||
  (cd "$folder" && npm install --silent --ignore-scripts onnxruntime-node@1.30.0 >/dev/null)

for model in dcgan64:1x100x1x1:300 seed_vae:1x20:3000; do
  IFS=: read -r name shape runs <<<"$model"
  "$figment" convert "$folder/$name.onnx" -o "$folder/$name.fgm" >/dev/null
  for turn in 1 2 3; do
    echo "== $name, turn $turn"
    taskset -c 0 "$plain" "$folder/$name.fgm" 300
    echo "figment bench  $(taskset -c 0 "$figment" bench "$folder/$name.fgm" --json |
      python3 -c 'import json, sys; t = json.load(sys.stdin)["latency_ms"]; print({k: t[k] for k in ("min", "median")})')"
    echo "ONNX Runtime   $(NODE_PATH=$folder/node_modules taskset -c 0 node "$bench/onnxruntime.js" "$folder/$name.onnx" "$shape" "$runs")"
  done
done
