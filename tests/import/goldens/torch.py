#!/usr/bin/env python3
"""Makes the goldens of PyTorch's importer: what PyTorch itself computes, from tiny networks.

    /usr/bin/python3 tests/import/goldens/torch.py        (Debian: python3-torch)

    torch/layers.json     one case a layer or a few: a description, weights, inputs, outputs
    torch/networks.json   the networks that ship, with few channels
    torch/functions/*     TorchScript archives, and their inputs and outputs
    torch/files/*         state dicts in all of torch.save's layouts and types
    torch/people.json     files of other people, when they are there: some of their outputs
"""
import io
import json
import pathlib
import shutil
import sys
import zipfile

sys.path.pop(0)  # where this file would be found as "torch"

import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F

PATTERNED = 150  # inputs longer than this are a pattern
HERE = pathlib.Path(__file__).resolve().parent / "torch"
PEOPLE = HERE.parents[4] / "shared" / "models" / "pytorch"


def rounded(module):
    """Weights of few digits, which keep the files short; statistics that are not the first ones."""
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if not tensor.dtype.is_floating_point:
                continue
            if name.endswith("running_var"):
                tensor.copy_(torch.rand_like(tensor) + 0.5)
            elif name.endswith("running_mean") or "bias" in name:
                tensor.copy_(torch.randn_like(tensor) * 0.3)
            elif tensor.dim() == 1 and name.endswith("weight") and "norm" not in name:
                tensor.copy_(torch.rand_like(tensor) + 0.5)
            tensor.copy_((tensor * 100).round() / 100)
    return module.eval()


class Numbers(list):
    """Floats that are written with few digits."""


def numbers(tensor, stride=1):
    array = tensor.detach().numpy().astype(numpy.float32).reshape(-1)[::stride]
    return [float(f"{value:.5g}") for value in array]


def tensor_case(tensor, stride=1):
    case = {"shape": list(tensor.shape), "values": numbers(tensor, stride)}
    if stride > 1:
        case["stride"] = stride
    return case


def input_of(shape, kind="normal"):
    if kind == "labels":
        return torch.arange(int(numpy.prod(shape))).reshape(shape) * 3 % 5
    count = int(numpy.prod(shape))
    if count > PATTERNED:
        return ((torch.arange(count) * 37 % 101 - 50) / 32.0).reshape(shape)
    return (torch.randn(shape) * 100).round() / 100


def input_case(value):
    """Of long inputs the shape alone: their numbers are a pattern."""
    case = {"shape": list(value.shape), "integers": value.dtype == torch.int64}
    if value.numel() <= PATTERNED:
        case["values"] = numbers(value)
    return case


def write(path, value):
    path.write_text(json.dumps(value, separators=(",", ":")).replace('},{"name"', '},\n{"name"') + "\n")


# ---- Layers ----

CASES = []


def case(name, module, layers, inputs, call=None, stride=1, network=None, weights=None):
    """`layers` is the description's; inputs {name: shape or (shape, 'labels')}."""
    module = rounded(module)
    values = {key: input_of(*(shape if isinstance(shape, tuple) and len(shape) == 2 and
                              isinstance(shape[1], str) else (shape,))) for key, shape in inputs.items()}
    with torch.no_grad():
        results = (call or module)(*values.values())
    results = results if isinstance(results, tuple) else (results,)
    if network is None:
        network = {"inputs": [{"name": key, "shape": ["N"] + list(value.shape[1:]),
                               **({"integers": True} if value.dtype == torch.int64 else {})}
                              for key, value in values.items()], "layers": layers}
    if isinstance(layers, dict):
        network = {**network, **layers}
    CASES.append({
        "name": name, "network": network,
        "weights": {key: tensor_case(value) for key, value in (weights or module.state_dict()).items()
                    if value.dtype.is_floating_point},
        "inputs": {key: input_case(value)
                   for key, value in values.items()},
        "outputs": [tensor_case(value, stride) for value in results]})


def sequential(name, *modules, layers, shape):
    case(name, nn.Sequential(*modules), layers, {"x": shape})


def make_layers():
    image = (2, 4, 6, 5)
    sequential("Linear", nn.Linear(5, 3), nn.Linear(3, 4, bias=False), layers=["Linear", "Linear"], shape=(2, 5))
    sequential("Conv1d", nn.Conv1d(4, 3, 3, stride=2, padding=1, dilation=2),
               layers=[{"type": "Conv1d", "stride": 2, "padding": 1, "dilation": 2}], shape=(2, 4, 9))
    sequential("Conv2d", nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=(2, 0), groups=2),
               layers=[{"type": "Conv2d", "stride": [1, 2], "padding": [2, 0], "groups": 2}], shape=image)
    sequential("Conv2d same", nn.Conv2d(4, 2, (4, 3), padding="same"),
               layers=[{"type": "Conv2d", "padding": "same"}], shape=image)
    sequential("Conv2d reflect", nn.Conv2d(4, 2, 3, padding=2, padding_mode="reflect"),
               nn.Conv2d(2, 2, 3, padding=(0, 1), padding_mode="replicate"),
               layers=[{"type": "Conv2d", "padding": 2, "padding_mode": "reflect"},
                       {"type": "Conv2d", "padding": [0, 1], "padding_mode": "replicate"}], shape=image)
    sequential("ConvTranspose1d", nn.ConvTranspose1d(4, 3, 4, stride=2, padding=1, output_padding=1),
               layers=[{"type": "ConvTranspose1d", "stride": 2, "padding": 1, "output_padding": 1}], shape=(2, 4, 5))
    sequential("ConvTranspose2d", nn.ConvTranspose2d(4, 6, (3, 4), stride=(2, 1), padding=1, output_padding=(1, 0),
                                                     groups=2, dilation=(1, 2)),
               layers=[{"type": "ConvTranspose2d", "stride": [2, 1], "padding": 1, "output_padding": [1, 0],
                        "groups": 2, "dilation": [1, 2]}], shape=(1, 4, 3, 4))
    sequential("BatchNorm1d", nn.BatchNorm1d(5), nn.Linear(5, 4), nn.BatchNorm1d(4, eps=0.1, affine=False),
               layers=["BatchNorm1d", "Linear", {"type": "BatchNorm1d", "eps": 0.1}], shape=(3, 5))
    sequential("BatchNorm1d of signals", nn.BatchNorm1d(4), layers=["BatchNorm1d"], shape=(3, 4, 5))
    sequential("BatchNorm2d", nn.BatchNorm2d(4, eps=0.8), layers=[{"type": "BatchNorm2d", "eps": 0.8}], shape=image)
    sequential("InstanceNorm2d", nn.InstanceNorm2d(4), nn.InstanceNorm2d(4, affine=True),
               layers=["InstanceNorm2d", {"type": "InstanceNorm2d", "affine": True}], shape=image)
    sequential("InstanceNorm2d with statistics", nn.InstanceNorm2d(4, affine=True, track_running_stats=True),
               layers=[{"type": "InstanceNorm2d", "track_running_stats": True}], shape=image)
    sequential("GroupNorm", nn.GroupNorm(2, 4), nn.GroupNorm(4, 4, affine=False),
               layers=[{"type": "GroupNorm", "num_groups": 2}, {"type": "GroupNorm", "num_groups": 4}], shape=image)
    sequential("LayerNorm", nn.LayerNorm(5), nn.LayerNorm([6, 5]), nn.LayerNorm(5, elementwise_affine=False),
               layers=["LayerNorm", "LayerNorm", {"type": "LayerNorm", "normalized_shape": [5]}], shape=image)
    case("Embedding", nn.Sequential(nn.Embedding(5, 3)), ["Embedding"], {"label": ((4,), "labels")})

    for recurrent, arguments in (("LSTM", {}), ("GRU", {}), ("RNN", {"nonlinearity": "relu"})):
        for layers, both in ((1, False), (2, True)):
            module = nn.Module()
            module.net = getattr(nn, recurrent)(3, 4, num_layers=layers, bidirectional=both, batch_first=True,
                                                **arguments)
            outputs = ["net", {"name": "h", "from": "net.h_n"}] + (
                [{"name": "c", "from": "net.c_n"}] if recurrent == "LSTM" else [])

            def run(x, module=module, lstm=recurrent == "LSTM"):
                y, state = module.net(x)
                return (y, *state) if lstm else (y, state)
            case(f"{recurrent} {layers}", module,
                 {"layers": [{"type": recurrent, "name": "net", "batch_first": True, **arguments}], "outputs": outputs},
                 {"x": (2, 5, 3)}, run)
    module = nn.Module()
    module.net = nn.LSTM(3, 4, bias=False)
    case("LSTM with first states", module,
         {"layers": [{"type": "LSTM", "name": "net", "from": ["x", "h", "c"]}]},
         {"x": (5, 1, 3), "h": (1, 1, 4), "c": (1, 1, 4)}, lambda x, h, c: module.net(x, (h, c))[0])

    plain = ["ELU", "GELU", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid", "Mish", "ReLU", "ReLU6",
             "RReLU", "SELU", "SiLU", "Sigmoid", "Softplus", "Softsign", "Tanh", "Tanhshrink", "Softshrink",
             "Hardshrink", "CELU"]
    module = nn.Module()
    case("activations", module,
         {"layers": [{"type": name, "from": "x", "name": name} for name in plain], "outputs": plain}, {"x": (2, 7)},
         lambda x: tuple(getattr(nn, name)().eval()(x) for name in plain))
    given = [("CELU", {"alpha": 0.5}), ("ELU", {"alpha": 0.3}), ("GELU", {"approximate": "tanh"}), ("GLU", {"dim": 1}),
             ("Hardtanh", {"min_val": -0.5, "max_val": 0.25}), ("LeakyReLU", {"negative_slope": 0.2}),
             ("LogSoftmax", {"dim": -1}), ("Softmax", {"dim": 1}), ("Softmin", {"dim": 2}),
             ("Softplus", {"beta": 2, "threshold": 20}), ("Threshold", {"threshold": 0.1, "value": -2}),
             ("Softshrink", {"lambd": 0.2}), ("Hardshrink", {"lambd": 0.7}), ("Softmax2d", {})]
    names = [f"a{index}" for index in range(len(given))]
    case("activations with arguments", nn.Module(),
         {"layers": [{"type": kind, "from": "x", "name": name, **arguments}
                     for name, (kind, arguments) in zip(names, given)], "outputs": names}, {"x": (1, 4, 3, 2)},
         lambda x: tuple(getattr(nn, kind)(**arguments)(x) for kind, arguments in given))
    sequential("PReLU", nn.PReLU(), nn.PReLU(4), layers=["PReLU", "PReLU"], shape=image)
    sequential("Dropout", nn.Dropout(), nn.Dropout2d(), nn.Identity(), nn.Linear(5, 2),
               layers=["Dropout", "Dropout2d", "Identity", "Linear"], shape=(2, 5))
    sequential("Flatten", nn.Flatten(), nn.Linear(24, 12), nn.Unflatten(1, (3, 2, 2)), nn.Flatten(2, 3),
               layers=["Flatten", "Linear", {"type": "Unflatten", "dim": 1, "unflattened_size": [3, -1, 2]},
                       {"type": "Flatten", "start_dim": 2, "end_dim": 3}], shape=(2, 4, 3, 2))
    sequential("Upsample", nn.Upsample(scale_factor=2), nn.Upsample(size=(7, 9), mode="bilinear"),
               nn.Upsample(scale_factor=1.5, mode="bilinear", align_corners=True), nn.Upsample(size=5, mode="bicubic"),
               nn.UpsamplingNearest2d(scale_factor=2), nn.UpsamplingBilinear2d(size=(4, 6)),
               layers=[{"type": "Upsample", "scale_factor": 2}, {"type": "Upsample", "size": [7, 9], "mode": "bilinear"},
                       {"type": "Upsample", "scale_factor": 1.5, "mode": "bilinear", "align_corners": True},
                       {"type": "Upsample", "size": 5, "mode": "bicubic"},
                       {"type": "UpsamplingNearest2d", "scale_factor": 2},
                       {"type": "UpsamplingBilinear2d", "size": [4, 6]}], shape=(1, 2, 3, 4))
    sequential("Upsample of signals", nn.Upsample(scale_factor=2.5), nn.Upsample(size=11, mode="linear"),
               layers=[{"type": "Upsample", "scale_factor": 2.5}, {"type": "Upsample", "size": 11, "mode": "linear"}],
               shape=(1, 2, 6))
    sequential("PixelShuffle", nn.PixelShuffle(2), nn.PixelUnshuffle(2), nn.PixelShuffle(2), nn.ChannelShuffle(2),
               nn.PixelUnshuffle(2),
               layers=[{"type": "PixelShuffle", "upscale_factor": 2}, {"type": "PixelUnshuffle", "downscale_factor": 2},
                       {"type": "PixelShuffle", "upscale_factor": 2}, {"type": "ChannelShuffle", "groups": 2},
                       {"type": "PixelUnshuffle", "downscale_factor": 2}], shape=(1, 8, 2, 3))
    pools = [("MaxPool2d", {"kernel_size": 2}), ("MaxPool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
             ("MaxPool2d", {"kernel_size": 2, "stride": 1, "dilation": 2}), ("AvgPool2d", {"kernel_size": [2, 3]}),
             ("AvgPool2d", {"kernel_size": 3, "stride": 2, "padding": 1}),
             ("AvgPool2d", {"kernel_size": 3, "padding": 1, "count_include_pad": False}),
             ("AdaptiveAvgPool2d", {"output_size": 1}), ("AdaptiveAvgPool2d", {"output_size": [3, 2]}),
             ("AdaptiveMaxPool2d", {"output_size": [2, 2]})]
    names = [f"p{index}" for index in range(len(pools))]
    case("pools", nn.Module(),
         {"layers": [{"type": kind, "from": "x", "name": name, **arguments}
                     for name, (kind, arguments) in zip(names, pools)], "outputs": names}, {"x": (1, 2, 6, 8)},
         lambda x: tuple(getattr(nn, kind)(**{key: tuple(value) if isinstance(value, list) else value
                                              for key, value in arguments.items()})(x) for kind, arguments in pools))
    sequential("pools of signals", nn.MaxPool1d(2), nn.AvgPool1d(3, 1, 1),
               layers=[{"type": "MaxPool1d", "kernel_size": 2},
                       {"type": "AvgPool1d", "kernel_size": 3, "stride": 1, "padding": 1}], shape=(1, 2, 9))
    pads = [("ReflectionPad2d", {"padding": [1, 2, 0, 3]}), ("ReplicationPad2d", {"padding": 2}),
            ("ConstantPad2d", {"padding": [1, -1, 2, 0], "value": 0.5}), ("ZeroPad2d", {"padding": 1})]
    names = [f"p{index}" for index in range(len(pads))]
    case("pads", nn.Module(),
         {"layers": [{"type": kind, "from": "x", "name": name, **arguments}
                     for name, (kind, arguments) in zip(names, pads)], "outputs": names}, {"x": (1, 2, 4, 5)},
         lambda x: tuple(getattr(nn, kind)(**{key: tuple(value) if isinstance(value, list) else value
                                              for key, value in arguments.items()})(x) for kind, arguments in pads))
    sequential("pads of signals", nn.ReflectionPad1d(2), nn.ReplicationPad1d((1, 0)), nn.ConstantPad1d(1, 2.0),
               layers=[{"type": "ReflectionPad1d", "padding": 2}, {"type": "ReplicationPad1d", "padding": [1, 0]},
                       {"type": "ConstantPad1d", "padding": 1, "value": 2}], shape=(1, 2, 5))

    # Parametrised weights.
    from torch.nn.utils import spectral_norm, weight_norm
    from torch.nn.utils.parametrizations import spectral_norm as parametrized_spectral_norm
    layers = nn.Sequential(spectral_norm(nn.Conv2d(4, 3, 3)), spectral_norm(nn.ConvTranspose2d(3, 2, 2)),
                           nn.Flatten(), spectral_norm(nn.Linear(40, 3)))
    layers(torch.randn(2, 4, 6, 5))
    case("spectral norm", layers, ["Conv2d", "ConvTranspose2d", "Flatten", "Linear"], {"x": image})
    layers = nn.Sequential(parametrized_spectral_norm(nn.Conv2d(4, 3, 3)), nn.Flatten(),
                           parametrized_spectral_norm(nn.Linear(36, 3)))
    layers(torch.randn(2, 4, 6, 5))
    case("parametrized spectral norm", layers, ["Conv2d", "Flatten", "Linear"], {"x": image})
    layers = nn.Sequential(weight_norm(nn.Conv2d(4, 3, 3)), weight_norm(nn.ConvTranspose2d(3, 2, 2)), nn.Flatten(),
                           weight_norm(nn.Linear(40, 3), dim=None), weight_norm(nn.Linear(3, 1)))
    case("weight norm", layers, ["Conv2d", "ConvTranspose2d", "Flatten", "Linear", "Linear"], {"x": image})
    # The names of torch.nn.utils.parametrizations.weight_norm, which Debian's PyTorch does not have yet.
    layers = nn.Sequential(weight_norm(nn.Linear(5, 3)))
    layers = rounded(layers)
    case("parametrized weight norm", layers, ["Linear"], {"x": (2, 5)}, weights={
        "0.bias": layers[0].bias.data, "0.parametrizations.weight.original0": layers[0].weight_g.data,
        "0.parametrizations.weight.original1": layers[0].weight_v.data})

    # Names, blocks and functions.
    functions = [
        ({"type": "mul", "other": 3}, lambda x, y: x * 3), ({"type": "add", "from": ["x", "y"], "alpha": 2}, lambda x, y: x + 2 * y),
        ({"type": "rsub", "other": 1}, lambda x, y: 1 - x), ({"type": "sub", "from": ["x", "y"]}, lambda x, y: x - y),
        ({"type": "div", "from": ["x", "y"]}, lambda x, y: x / y), ({"type": "pow", "exponent": 2}, lambda x, y: x**2),
        ({"type": "cat", "from": ["x", "y"], "dim": 1}, lambda x, y: torch.cat([x, y], 1)),
        ({"type": "stack", "from": ["x", "y"], "dim": 1}, lambda x, y: torch.stack([x, y], 1)),
        ({"type": "permute", "dims": [0, 2, 3, 1]}, lambda x, y: x.permute(0, 2, 3, 1)),
        ({"type": "transpose", "dim0": 1, "dim1": -1}, lambda x, y: x.transpose(1, -1)),
        ({"type": "view", "shape": ["N", -1]}, lambda x, y: x.flatten(1)),
        ({"type": "reshape", "shape": [-1, 2, 2, 3, 2]}, lambda x, y: x.reshape(-1, 2, 2, 3, 2)),
        ({"type": "clamp", "min": -0.5, "max": 0.5}, lambda x, y: x.clamp(-0.5, 0.5)), ({"type": "tanh"}, lambda x, y: x.tanh()),
        ({"type": "softmax", "dim": 1}, lambda x, y: x.softmax(1)), ({"type": "mean", "dim": [2, 3], "keepdim": True}, lambda x, y: x.mean((2, 3), True)),
        ({"type": "sum", "dim": 1}, lambda x, y: x.sum(1)), ({"type": "interpolate", "scale_factor": 2, "mode": "nearest"}, lambda x, y: F.interpolate(x, scale_factor=2)),
        ({"type": "pixel_shuffle", "upscale_factor": 2}, lambda x, y: F.pixel_shuffle(x, 2)),
        ({"type": "pad", "pad": [1, 0, 0, 2]}, lambda x, y: F.pad(x, (1, 0, 0, 2))), ({"type": "exp"}, lambda x, y: x.exp()),
        ({"type": "unsqueeze", "dim": 2}, lambda x, y: x.unsqueeze(2)), ({"type": "slice", "dim": 2, "start": 1}, lambda x, y: x[:, :, 1:]),
        ({"type": "select", "dim": 1, "index": -1}, lambda x, y: x[:, -1]), ({"type": "narrow", "dim": 1, "start": 1, "length": 2}, lambda x, y: x[:, 1:3]),
        ({"type": "flip", "dims": [3]}, lambda x, y: x.flip(3)), ({"type": "maximum", "from": ["x", "y"]}, lambda x, y: torch.maximum(x, y)),
        ({"type": "matmul", "from": ["x", "z"]}, lambda x, y: x @ y.transpose(-1, -2)), ({"type": "repeat", "repeats": [1, 1, 2, 1]}, lambda x, y: x.repeat(1, 1, 2, 1)),
        ({"type": "lerp", "from": ["x", "y"], "weight": 0.25}, lambda x, y: torch.lerp(x, y, 0.25)),
    ]
    names = [f"f{index}" for index in range(len(functions))]
    case("functions", nn.Module(),
         {"layers": [{"type": "transpose", "from": "y", "name": "z", "dim0": -1, "dim1": -2}] +
                    [{"from": "x", **layer, "name": name} for name, (layer, _) in zip(names, functions)],
          "outputs": names}, {"x": (1, 4, 3, 2), "y": (1, 4, 3, 2)},
         lambda x, y: tuple(function(x, y) for _, function in functions))
    case("parts", nn.Module(),
         {"layers": [{"type": "chunk", "name": "half", "chunks": 2, "dim": 1},
                     {"type": "split", "name": "three", "from": "x", "split_size_or_sections": [1, 2, 1], "dim": 1},
                     {"type": "unbind", "name": "each", "from": "x", "dim": 1}],
          "outputs": [{"name": "a", "from": "half.0"}, {"name": "b", "from": "half.1"}, {"name": "c", "from": "three.1"},
                      {"name": "d", "from": "each.3"}]}, {"x": (2, 4, 3)},
         lambda x: (*x.chunk(2, 1), x.split([1, 2, 1], 1)[1], x[:, 3]))


# ---- Networks that ship ----


class Named(nn.Module):
    """Modules by name and how they are called."""

    def __init__(self, call, **modules):
        super().__init__()
        for name, module in modules.items():
            setattr(self, name, module)
        self.call = call

    def forward(self, *inputs):
        return self.call(self, *inputs)


def named(call, inputs, **modules):
    """The same with named parameters, which TorchScript keeps."""
    names = ", ".join(inputs)
    forward = eval(f"lambda self, {names}: self.call(self, {names})")
    return type("Traced", (Named,), {"forward": forward})(call, **modules)


def make_networks():
    def up(i, o, s=2, p=1, k=4):
        return [nn.ConvTranspose2d(i, o, k, s, p, bias=False), nn.BatchNorm2d(o), nn.ReLU(True)]

    def through(name):
        return lambda self, x: getattr(self, name)(x)

    def network(name, module, inputs, stride, call=None):
        case(name, module, None, inputs, call, stride, network=name)

    network("dcgan", Named(through("main"), main=nn.Sequential(
        *up(3, 4, 1, 0), *up(4, 3), *up(3, 2), *up(2, 1), nn.ConvTranspose2d(1, 3, 4, 2, 1, bias=False), nn.Tanh())),
        {"z": (2, 3, 1, 1)}, 197)
    leaky = nn.LeakyReLU(0.2)
    network("dcgan-discriminator", Named(through("main"), main=nn.Sequential(
        nn.Conv2d(1, 2, 4, 2, 1, bias=False), leaky,
        *[layer for i, o in ((2, 2), (2, 3), (3, 4))
          for layer in (nn.Conv2d(i, o, 4, 2, 1, bias=False), nn.BatchNorm2d(o), leaky)],
        nn.Conv2d(4, 1, 4, 1, 0, bias=False), nn.Sigmoid())), {"image": (1, 1, 64, 64)}, 1)
    vae = Named(lambda self, z: torch.sigmoid(self.fc4(torch.relu(self.fc3(z)))), fc1=nn.Linear(12, 6),
                fc21=nn.Linear(6, 2), fc22=nn.Linear(6, 2), fc3=nn.Linear(2, 6), fc4=nn.Linear(6, 12))
    network("mlp-vae", vae, {"z": (3, 2)}, 1)

    def doubling(i, o):
        return nn.Sequential(nn.ConvTranspose2d(i, o, 3, 2, 1, 1), nn.BatchNorm2d(o), nn.LeakyReLU())
    widths = [2, 2, 3, 3, 4]
    network("conv-vae", Named(
        lambda self, z: self.final_layer(self.decoder(self.decoder_input(z).view(-1, widths[-1], 2, 2))),
        encoder=nn.Sequential(*[nn.Sequential(nn.Conv2d(i, o, 3, 2, 1), nn.BatchNorm2d(o), nn.LeakyReLU())
                                for i, o in zip([3] + widths, widths)]),
        fc_mu=nn.Linear(16, 2), fc_var=nn.Linear(16, 2), decoder_input=nn.Linear(2, 16),
        decoder=nn.Sequential(*[doubling(i, o) for i, o in zip(widths[::-1], widths[-2::-1])]),
        final_layer=nn.Sequential(nn.ConvTranspose2d(2, 2, 3, 2, 1, 1), nn.BatchNorm2d(2), nn.LeakyReLU(),
                                  nn.Conv2d(2, 3, 3, padding=1), nn.Tanh())), {"z": (2, 2)}, 197)

    def block(*layers):
        return Named(through("block"), block=nn.Sequential(*layers))
    network("wgan-gp", generator_of_akanametov(3, (4, 3, 2)), {"z": (2, 3, 1, 1)}, 17)
    network("wgan-gp-critic", critic_of_akanametov(2, 3), {"image": (2, 1, 28, 28)}, 1)
    network("conditional-wgan-gp", generator_of_hayato(2, 2), {"z": (2, 10), "label": ((2,), "labels")}, 17)

    def conv(i, o, **arguments):
        return nn.Conv2d(i, o, 3, padding=1, **arguments)

    def clamp():
        return Named(lambda self, x: torch.tanh(x / 3) * 3)
    c = 2
    layers = [conv(3, c), residual(c, c)]
    for _ in range(3):
        layers += [conv(c, c, stride=2, bias=False), residual(c, c), residual(c, c), residual(c, c)]
    network("taesd-encoder", nn.Sequential(*layers, conv(c, 4)), {"image": (1, 3, 16, 24)}, 1)
    layers = [clamp(), conv(4, c), nn.ReLU()]
    for _ in range(3):
        layers += [residual(c, c), residual(c, c), residual(c, c), nn.Upsample(scale_factor=2), conv(c, c, bias=False)]
    network("taesd-decoder", nn.Sequential(*layers, residual(c, c), conv(c, 3)), {"latent": (1, 4, 2, 3)}, 17)
    network("taesana-encoder", encoder_of_taesana(1, 2, 3), {"image": (1, 3, 64, 32)}, 1)
    layers = [clamp(), conv(4, c), nn.ReLU()]
    for _ in range(5):
        layers += [residual(c, c), residual(c, c), residual(c, c), nn.Upsample(scale_factor=2), conv(c, c, bias=False)]
    network("taesana-decoder", nn.Sequential(*layers, residual(c, c), conv(c, 3)), {"latent": (1, 4, 1, 2)}, 41)

    def padded(i, o, k, s=1):
        return Named(lambda self, x: self.conv2d(F.pad(x, (k // 2,) * 4, mode="reflect")), conv2d=nn.Conv2d(i, o, k, s))

    def styled(self, x):
        for name in ("1", "2", "3"):
            x = torch.relu(getattr(self, "in" + name)(getattr(self, "conv" + name)(x)))
        for index in range(1, 6):
            r = getattr(self, f"res{index}")
            x = r.in2(r.conv2(torch.relu(r.in1(r.conv1(x))))) + x
        for index, name in ((4, "deconv1"), (5, "deconv2")):
            x = torch.relu(getattr(self, f"in{index}")(getattr(self, name)(F.interpolate(x, scale_factor=2))))
        return self.deconv3(x)

    def norm(channels):
        return nn.InstanceNorm2d(channels, affine=True)
    network("fast-neural-style", Named(
        styled, conv1=padded(3, 2, 9), in1=norm(2), conv2=padded(2, 2, 3, 2), in2=norm(2), conv3=padded(2, 3, 3, 2),
        in3=norm(3), **{f"res{index}": Named(None, conv1=padded(3, 3, 3), in1=norm(3), conv2=padded(3, 3, 3), in2=norm(3))
                        for index in range(1, 6)},
        deconv1=padded(3, 2, 3), in4=norm(2), deconv2=padded(2, 2, 3), in5=norm(2), deconv3=padded(2, 3, 9)),
        {"image": (1, 3, 16, 20)}, 7)


def residual(i, o):
    def conv(a, b):
        return nn.Conv2d(a, b, 3, padding=1)
    made = Named(lambda self, x: torch.relu(self.conv(x) + self.skip(x)),
                 conv=nn.Sequential(conv(i, o), nn.ReLU(), conv(o, o), nn.ReLU(), conv(o, o)))
    made.skip = nn.Conv2d(i, o, 1, bias=False) if i != o else nn.Identity()
    return made


def encoder_of_taesana(first, width, latent):
    layers = [nn.Conv2d(3, first, 3, 2, 1), nn.ReLU(), nn.Conv2d(first, width, 3, 2, 1), nn.ReLU(), residual(width, width)]
    for _ in range(3):
        layers += [nn.Conv2d(width, width, 3, 2, 1, bias=False)] + [residual(width, width) for _ in range(3)]
    return nn.Sequential(*layers, nn.Conv2d(width, latent, 3, padding=1))


def generator_of_akanametov(latent, widths):
    def block(i, o, k, s):
        return Named(lambda self, x: self.block(x),
                     block=nn.Sequential(nn.ConvTranspose2d(i, o, k, s), nn.BatchNorm2d(o), nn.ReLU()))
    a, b, c = widths
    return Named(lambda self, x: self.model(x), model=nn.Sequential(
        block(latent, a, 3, 2), block(a, b, 4, 1), block(b, c, 3, 2), nn.ConvTranspose2d(c, 1, 4, 2), nn.Tanh()))


def critic_of_akanametov(a, b):
    def block(i, o):
        return Named(lambda self, x: self.block(x),
                     block=nn.Sequential(nn.Conv2d(i, o, 4, 2), nn.BatchNorm2d(o), nn.LeakyReLU(0.2)))
    return Named(lambda self, x: self.model(x).view(x.size(0), -1), model=nn.Sequential(block(1, a), block(a, b), nn.Conv2d(b, 1, 4, 2)))


def generator_of_hayato(a, b):
    return Named(
        lambda self, z, label: self.conv_blocks(
            self.l1(torch.cat((z, self.label_emb(label)), -1)).view(z.size(0), a, 7, 7)),
        label_emb=nn.Embedding(10, 10), l1=nn.Sequential(nn.Linear(20, a * 49)), conv_blocks=nn.Sequential(
            nn.BatchNorm2d(a), nn.Upsample(scale_factor=2), nn.Conv2d(a, a, 3, 1, 1), nn.BatchNorm2d(a, 0.8), nn.ReLU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 3, 1, 1), nn.BatchNorm2d(b, 0.8), nn.ReLU(),
            nn.Conv2d(b, 1, 3, 1, 1), nn.Tanh()))


# ---- TorchScript ----


def save_script(path, module, inputs, whole=False):
    """Without what is for debugging, which would be most of it."""
    traced = torch.jit.trace(module, tuple(inputs.values()), check_trace=False)
    written = io.BytesIO()
    torch.jit.save(traced, written)
    if whole:
        path.with_suffix(".pt").write_bytes(written.getvalue())
    else:
        with zipfile.ZipFile(written) as source, zipfile.ZipFile(path.with_suffix(".pt"), "w", zipfile.ZIP_DEFLATED) as packed:
            for entry in source.infolist():
                if not entry.filename.endswith("debug_pkl"):
                    packed.writestr(zipfile.ZipInfo(entry.filename), source.read(entry), zipfile.ZIP_DEFLATED)
    with torch.no_grad():
        results = module(*inputs.values())
    results = results if isinstance(results, tuple) else (results,)
    write(path.with_suffix(".json"), {
        "inputs": {key: input_case(value) for key, value in inputs.items()},
        "outputs": [tensor_case(value) for value in results]})


def make_functions():
    folder = HERE / "functions"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    def function(name, call, inputs, whole=False, **modules):
        values = {key: input_of(*(shape if isinstance(shape, tuple) and len(shape) == 2 and isinstance(shape[1], str)
                                  else (shape,))) for key, shape in inputs.items()}
        save_script(folder / name, rounded(named(call, inputs, **modules)), values, whole)

    function("activations", lambda self, x: (
        torch.relu(x), F.relu6(x), F.leaky_relu(x, 0.2), F.elu(x, 0.5), F.selu(x), F.celu(x, 0.5), F.gelu(x),
        F.gelu(x, approximate="tanh"), F.silu(x), F.mish(x), F.hardswish(x), F.hardsigmoid(x), F.hardtanh(x, -0.5, 0.5),
        torch.sigmoid(x), torch.tanh(x), F.softplus(x, 2), F.softsign(x), F.logsigmoid(x), F.softmax(x, -1),
        F.log_softmax(x, 1), F.glu(x, 1), F.tanhshrink(x), F.softshrink(x, 0.2), F.hardshrink(x, 0.3), F.threshold(x, 0.1, 2),
        self.slope(x), torch.abs(x), torch.exp(x), torch.floor(x), torch.ceil(x), torch.round(x), torch.sign(x),
        torch.sin(x), torch.cos(x), torch.erf(x), torch.neg(x), x.square(), torch.sqrt(x.abs()), torch.rsqrt(x.abs() + 1),
        torch.log(x.abs() + 1), torch.reciprocal(x + 9), x.clamp(-0.5, 0.5), x.clamp(min=0), x.clamp_max(0.3)),
        {"x": (1, 4, 3)}, slope=nn.PReLU(4))
    function("arithmetic", lambda self, x, y: (
        x + y, x - y, x * y, x / (y + 9), x + 2, 2 - x, x * 0.5, x / 4, torch.add(x, y, alpha=3), torch.sub(x, y, alpha=2),
        x**2, (x.abs() + 0.1)**1.5, torch.maximum(x, y), torch.minimum(x, y), torch.where(x > y, x, y * 2), x.mean(),
        x.mean((1, 2)), x.sum(1, keepdim=True), x.amax(2), x.amin((1,)), torch.lerp(x, y, 0.3),
        torch.addcmul(x, x, y, value=2), x // 0.5, torch.remainder(x, 2), (x >= y).float(), (x < 0).float(),
        x.clone().mul_(2) + 1), {"x": (1, 3, 4), "y": (1, 3, 4)})
    function("shapes", lambda self, x: (
        x.view(x.size(0), -1), x.reshape(-1, x.shape[1] * 2, x.shape[2] // 2, x.shape[3]), x.flatten(1), x.permute(0, 2, 3, 1),
        x.transpose(1, 3).contiguous(), x.unsqueeze(1), x[:, :1].squeeze(1), x.mean((2, 3), keepdim=True).expand_as(x),
        x[:, :1].expand(-1, 3, -1, -1), x.repeat(1, 2, 1, 1), torch.cat(x.chunk(2, 1)[::-1], 1), torch.stack([x, x * 2], 1),
        torch.cat(x.split([1, 3], 1)[::-1], 1), x[:, 1:3], x[:, -1], x[..., ::2], x[:, :, 1:-1], x.narrow(2, 1, 2), x.flip(3),
        x[:, None], torch.cat([part * 2 for part in x.unbind(1)], -1), x + torch.arange(x.size(3)), x * torch.ones(1, 4, 1, 1),
        x.view(x.size(0), x.size(1), -1).transpose(1, 2), torch.zeros_like(x) + x.unflatten(1, (2, 2)).flatten(1, 2),
        x.index_select(1, torch.tensor([2, 0]))), {"x": (1, 4, 4, 3)})
    function("pictures", lambda self, x: (
        self.conv(x), self.grouped(x), self.up(x), F.max_pool2d(x, 2), F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
        F.avg_pool2d(x, 2), F.avg_pool2d(x, 3, 1, 1, count_include_pad=False), F.adaptive_avg_pool2d(x, 1),
        F.adaptive_avg_pool2d(x, (3, 2)), F.interpolate(x, scale_factor=2), F.interpolate(x, size=(7, 5)),
        F.interpolate(x, scale_factor=1.5, mode="bilinear"), F.interpolate(x, size=(9, 8), mode="bilinear", align_corners=True),
        F.interpolate(x, scale_factor=2, mode="bicubic"), F.interpolate(x, scale_factor=0.5, recompute_scale_factor=True),
        F.pixel_shuffle(x, 2), F.pixel_unshuffle(x, 2), F.pad(x, (1, 2, 0, 1)), F.pad(x, (1, 1, 2, 2), mode="reflect"),
        F.pad(x, (1, 0, 2, 1), mode="replicate"), F.pad(x, (-1, 1, 0, -2), value=0.5), self.reflection(x), self.drop(x),
        F.channel_shuffle(x, 2)), {"x": (1, 4, 6, 4)},
        conv=nn.Conv2d(4, 3, 3, stride=2, padding=1, dilation=2), grouped=nn.Conv2d(4, 4, 3, groups=4, padding="same"),
        up=nn.ConvTranspose2d(4, 2, 4, 2, 1), reflection=nn.ReflectionPad2d(1), drop=nn.Dropout2d())
    function("signals", lambda self, x: (
        self.conv(x), self.up(x), F.max_pool1d(x, 2), F.avg_pool1d(x, 3, 1), F.interpolate(x, scale_factor=2),
        F.interpolate(x, size=7, mode="linear"), self.norm(x), F.pad(x, (2, 1), mode="reflect")), {"x": (1, 3, 6)},
        conv=nn.Conv1d(3, 2, 3), up=nn.ConvTranspose1d(3, 2, 3, 2), norm=nn.BatchNorm1d(3))
    from torch.nn.utils import spectral_norm, weight_norm
    function("normalizations", lambda self, x: (
        self.batch(x), self.instance(x), self.with_scale(x), self.tracking(x), self.group(x), self.layer(x),
        self.spectral(x), self.weight(x)), {"x": (1, 4, 4, 3)}, batch=nn.BatchNorm2d(4), instance=nn.InstanceNorm2d(4),
        with_scale=nn.InstanceNorm2d(4, affine=True), tracking=nn.InstanceNorm2d(4, track_running_stats=True),
        group=nn.GroupNorm(2, 4), layer=nn.LayerNorm([4, 3]), spectral=spectral_norm(nn.Conv2d(4, 2, 3)),
        weight=weight_norm(nn.Conv2d(4, 2, 3)))
    table = torch.nn.Embedding(5, 3)
    function("products", lambda self, x, label: (
        self.dense(x), self.plain(x), x @ self.plain.weight.t(), torch.matmul(x.unsqueeze(1), x.unsqueeze(2)),
        torch.bmm(x.unsqueeze(2), x.unsqueeze(1)), torch.addmm(self.dense.bias, x, self.dense.weight.t()), self.table(label),
        self.table(label.long()) * x, F.one_hot(label, 5).float()), {"x": (1, 3), "label": ((1,), "labels")}, True,
        dense=nn.Linear(3, 4), plain=nn.Linear(3, 2, bias=False), table=table)
    function("recurrent", lambda self, x: (
        *self.lstm(x)[1], self.lstm(x)[0], *self.gru(x), self.rnn(x)[0]), {"x": (1, 5, 3)},
        lstm=nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), gru=nn.GRU(3, 4, batch_first=True),
        rnn=nn.RNN(3, 2, batch_first=True))
    generator = rounded(named(
        lambda self, z: torch.tanh(self.up(self.norm(F.relu(self.dense(z)).view(z.size(0), 4, 3, 3)))), ["z"],
        dense=nn.Linear(3, 36), norm=nn.BatchNorm2d(4), up=nn.ConvTranspose2d(4, 2, 4, 2, 1)))
    save_script(folder / "generator", generator, {"z": input_of((1, 3))})
    frozen = torch.jit.freeze(torch.jit.trace(generator, (input_of((1, 3)),)))
    save_script(folder / "frozen", frozen, {"z": input_of((1, 3))})

    class Branching(nn.Module):
        def forward(self, x):
            if bool(x.sum() > 0):
                x = x + 1
            return x
    torch.jit.save(torch.jit.script(Branching()), str(folder / "control_flow.pt"))

    class Writing(nn.Module):
        def forward(self, x):
            y = x * 1
            y[:, 0] = 5
            return y
    torch.jit.save(torch.jit.trace(Writing(), torch.zeros(1, 3)), str(folder / "writes.pt"))
    torch.jit.save(torch.jit.trace(nn.Dropout().train(), torch.zeros(1, 3), check_trace=False), str(folder / "training.pt"))


# ---- torch.save ----


def make_files():
    folder = HERE / "files"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ramp = torch.arange(24.0).reshape(2, 3, 4) / 8
    shared = torch.arange(12.0)
    tensors = {
        "float32": ramp, "float64": ramp.double(), "float16": ramp.half(), "bfloat16": ramp.bfloat16(),
        "int8": torch.tensor([-128, 127], dtype=torch.int8), "uint8": torch.tensor([0, 255], dtype=torch.uint8),
        "int16": torch.tensor([-300, 300], dtype=torch.int16), "int32": torch.tensor([-70000, 70000], dtype=torch.int32),
        "int64": torch.tensor([-2**40, 7, 2**40]), "bool": torch.tensor([True, False]),
        "transposed": ramp.permute(2, 0, 1), "offset": shared[4:10:2], "same": shared, "number": torch.tensor(1.5),
        "parameter": nn.Parameter(torch.tensor([1.0, 2.0])), "empty": torch.zeros(0, 3)}
    torch.save(tensors, folder / "types.pt")
    torch.save(tensors, folder / "types_legacy.pt", _use_new_zipfile_serialization=False)
    module = rounded(nn.Sequential(nn.Linear(3, 2)))
    state = module.state_dict()
    torch.save(state, folder / "plain.pt")
    torch.save(state, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(state, folder / "protocol4.pt", pickle_protocol=4)
    torch.save({"epoch": 3, "loss": numpy.float64(0.5), "state_dict": {"module." + key: value for key, value in state.items()},
                "optimizer": torch.optim.Adam(module.parameters()).state_dict()}, folder / "nested.pt")
    torch.save({"discriminator": {"x": torch.zeros(3)}, "generator": state}, folder / "two.pt")
    torch.save({"a": state, "b": {"x": torch.zeros(3)}}, folder / "parts.pt")
    torch.save(module, folder / "module.pt")
    torch.save([1, 2], folder / "list.pt")
    x = input_of((2, 3))
    write(folder / "plain.json", {"inputs": {"x": input_case(x)}, "outputs": [tensor_case(module(x))]})


def make_people():
    if not PEOPLE.exists():
        print("other people's files are not here")
        return
    cases = []
    for path, module, inputs, stride in (
            ("akanametov-wgan-gp/generator.pt", generator_of_akanametov(64, (256, 128, 64)), {"z": input_of((2, 64, 1, 1))}, 13),
            ("akanametov-wgan-gp/critic.pt", critic_of_akanametov(64, 128), {"image": input_of((1, 1, 28, 28))}, 1),
            ("hayato-cwgan-gp/generator.pth", generator_of_hayato(128, 64),
             {"z": input_of((2, 10)), "label": torch.tensor([3, 8])}, 13),
            ("taesana-encoder/taesana_encoder.pth", encoder_of_taesana(32, 64, 32), {"image": input_of((1, 3, 32, 64))}, 3)):
        module.load_state_dict(torch.load(PEOPLE / path, map_location="cpu"))
        module.float().eval()
        with torch.no_grad():
            cases.append({"name": path, "inputs": {key: input_case(value)
                                                   for key, value in inputs.items()},
                          "outputs": [tensor_case(module(*inputs.values()), stride)]})
    write(HERE / "people.json", cases)


if __name__ == "__main__":
    torch.manual_seed(7)
    torch.set_grad_enabled(True)
    HERE.mkdir(exist_ok=True)
    make_layers()
    write(HERE / "layers.json", CASES)
    CASES.clear()
    make_networks()
    write(HERE / "networks.json", CASES)
    make_functions()
    make_files()
    make_people()
