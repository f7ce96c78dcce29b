#!/usr/bin/env python3
"""Writes goldens/pictures.txt: gradients of operators on pictures as PyTorch has them.

Debian's PyTorch 1.13 made what is committed. Pictures are written N,H,W,C, weights as
runtime/format/model.fbs has them. The format is told in torch_goldens.cc.
"""

import pathlib

import torch
import torch.nn.functional as F

GOLDENS = pathlib.Path(__file__).parent / "goldens" / "pictures.txt"


def pixels_last(x):
    """N,C,H,W -> N,H,W,C."""
    return x.permute(0, 2, 3, 1)


def same(x):
    return x


def conv_weights(w):
    """[outputs, inputs, kh, kw] -> [outputs, kh, kw, inputs]."""
    return w.permute(0, 2, 3, 1)


def transposed_weights(groups):
    """[inputs, outputs/groups, kh, kw] -> [groups, kh, kw, outputs/groups, inputs/groups]."""
    return lambda w: w.reshape(groups, -1, *w.shape[1:]).permute(0, 3, 4, 2, 1)


def write(file, role, x):
    numbers = " ".join(f"{v:.7g}" for v in x.reshape(-1).tolist())
    print(role, *x.shape, ":", numbers, file=file)


def golden(file, name, function, *operands):
    """operands: pairs of a shape (N,C,H,W) and the change of layout."""
    leaves = [torch.randn(shape, requires_grad=True) for shape, _ in operands]
    y = function(*leaves)
    dy = torch.randn(y.shape)
    y.backward(dy)
    print("case", name, file=file)
    for leaf, (_, layout) in zip(leaves, operands):
        write(file, "operand", layout(leaf.detach()))
    write(file, "output", pixels_last(y.detach()))
    write(file, "output_gradient", pixels_last(dy))
    for leaf, (_, layout) in zip(leaves, operands):
        write(file, "gradient", layout(leaf.grad))


def main():
    torch.manual_seed(7)
    with open(GOLDENS, "w", encoding="ascii") as file:
        golden(file, "conv2d", lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1),
               ((2, 3, 6, 6), pixels_last), ((4, 3, 4, 4), conv_weights), ((4,), same))
        golden(file, "conv2d_grouped",
               lambda x, w, b: F.conv2d(x, w, b, padding=2, dilation=2, groups=2),
               ((1, 4, 5, 6), pixels_last), ((4, 2, 3, 3), conv_weights), ((4,), same))
        golden(file, "conv_transpose2d",
               lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1),
               ((2, 4, 3, 3), pixels_last), ((4, 3, 4, 4), transposed_weights(1)), ((3,), same))
        golden(file, "conv_transpose2d_grouped",
               lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1, output_padding=1,
                                                  dilation=2, groups=2),
               ((1, 4, 3, 4), pixels_last), ((4, 2, 3, 3), transposed_weights(2)), ((4,), same))
        golden(file, "max_pool2d", lambda x: F.max_pool2d(x, 3, stride=2, padding=1),
               ((2, 3, 7, 6), pixels_last))
        golden(file, "avg_pool2d",
               lambda x: F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False),
               ((2, 3, 7, 6), pixels_last))
        golden(file, "nearest", lambda x: F.interpolate(x, size=(6, 9), mode="nearest"),
               ((1, 2, 3, 4), pixels_last))
        golden(file, "bilinear",
               lambda x: F.interpolate(x, size=(6, 9), mode="bilinear", align_corners=False),
               ((1, 2, 3, 4), pixels_last))
        golden(file, "bilinear_corners",
               lambda x: F.interpolate(x, size=(3, 7), mode="bilinear", align_corners=True),
               ((1, 2, 5, 4), pixels_last))
        golden(file, "bicubic",
               lambda x: F.interpolate(x, size=(6, 9), mode="bicubic", align_corners=False),
               ((1, 2, 3, 4), pixels_last))
        golden(file, "pixel_shuffle", lambda x: F.pixel_shuffle(x, 2), ((1, 8, 2, 3), pixels_last))
        golden(file, "pad_reflect", lambda x: F.pad(x, (2, 1, 1, 2), mode="reflect"),
               ((1, 2, 3, 4), pixels_last))
        golden(file, "pad_edge", lambda x: F.pad(x, (2, 1, 0, 3), mode="replicate"),
               ((1, 2, 3, 4), pixels_last))


if __name__ == "__main__":
    main()
