#!/usr/bin/python3
"""Writes the two models of the comparison as ONNX files: make_models.py FOLDER (Debian's python3-torch, python3-onnx).

dcgan64.onnx is the generator of PyTorch's DCGAN example (latent 100, 64 feature maps, 3.58 M weights), seed_vae.onnx a
VAE's decoder, 20-256-784. The weights are random from seed 0: they do not change the time.
"""
import pathlib
import sys

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


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    for name, model, shape in [("dcgan64", dcgan_generator(), (1, 100, 1, 1)), ("seed_vae", vae_decoder(), (1, 20))]:
        torch.onnx.export(model.eval(), torch.randn(shape), str(folder / f"{name}.onnx"), input_names=["z"],
                          output_names=["y"], opset_version=13)


if __name__ == "__main__":
    main()
