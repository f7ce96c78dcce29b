#!/usr/bin/env python3
"""Writes two_latents.onnx, a generator of small coloured pictures that takes two latents, for the page's test.

    /usr/bin/python3 make.py && figment convert two_latents.onnx -o two_latents.fgm --image 6x5x3 --range -1..1

Needs Debian's python3-onnx. The weights are fixed random numbers: what is tested is how latents are drawn and put
together, and that a picture is not square.
"""
import pathlib

import numpy
from onnx import TensorProto, helper, numpy_helper, save

HEIGHT, WIDTH, CHANNELS = 6, 5, 3
random = numpy.random.default_rng(1)


def constant(name, values):
    return numpy_helper.from_array(values.astype(numpy.float32), name)


graph = helper.make_graph(
    [helper.make_node("Concat", ["shape", "colour"], ["latent"], axis=1),
     helper.make_node("Gemm", ["latent", "weights", "bias"], ["sum"]),
     helper.make_node("Tanh", ["sum"], ["flat"]),
     helper.make_node("Reshape", ["flat", "extents"], ["image"])],
    "two_latents",
    [helper.make_tensor_value_info("shape", TensorProto.FLOAT, ["batch", 3]),
     helper.make_tensor_value_info("colour", TensorProto.FLOAT, ["batch", 2])],
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", CHANNELS, HEIGHT, WIDTH])],
    [constant("weights", random.normal(size=(5, CHANNELS * HEIGHT * WIDTH))),
     constant("bias", random.normal(size=CHANNELS * HEIGHT * WIDTH) / 2),
     numpy_helper.from_array(numpy.array([-1, CHANNELS, HEIGHT, WIDTH], numpy.int64), "extents")])
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7),
     str(pathlib.Path(__file__).parent / "two_latents.onnx"))
