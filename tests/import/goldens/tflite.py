"""Makes tflite/: a small decoder in four kinds of TFLite file, and what LiteRT's reference kernels give for it.

    pip install ai-edge-litert flatbuffers numpy
    python tests/import/goldens/tflite.py [AD_FOLDER]

The decoder is written in float32, with float16 weights, with int8 weights alone ("dynamic range"), and full int8, whose
ranges are those that the float32 file's tensors take. Beside each file stands NAME.f32: latents and then the pictures,
float32 and little-endian; of int8 the numbers that the integers stand for. decoder_int8_layers.f32 has what stands
between the layers (LAYERS) for the first latent. AD_FOLDER holds MLPerf Tiny's autoencoder
(ad01_fp32.tflite, ad01_int8.tflite), of which only the numbers are kept.
"""
import pathlib
import sys

import flatbuffers
import numpy
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

TYPES = {"float32": schema.TensorType.FLOAT32, "float16": schema.TensorType.FLOAT16,
         "int32": schema.TensorType.INT32, "int8": schema.TensorType.INT8}
FLOAT32, FLOAT16, DYNAMIC, INT8 = "float32", "float16", "dynamic", "int8"
SAME = dict(padding=schema.Padding.SAME, strideH=1, strideW=1)
RELU = schema.ActivationFunctionType.RELU
ROWS = 3
LAYERS = ("z", "flat", "up", "bent", "deep", "added", "large", "logits", "picture")


class Writer:
    """One file of one kind. `ranges`: lowest and highest number by a tensor's name, for INT8."""

    def __init__(self, kind, ranges=None):
        self.kind, self.ranges = kind, ranges
        self.tensors, self.operators, self.codes, self.buffers = [], [], [], [schema.BufferT()]
        self.scales = {}  # of tensors that are computed
        self.random = numpy.random.default_rng(1)

    def tensor(self, name, shape, dtype, data=None, scale=None, zero=0, axis=0):
        buffer = 0
        if data is not None:
            self.buffers.append(schema.BufferT(data=numpy.frombuffer(data.tobytes(), numpy.uint8)))
            buffer = len(self.buffers) - 1
        tensor = schema.TensorT(shape=numpy.array(shape, numpy.int32), type=TYPES[dtype], buffer=buffer, name=name)
        if scale is not None:
            scale = numpy.atleast_1d(numpy.asarray(scale, numpy.float32))
            zeros = numpy.full(len(scale), zero, numpy.int64)
            tensor.quantization = schema.QuantizationParametersT(scale=scale, zeroPoint=zeros, quantizedDimension=axis)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def integers(self, values):
        values = numpy.array(values, numpy.int32)
        return self.tensor("", values.shape, "int32", values)

    def computed(self, name, shape, same_as=None):
        if self.kind != INT8:
            return self.tensor(name, shape, "float32")
        if same_as is not None:
            scale, zero = self.scales[same_as]
        else:
            low, high = min(self.ranges[name][0], 0), max(self.ranges[name][1], 0)
            scale = numpy.float32((high - low) / 255)
            zero = int(numpy.clip(numpy.round(-128 - low / scale), -128, 127))
            if name == "picture":
                scale, zero = numpy.float32(1 / 256), -128  # as LOGISTIC must have it
        index = self.tensor(name, shape, "int8", None, scale, zero)
        self.scales[index] = (scale, zero)
        return index

    def weights(self, shape, axis, x):
        fan_in = numpy.prod(shape) / shape[axis]
        values = (self.random.normal(size=shape) * 1.5 / numpy.sqrt(fan_in)).astype(numpy.float32)
        bias = (self.random.normal(size=shape[axis]) * 0.2).astype(numpy.float32)
        if self.kind == FLOAT16:
            constant = self.tensor("", shape, "float16", values.astype(numpy.float16))
            wide = self.tensor("", shape, "float32")
            self.operator("DEQUANTIZE", [constant], wide)
            return wide, self.tensor("", bias.shape, "float32", bias)
        if self.kind == FLOAT32:
            return self.tensor("", shape, "float32", values), self.tensor("", bias.shape, "float32", bias)
        others = tuple(a for a in range(len(shape)) if a != axis)
        scale = numpy.maximum(numpy.abs(values).max(axis=others), 1e-6) / 127
        if len(shape) == 2 and self.kind == DYNAMIC:
            scale = scale.max(keepdims=True)  # one for all, as older converters write it
        along = [1] * len(shape)
        along[axis] = len(scale)
        q = numpy.clip(numpy.round(values / scale.reshape(along)), -127, 127).astype(numpy.int8)
        constant = self.tensor("", shape, "int8", q, scale, 0, axis)
        if self.kind == DYNAMIC:
            return constant, self.tensor("", bias.shape, "float32", bias)
        product = self.scales[x][0] * scale
        whole = numpy.round(bias / product).astype(numpy.int32)
        return constant, self.tensor("", bias.shape, "int32", whole, product, 0, 0)

    def operator(self, kind, inputs, output, options=None, version=1):
        code = getattr(schema.BuiltinOperator, kind)
        self.codes.append(schema.OperatorCodeT(deprecatedBuiltinCode=min(code, 127), builtinCode=code, version=version))
        operator = schema.OperatorT(opcodeIndex=len(self.codes) - 1, inputs=inputs, outputs=[output])
        if options is not None:
            name = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType, operator.builtinOptions = getattr(schema.BuiltinOptions, name), options
        self.operators.append(operator)
        return output

    def decoder(self):
        version = 3 if self.kind in (DYNAMIC, INT8) else 1
        z = self.computed("z", [1, 8])
        w, b = self.weights([96, 8], 0, z)
        flat = self.operator("FULLY_CONNECTED", [z, w, b], self.computed("flat", [1, 96]),
                             schema.FullyConnectedOptionsT(fusedActivationFunction=RELU), version if version == 1 else 4)
        small = self.operator("RESHAPE", [flat, self.integers([-1, 4, 4, 6])], self.computed("small", [1, 4, 4, 6], flat))
        w, b = self.weights([8, 4, 4, 6], 0, small)
        up = self.operator("TRANSPOSE_CONV", [self.integers([1, 8, 8, 8]), w, small, b], self.computed("up", [1, 8, 8, 8]),
                           schema.TransposeConvOptionsT(padding=schema.Padding.SAME, strideH=2, strideW=2), 3)
        bent = self.operator("LEAKY_RELU", [up], self.computed("bent", [1, 8, 8, 8]), schema.LeakyReluOptionsT(alpha=0.1), 2)
        w, b = self.weights([1, 3, 3, 8], 3, bent)
        deep = self.operator("DEPTHWISE_CONV_2D", [bent, w, b], self.computed("deep", [1, 8, 8, 8]),
                             schema.DepthwiseConv2DOptionsT(depthMultiplier=1, dilationHFactor=1, dilationWFactor=1,
                                                            fusedActivationFunction=RELU, **SAME), version)
        added = self.operator("ADD", [bent, deep], self.computed("added", [1, 8, 8, 8]), schema.AddOptionsT(), 2)
        joined = self.operator("CONCATENATION", [added, added], self.computed("joined", [1, 8, 8, 16], added),
                               schema.ConcatenationOptionsT(axis=3), 2)
        large = self.operator("RESIZE_NEAREST_NEIGHBOR", [joined, self.integers([16, 16])],
                              self.computed("large", [1, 16, 16, 16], joined),
                              schema.ResizeNearestNeighborOptionsT(halfPixelCenters=True), 3)
        w, b = self.weights([3, 3, 3, 16], 0, large)
        logits = self.operator("CONV_2D", [large, w, b], self.computed("logits", [1, 16, 16, 3]),
                               schema.Conv2DOptionsT(dilationHFactor=1, dilationWFactor=1, **SAME), version)
        picture = self.operator("LOGISTIC", [logits], self.computed("picture", [1, 16, 16, 3]), None, 2)
        return self.bytes(z, picture)

    def bytes(self, source, target):
        subgraph = schema.SubGraphT(tensors=self.tensors, operators=self.operators, inputs=[source], outputs=[target])
        model = schema.ModelT(version=3, operatorCodes=self.codes, subgraphs=[subgraph], buffers=self.buffers)
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def run(content, rows):
    """By the reference kernels: each row's output, every tensor's range, and LAYERS of the first row if it is int8."""
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
                              experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    outputs, ranges, layers = [], {}, []
    for row in rows:
        if source["dtype"] == numpy.int8:
            scale, zero = source["quantization"]
            row = numpy.clip(numpy.round(row / numpy.float32(scale)) + zero, -128, 127).astype(numpy.int8)
        interpreter.set_tensor(source["index"], row[None])
        interpreter.invoke()
        y = interpreter.get_tensor(target["index"])
        if target["dtype"] == numpy.int8:
            scale, zero = target["quantization"]
            y = (y.astype(numpy.float32) - zero) * numpy.float32(scale)
        outputs.append(y.reshape(-1))
        details = {tensor["name"]: tensor for tensor in interpreter.get_tensor_details()}
        for name in LAYERS if len(outputs) == 1 and "z" in details and target["dtype"] == numpy.int8 else ():
            scale, zero = details[name]["quantization"]
            values = interpreter.get_tensor(details[name]["index"]).astype(numpy.float32)
            layers.append((values.reshape(-1) - zero) * numpy.float32(scale))
        for tensor in interpreter.get_tensor_details():
            if tensor["name"] and tensor["dtype"] == numpy.float32:
                values = interpreter.get_tensor(tensor["index"])
                low, high = ranges.get(tensor["name"], (0, 0))
                ranges[tensor["name"]] = min(low, values.min()), max(high, values.max())
    return numpy.concatenate(outputs), ranges, layers


def keep(path, rows, outputs):
    path.write_bytes(numpy.concatenate([rows.reshape(-1), outputs]).astype("<f4").tobytes())


def main():
    folder = pathlib.Path(__file__).parent / "tflite"
    folder.mkdir(exist_ok=True)
    rows = numpy.random.default_rng(2).normal(size=(ROWS, 8)).astype(numpy.float32)
    ranges = None
    for kind in (FLOAT32, FLOAT16, DYNAMIC, INT8):
        content = Writer(kind, ranges).decoder()
        outputs, taken, layers = run(content, rows)
        ranges = ranges or taken
        (folder / f"decoder_{kind}.tflite").write_bytes(content)
        keep(folder / f"decoder_{kind}.f32", rows, outputs)
    keep(folder / "decoder_int8_layers.f32", layers[0], numpy.concatenate(layers[1:]))
    if len(sys.argv) > 1:
        rows = (numpy.random.default_rng(3).normal(size=(2, 640)) * 4).astype(numpy.float32)
        for kind in ("fp32", "int8"):
            content = (pathlib.Path(sys.argv[1]) / f"ad01_{kind}.tflite").read_bytes()
            keep(folder / f"ad01_{kind}.f32", rows, run(content, rows)[0])


main()
