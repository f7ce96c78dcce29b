#!/usr/bin/env python3
"""Writes goldens/move.txt: gradients that PyTorch's autograd gives, for goldens_move_test.cc.

A case is a line `case NAME`, then lines `operand EXTENTS | NUMBERS` (`integers` for indices), `output_gradient` and one
`gradient` for each operand that has one, in order. Run it with a Python that has torch; any version from 1.13 on gives
the same numbers within the test's tolerance."""

import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(7)
lines = []


def write(kind, tensor):
    numbers = tensor.detach().reshape(-1).tolist()
    text = " ".join(f"{n:.8g}" if isinstance(n, float) else str(n) for n in numbers)
    lines.append(f"{kind} {' '.join(map(str, tensor.shape))} | {text}")


def case(name, function, *operands):
    """`function` of float and integer tensors; gradients by the float ones."""
    leaves = [x.clone().requires_grad_() if x.is_floating_point() else x for x in operands]
    y = function(*leaves)
    dy = torch.randn(y.shape)
    y.backward(dy)
    lines.append(f"case {name}")
    for x in operands:
        write("operand" if x.is_floating_point() else "integers", x)
    write("output_gradient", dy)
    for x in leaves:
        if x.is_floating_point():
            write("gradient", x.grad if x.grad is not None else torch.zeros_like(x))


def numbers(*shape):
    return torch.randn(shape)


def positive(*shape):
    return torch.rand(shape) + 0.2


# Elementwise; kinks at 0 and at the limits included where PyTorch's convention is ours.
x = torch.tensor([-4.0, -2.5, -1.2, -0.4, 0.3, 1.1, 2.2, 5.5])
with_zero = torch.cat([x, torch.zeros(1)])
for name, function, operand in [
    ("Abs", torch.abs, with_zero),
    ("Neg", torch.neg, x),
    ("Sqrt", torch.sqrt, positive(8)),
    ("Exp", torch.exp, x),
    ("Log", torch.log, positive(8)),
    ("Erf", torch.erf, x),
    ("Relu", F.relu, with_zero),
    ("LeakyRelu", lambda v: F.leaky_relu(v, 0.2), with_zero),
    ("Elu", lambda v: F.elu(v, 0.7), x),
    ("Selu", F.selu, x),
    ("Sigmoid", torch.sigmoid, x),
    ("HardSigmoid", F.hardsigmoid, x),
    ("HardSwish", F.hardswish, x),
    ("Tanh", torch.tanh, x),
    ("Softplus", F.softplus, x),
    ("Clip", lambda v: F.hardtanh(v, -1.2, 2.2), x),
    ("Gelu", F.gelu, x),
    ("GeluTanh", lambda v: F.gelu(v, approximate="tanh"), x),
    ("Swish", F.silu, x),
    ("Mish", F.mish, x),
    ("Sin", torch.sin, x),
    ("Cos", torch.cos, x),
    ("Floor", torch.floor, x),
    ("Ceil", torch.ceil, x),
    ("Round", torch.round, x),
    ("Sign", torch.sign, x),
    ("Reciprocal", torch.reciprocal, x),
    ("Celu", lambda v: F.celu(v, 0.7), x),
    ("ThresholdedRelu", lambda v: F.threshold(v, 1.0, 0.0), x),
    ("Softsign", F.softsign, x),
]:
    case(f"Unary:{name}", function, operand)

case("Binary:Add", torch.add, numbers(2, 3, 4), numbers(4))
case("Binary:Sub", torch.sub, numbers(2, 3, 4), numbers(2, 1, 4))
case("Binary:Mul", torch.mul, numbers(2, 3, 4), numbers(3, 1))
case("Binary:Div", torch.div, numbers(2, 1, 4), positive(3, 1))
case("Binary:Pow", torch.pow, positive(2, 3), numbers(3))
case("Binary:Pow", torch.pow, torch.tensor([0.0, 0.0, 0.0, 1.5]), torch.tensor([0.0, 1.0, 2.0, 0.0]))
equal = torch.tensor([1.0, 2.0, 3.0, 4.0])
case("Binary:Max", torch.maximum, equal, torch.tensor([[2.0], [3.0]]))
case("Binary:Min", torch.minimum, equal, torch.tensor([[2.0], [3.0]]))
case("Binary:PRelu", lambda a, b: F.prelu(a.t(), b.reshape(-1)).t(), with_zero.reshape(3, 3), numbers(3, 1))

case("Reduce:Mean", lambda v: v.mean((0, 2)), numbers(2, 3, 4))
case("Reduce:Sum", lambda v: v.sum((0, 2)), numbers(2, 3, 4))
ties = torch.tensor([[[1.0, 3.0, 3.0], [0.0, 3.0, 2.0]], [[5.0, 1.0, 1.0], [1.0, 5.0, 5.0]]])
case("Reduce:Max", lambda v: v.amax((0, 2)), ties)
case("Reduce:Min", lambda v: v.amin((0, 2)), ties)
factors = numbers(4, 3, 1)
factors[1, 0] = 0
factors[0, 1] = factors[2, 1] = 0
case("Reduce:Prod", lambda v: v.prod(0).squeeze(-1), factors)

case("Transpose", lambda v: v.permute(0, 2, 3, 1), numbers(2, 3, 2, 2))
case("Concat", lambda a, b: torch.cat([a, b], 1), numbers(2, 3), numbers(2, 2))
case("Slice", lambda v: v[1:3, 1::2], numbers(4, 5))
case("Gather", lambda data, indices: F.embedding(indices, data), numbers(4, 3), torch.tensor([[1, 3, 1], [0, 1, 3]]))
case("GatherElements", lambda data, indices: data.gather(1, indices), numbers(3, 4), torch.tensor([[1, 1], [0, 3], [2, 2]]))
case("Tile", lambda v: v.repeat(2, 3), numbers(3, 2))
case("MatMul", torch.matmul, numbers(2, 1, 3, 4), numbers(3, 4, 2))
case("CumulativeSum", lambda v: v.cumsum(1), numbers(2, 5))
case("Select", lambda c, a, b: torch.where(c != 0, a, b), torch.tensor([[1, 0, 1]]), numbers(2, 3), numbers(3))
case("Softmax", lambda v: v.softmax(1), numbers(2, 5, 2))
case("LogSoftmax", lambda v: v.log_softmax(-1), numbers(2, 5))

path = pathlib.Path(__file__).parent / "goldens" / "move.txt"
path.parent.mkdir(exist_ok=True)
path.write_text("\n".join(lines) + "\n")
