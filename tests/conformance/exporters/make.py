#!/usr/bin/env python3
"""Makes the cases of this folder: a small decoder as PyTorch's dynamo exporter writes one, at opsets 18 to 21.

Every layer is a call of a function in the domain pkg.onnxscript.torch_lib with a body of its own (attributes passed on
by reference, shapes computed from Shape and Range, CastLike, an If on a rank that is known); weights are initializers
that are listed as inputs too; the batch is open. The numbers come from ONNX Runtime.

    python3 -m venv v && v/bin/pip install onnxscript==0.7.2 onnxruntime==1.32.0 onnx==1.17.0 && v/bin/python make.py
"""
import importlib
import os
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

SOURCE = '''
from onnxscript import script, FLOAT
from onnxscript.onnx_opset import opset{opset} as op
from onnxscript.values import Opset
torch_lib = Opset("pkg.onnxscript.torch_lib", 1)
common = Opset("pkg.onnxscript.torch_lib.common", 1)

@script(common)
def Rank(input):
    return op.Size(op.Shape(input))

@script(common)
def IsScalar(input):
    return op.Equal(op.Size(op.Shape(input)), op.Constant(value_int=0))

@script(torch_lib)
def aten_linear(input, weight, bias):
    return op.Add(op.MatMul(input, op.Transpose(weight, perm=[1, 0])), bias)

@script(torch_lib)
def aten_leaky_relu(input, negative_slope: float = 0.01):
    zero = op.CastLike(0.0, input)
    slope = op.CastLike(negative_slope, input)
    return op.Where(op.Less(input, zero), op.Mul(slope, input), input)

@script(torch_lib)
def aten_group_norm(input, weight, bias, num_groups: int = 2, eps: float = 1e-5):
    shape = op.Shape(input)
    all_others = op.Constant(value_ints=[-1])
    same = op.Constant(value_ints=[0])
    groups = op.Reshape(op.Constant(value_int=num_groups), all_others)
    grouped = op.Reshape(input, op.Concat(same, groups, all_others, axis=0))
    ones = op.Expand(op.CastLike(1.0, input), groups)
    zeros = op.Expand(op.CastLike(0.0, input), groups)
    normalized = op.Reshape(op.InstanceNormalization(grouped, ones, zeros, epsilon=eps), shape)
    axes = op.Range(1, Rank(input) - 1, 1)
    return op.Add(op.Mul(normalized, op.Unsqueeze(weight, axes)), op.Unsqueeze(bias, axes))

@script(torch_lib)
def aten_upsample_nearest2d(input):
    return op.Resize(input, None, None, op.Constant(value_ints=[12, 12]), mode="nearest",
                     coordinate_transformation_mode="asymmetric", nearest_mode="floor", axes=[2, 3])

@script(torch_lib)
def aten_gelu(input):
    inner = op.Erf(op.Div(input, op.CastLike(1.4142135623730951, input)))
    return op.Mul(op.CastLike(0.5, input), op.Mul(input, op.Add(inner, op.CastLike(1, inner))))

@script(torch_lib)
def aten_softmax(input, dim: int = -1):
    if IsScalar(input):
        input = op.Unsqueeze(input, op.Constant(value_ints=[0]))
    result = op.Softmax(input, axis=dim)
    if IsScalar(input):
        result = op.Squeeze(result)
    return result

@script()
def main(latent: FLOAT["batch", 5], w: FLOAT[36, 5], b: FLOAT[36], tw: FLOAT[4, 4, 4, 4], gw: FLOAT[4],
         gb: FLOAT[4], cw: FLOAT[3, 4, 3, 3], cb: FLOAT[3]) -> FLOAT["batch", 3, 12, 12]:
    h = aten_leaky_relu(aten_linear(latent, w, b), negative_slope=0.2)
    h = op.Reshape(h, op.Constant(value_ints=[-1, 4, 3, 3]))
    h = op.ConvTranspose(h, tw, strides=[2, 2], pads=[1, 1, 1, 1])
    h = aten_gelu(aten_group_norm(h, gw, gb, num_groups=2, eps=1e-6))
    h = op.Conv(aten_upsample_nearest2d(h), cw, cb, pads=[1, 1, 1, 1])
    return aten_softmax(h, dim=1)
'''


def make(opset, folder):
    with tempfile.TemporaryDirectory() as scratch:
        sys.path.insert(0, scratch)
        (pathlib.Path(scratch) / f"decoder{opset}.py").write_text(SOURCE.format(opset=opset))
        model = importlib.import_module(f"decoder{opset}").main.to_model_proto()
        sys.path.pop(0)
    random = np.random.default_rng(opset)
    for port in list(model.graph.input)[1:]:
        extents = [extent.dim_value for extent in port.type.tensor_type.shape.dim]
        weights = (random.standard_normal(extents) * 0.5).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(weights, port.name))
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    for index, batch in enumerate((1, 3)):
        data = folder / f"test_data_set_{index}"
        data.mkdir(parents=True, exist_ok=True)
        latent = random.standard_normal((batch, 5)).astype(np.float32)
        picture = session.run(None, {"latent": latent})[0]
        (data / "input_0.pb").write_bytes(onnx.numpy_helper.from_array(latent).SerializeToString())
        (data / "output_0.pb").write_bytes(onnx.numpy_helper.from_array(picture).SerializeToString())
    onnx.save(model, folder / "model.onnx")


if __name__ == "__main__":
    onnxruntime.set_default_logger_severity(4)
    here = pathlib.Path(__file__).resolve().parent
    for version in (18, 19, 20, 21):
        make(version, here / f"dynamo_opset{version}")
