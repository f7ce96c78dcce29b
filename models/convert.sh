#!/usr/bin/env bash
# Makes the shipped .fgm files from the ONNX files that training has written. The same bytes every time.
set -euo pipefail
models=$(dirname "$(readlink -f "$0")")
figment=${FIGMENT_COMMAND:-$models/../figment}

# convert SOURCE MODEL OPTIONS...  A folder's own licence.txt goes before the one of all.
convert() {
  local licence=$models/${1%/*}/licence.txt
  [ -e "$licence" ] || licence=$models/licence.txt
  "$figment" convert "$models/$1.onnx" -o "$models/$2.fgm" --licence "$licence" "${@:3}"
}

convert digits_vae/encoder digits_vae/encoder --name "digits VAE encoder"
convert digits_vae/decoder digits_vae/decoder --name "digits VAE decoder" --image 28x28x1
convert digits_vae/decoder digits_vae/decoder_int8 --name "digits VAE decoder" --image 28x28x1 \
  --weights int8 --min-psnr 40
convert digits_plane/decoder digits_plane/decoder --name "digits plane decoder" --image 28x28x1 --weights f16
convert digits_gan/generator digits_gan/generator --name "digits GAN generator" --weights f16
convert digits_gan/generator digits_gan/generator_int8 --name "digits GAN generator" \
  --weights int8 --min-psnr 40
convert digits_gan/discriminator digits_gan/discriminator --name "digits GAN discriminator" --weights f16
convert names_vae/names_decoder names_vae/names_decoder --name "names VAE decoder" --weights f16 \
  --text "$models/names_vae/names_decoder.text.json"
