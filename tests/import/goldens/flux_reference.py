"""What layers of Flux.jl compute, by the documentation of Flux.jl and NNlib.jl, in double precision and as plainly as
can be. Arrays have Julia's order of indices, (width, height, channels, samples)."""

import numpy


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


FUNCTIONS = {
    "identity": lambda x: x,
    "relu": lambda x: numpy.maximum(x, 0),
    "leakyrelu": lambda x: numpy.where(x > 0, x, 0.01 * x),
    "tanh": numpy.tanh,
    "σ": sigmoid,
    "softplus": lambda x: numpy.log1p(numpy.exp(x)),
    "swish": lambda x: x * sigmoid(x),
    "gelu": lambda x: x / 2 * (1 + numpy.tanh(numpy.sqrt(2 / numpy.pi) * (x + 0.044715 * x**3))),
    "flatten": lambda x: x.reshape(-1, x.shape[-1], order="F"),
    "+": lambda a, b: a + b,
    "vcat": lambda a, b: numpy.concatenate([a, b], axis=0),
}


def function(value):
    return FUNCTIONS[value.name.split("#")[-1]]


def pads(layer):
    pad = layer["pad"]
    return [(pad[0], pad[1]), (pad[2], pad[3])] if len(pad) == 4 else [(pad[0],) * 2, (pad[1],) * 2]


def bias(layer, channels):
    given = layer["bias"]
    return numpy.zeros(channels) if given is False else numpy.asarray(given, float)


def conv(layer, x):
    """y[i, j, o] sums x[i s + (k - 1 - u) d - p, ...] w[u, v, c, o]: the kernel runs backwards."""
    weight = numpy.asarray(layer["weight"], float)
    (width, height, per_group, outputs), groups = weight.shape, layer["groups"]
    stride, dilation = layer["stride"], layer["dilation"]
    x = numpy.pad(x, [*pads(layer), (0, 0), (0, 0)])
    spans = [(width - 1) * dilation[0] + 1, (height - 1) * dilation[1] + 1]
    extents = [(x.shape[axis] - spans[axis]) // stride[axis] + 1 for axis in range(2)]
    y = numpy.zeros((*extents, outputs, x.shape[3]))
    for o in range(outputs):
        first = o // (outputs // groups) * per_group
        for u in range(width):
            for v in range(height):
                left, top = (width - 1 - u) * dilation[0], (height - 1 - v) * dilation[1]
                seen = x[left:left + (extents[0] - 1) * stride[0] + 1:stride[0],
                         top:top + (extents[1] - 1) * stride[1] + 1:stride[1], first:first + per_group]
                y[:, :, o] += numpy.einsum("ijcn,c->ijn", seen, weight[u, v, :, o])
    return function(layer["σ"])(y + bias(layer, outputs)[None, None, :, None])


def conv_transpose(layer, x):
    """The gradient of conv with respect to its input: every x adds a kernel, backwards too."""
    weight = numpy.asarray(layer["weight"], float)
    (width, height, per_group, inputs), groups = weight.shape, layer["groups"]
    stride, dilation, out = layer["stride"], layer["dilation"], layer.fields.get("outpad", (0, 0))
    sizes = [(x.shape[axis] - 1) * stride[axis] + 1 + (weight.shape[axis] - 1) * dilation[axis] + out[axis]
             for axis in range(2)]
    y = numpy.zeros((*sizes, per_group * groups, x.shape[3]))
    for c in range(inputs):
        first = c // (inputs // groups) * per_group
        for u in range(width):
            for v in range(height):
                left, top = (width - 1 - u) * dilation[0], (height - 1 - v) * dilation[1]
                y[left:left + (x.shape[0] - 1) * stride[0] + 1:stride[0],
                  top:top + (x.shape[1] - 1) * stride[1] + 1:stride[1], first:first + per_group] += numpy.einsum(
                      "ijn,o->ijon", x[:, :, c], weight[u, v, :, c])
    (left, right), (top, bottom) = pads(layer)
    y = y[left:y.shape[0] - right, top:y.shape[1] - bottom]
    return function(layer["σ"])(y + bias(layer, y.shape[2])[None, None, :, None])


def along_channels(values, x):
    shape = [1] * x.ndim
    shape[-2] = -1
    return numpy.asarray(values, float).reshape(shape)


def batch_norm(layer, x):
    scaled = (x - along_channels(layer["μ"], x)) / numpy.sqrt(along_channels(layer["σ²"], x) + float(layer["ϵ"]))
    return function(layer["λ"])(along_channels(layer["γ"], x) * scaled + along_channels(layer["β"], x))


def layer_norm(layer, x):
    axes = tuple(range(len(layer["size"])))
    scaled = (x - x.mean(axes, keepdims=True)) / (x.std(axes, keepdims=True) + float(layer["ϵ"]))
    return scale(layer["diag"], scaled)


def scale(layer, x):
    more = (...,) + (None,) * (x.ndim - layer["scale"].ndim)
    return function(layer["σ"])(layer["scale"].astype(float)[more] * x + layer["bias"].astype(float)[more])


def upsample(layer, x):
    if layer.parameters[0] == "nearest":
        return x.repeat(layer["scale"][0], 0).repeat(layer["scale"][1], 1)
    for axis in range(2):  # corners stay where they are
        wanted = int(layer["scale"][axis] * x.shape[axis])
        at = numpy.arange(wanted) * (x.shape[axis] - 1) / (wanted - 1)
        low = numpy.minimum(at.astype(int), x.shape[axis] - 2)
        part = (at - low).reshape([-1 if index == axis else 1 for index in range(4)])
        x = x.take(low, axis) * (1 - part) + x.take(low + 1, axis) * part
    return x


def max_pool(layer, x):
    (width, height), stride = layer["k"], layer["stride"]
    x = numpy.pad(x, [*pads(layer), (0, 0), (0, 0)], constant_values=-numpy.inf)
    extents = [(x.shape[axis] - layer["k"][axis]) // stride[axis] + 1 for axis in range(2)]
    taps = [x[u:u + (extents[0] - 1) * stride[0] + 1:stride[0], v:v + (extents[1] - 1) * stride[1] + 1:stride[1]]
            for u in range(width) for v in range(height)]
    return numpy.max(taps, axis=0)


def dense(layer, x):
    return function(layer["σ"])(numpy.tensordot(layer["weight"].astype(float), x, 1) +
                                bias(layer, len(layer["weight"]))[:, None])


def parallel(layer, x):
    results = [run(part, x) for part in parts(layer["layers"])]
    for other in results[1:]:
        results[0] = function(layer["connection"])(results[0], other)
    return results[0]


LAYERS = {
    "BatchNorm": batch_norm,
    "Chain": lambda layer, x: run_all(parts(layer["layers"]), x),
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Dense": dense,
    "Dropout": lambda layer, x: x,
    "LayerNorm": layer_norm,
    "MaxPool": max_pool,
    "Parallel": parallel,
    "SkipConnection": lambda layer, x: function(layer["connection"])(run(layer["layers"], x), x),
    "Upsample": upsample,
}


def parts(layers):
    return list(layers.values()) if isinstance(layers, dict) else layers


def run_all(layers, x):
    for layer in layers:
        x = run(layer, x)
    return x


def run(layer, x):
    """`layer` is a value of flux_values.py, or a function of Python's where the file has none."""
    if callable(layer):
        return layer(x)
    if not hasattr(layer, "fields"):
        return function(layer)(x)
    return LAYERS[layer.name.split(".")[-1]](layer, x)
