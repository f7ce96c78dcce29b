#!/usr/bin/python3
"""Writes the models of the comparison: make_models.py FOLDER (Debian's python3-torch, python3-onnx).

seed_vae.onnx is a VAE's decoder, 20-256-784; dcgan64.onnx the generator of PyTorch's DCGAN example (latent 100, 64
feature maps, 3.58 M weights); taesd_dec_16.onnx a decoder of latent pictures, 4x16x16 to 3x128x128, of the shape of
TAESD's (1.22 M weights). The weights are random from seed 0: they do not change the time. Beside each stand an input
and PyTorch's output, NAME_x.npy and NAME_y.npy.
"""
import pathlib
import sys

import numpy
import torch
from torch import nn


def dcgan_generator(latent=100, features=64, channels=3):
    layers, widths = [], [latent, features * 8, features * 4, features * 2, features]
    for index in range(4):
        stride, padding = (1, 0) if index == 0 else (2, 1)
        layers += [nn.ConvTranspose2d(widths[index], widths[index + 1], 4, stride, padding, bias=False),
                   nn.BatchNorm2d(widths[index + 1]), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(features, channels, 4, 2, 1, bias=False), nn.Tanh())


def vae_decoder():
    return nn.Sequential(nn.Linear(20, 256), nn.LeakyReLU(0.01), nn.Linear(256, 784), nn.Sigmoid())


class SoftClamp(nn.Module):
    """Keeps a latent within -3..3."""

    def forward(self, x):
        return torch.tanh(x / 3) * 3


def convolution(inputs, outputs, bias=True):
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)


class Block(nn.Module):
    """Three convolutions beside a connection that skips them."""

    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(convolution(width, width), nn.ReLU(), convolution(width, width), nn.ReLU(),
                                  convolution(width, width))

    def forward(self, x):
        return torch.relu(self.body(x) + x)


def latent_decoder(latent=4, width=64, channels=3):
    layers = [SoftClamp(), convolution(latent, width), nn.ReLU()]
    for _ in range(3):
        layers += [Block(width), Block(width), Block(width), nn.Upsample(scale_factor=2),
                   convolution(width, width, bias=False)]
    return nn.Sequential(*layers, Block(width), convolution(width, channels))


def unsettle_normalizations(model):
    """Statistics as after some training: at their start a normalization that is left out would not show."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    for name, model, shape in [("seed_vae", vae_decoder(), (1, 20)), ("dcgan64", dcgan_generator(), (1, 100, 1, 1)),
                               ("taesd_dec_16", latent_decoder(), (1, 4, 16, 16))]:
        unsettle_normalizations(model)
        model.eval()
        x = torch.randn(shape)
        torch.onnx.export(model, x, str(folder / f"{name}.onnx"), input_names=["z"], output_names=["y"],
                          opset_version=13)
        numpy.save(folder / f"{name}_x.npy", x.numpy())
        numpy.save(folder / f"{name}_y.npy", model(x).detach().numpy())


if __name__ == "__main__":
    main()
