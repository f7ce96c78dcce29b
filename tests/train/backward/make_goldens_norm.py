#!/usr/bin/python3
"""Writes goldens/norm_*.txt: operands, outputs and gradients of normalizations, recurrent layers and attention, as
PyTorch's autograd has them. Pictures are N,H,W,C here and N,C,H,W there.

    tests/train/backward/make_goldens_norm.py
"""

import os

import torch

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "goldens")


def write(name, arrays):
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, "norm_" + name + ".txt"), "w") as file:
        for key, tensor in arrays.items():
            tensor = tensor.detach().contiguous()
            words = [key, tensor.dim(), *tensor.shape, *("%.8g" % value for value in tensor.flatten().tolist())]
            file.write(" ".join(map(str, words)) + "\n")


def leaf(*extents, low=-1.0, high=1.0):
    return torch.empty(*extents).uniform_(low, high).requires_grad_()


def nchw(x):
    return x.movedim(-1, 1)


def nhwc(x):
    return x.movedim(1, -1)


def normalization(name, function, x, scale, bias, further=None):
    y = function(x, scale, bias)
    dy = torch.empty_like(y).uniform_(-1, 1)
    y.backward(dy)
    arrays = {"x": x, "scale": scale, "bias": bias, "y": y, "dy": dy, "dx": x.grad, "dscale": scale.grad,
              "dbias": bias.grad}
    write(name, {**arrays, **(further or {})})


def batch_normalization():
    mean, variance = torch.rand(5), torch.rand(5) + 0.5
    further = {"mean": mean.clone(), "variance": variance.clone(), "new_mean": mean, "new_variance": variance}

    def function(x, scale, bias):
        return nhwc(torch.nn.functional.batch_norm(nchw(x), mean, variance, scale, bias, True, 0.3, 1e-5))

    normalization("batch_normalization", function, leaf(3, 4, 2, 5, low=2, high=4), leaf(5), leaf(5), further)


def group_normalization():
    for name, groups in (("group_normalization", 3), ("instance_normalization", 6)):
        normalization(name, lambda x, scale, bias: nhwc(
            torch.nn.functional.group_norm(nchw(x), groups, scale, bias, 1e-5)), leaf(2, 3, 4, 6), leaf(6), leaf(6))


def layer_normalization():
    normalization("layer_normalization", lambda x, scale, bias: torch.nn.functional.layer_norm(
        x, (3, 7), scale, bias, 1e-5), leaf(4, 3, 7), leaf(3, 7), leaf(3, 7))


# ONNX's order of PyTorch's gates: r z n -> z r n, i f g o -> i o f g.
GATES = {"rnn": [0], "gru": [1, 0, 2], "lstm": [0, 3, 1, 2]}


def recurrent():
    steps, batch, inputs, hidden = 3, 2, 3, 4
    for name, layer in (("rnn", torch.nn.RNN), ("gru", torch.nn.GRU), ("lstm", torch.nn.LSTM)):
        layer = layer(inputs, hidden, bidirectional=True)
        order = GATES[name]

        def ours(kind, gradient):
            """A parameter of both directions, its rows in our order."""
            rows = []
            for suffix in ("", "_reverse"):
                parameter = getattr(layer, kind + "_l0" + suffix)
                parts = (parameter.grad if gradient else parameter).chunk(len(order))
                rows.append(torch.cat([parts[gate] for gate in order]))
            return torch.stack(rows)

        x, h = leaf(steps, batch, inputs), leaf(2, batch, hidden)
        states = (h, leaf(2, batch, hidden)) if name == "lstm" else h
        sequence, final = layer(x, states)
        # Ours: [steps, directions, batch, hidden], then the final states.
        y = sequence.reshape(steps, batch, 2, hidden).transpose(1, 2)
        y = torch.cat([y] + [state[None] for state in (final if name == "lstm" else (final,))])
        dy = torch.empty_like(y).uniform_(-1, 1)
        y.backward(dy)
        arrays = {"x": x, "h": h, "y": y, "dy": dy, "dx": x.grad, "dh": h.grad}
        for prefix, gradient in (("", False), ("d", True)):
            arrays[prefix + "weights"] = ours("weight_ih", gradient)
            arrays[prefix + "state_weights"] = ours("weight_hh", gradient)
            arrays[prefix + "bias"] = torch.cat([ours("bias_ih", gradient), ours("bias_hh", gradient)], dim=1)
        if name == "lstm":
            arrays["c"], arrays["dc"] = states[1], states[1].grad
        write(name, arrays)


def attention():
    query, key, value, mask = leaf(2, 2, 5, 4), leaf(2, 2, 7, 4), leaf(2, 2, 7, 3), torch.rand(5, 7)
    mask[:, 5:] = -10000
    y = torch.softmax(0.5 * query @ key.transpose(-1, -2) + mask, dim=-1) @ value
    dy = torch.empty_like(y).uniform_(-1, 1)
    y.backward(dy)
    write("attention", {"query": query, "key": key, "value": value, "mask": mask, "y": y, "dy": dy,
                        "dquery": query.grad, "dkey": key.grad, "dvalue": value.grad})


torch.manual_seed(1)
batch_normalization()
group_normalization()
layer_normalization()
recurrent()
attention()
