#!/usr/bin/env bash
# Makes the shipped .fgm files from the ONNX files that training has written. The same bytes every time.
set -euo pipefail
models=$(dirname "$(readlink -f "$0")")
figment=${FIGMENT_COMMAND:-$models/../figment}

convert() { "$figment" convert "$models/$1.onnx" -o "$models/$1.fgm" --licence "$models/licence.txt" "${@:2}"; }

convert digits_vae/encoder --name "digits VAE encoder"
convert digits_vae/decoder --name "digits VAE decoder" --image 28x28x1
convert digits_gan/generator --name "digits GAN generator" --weights f16
convert digits_gan/discriminator --name "digits GAN discriminator" --weights f16
