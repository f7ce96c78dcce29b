"""Writes an ONNX model as a .tflite file, with the schema's classes that come with LiteRT.

For the models of make_models.py and their like: dense layers, convolutions of both directions, the elementwise steps
between them and nearest up-sampling. Pictures are N,H,W,C in the file, as LiteRT wants them. Batch normalizations go
into the weights before them and ReLU into the operator before it, as TensorFlow's own converter does.
"""
import numpy
import flatbuffers
import onnx
from ai_edge_litert import schema_py_generated as schema

ALIGNMENT = 16  # of weights in the file


class AlignedBuffer(schema.BufferT):
    """The generated class puts its bytes down at any place."""

    def Pack(self, builder):
        content = None
        if self.data is not None:
            builder.StartVector(1, len(self.data), ALIGNMENT)
            builder.head -= len(self.data)
            builder.Bytes[builder.head:builder.head + len(self.data)] = self.data
            content = builder.EndVector()
        schema.BufferStart(builder)
        if content is not None:
            schema.BufferAddData(builder, content)
        return schema.BufferEnd(builder)


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def channels_last(shape):
    return [shape[0], *shape[2:], shape[1]] if len(shape) == 4 else list(shape)


class Writer:
    def __init__(self, model):
        self.graph = model.graph
        self.constants = {t.name: onnx.numpy_helper.to_array(t) for t in self.graph.initializer}
        for node in self.graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = onnx.numpy_helper.to_array(attributes(node)["value"])
        self.readers = {}
        for node in self.graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.ids = {}  # of a tensor by its name in the source
        self.tensors, self.operators, self.codes = [], [], []
        self.buffers = [AlignedBuffer()]  # the first is the empty one of tensors that are computed

    # --- tensors and operators of the file ---

    def add_tensor(self, name, shape, kind=schema.TensorType.FLOAT32, buffer=0):
        tensor = schema.TensorT(shape=numpy.array(shape, numpy.int32), type=kind, buffer=buffer, name=name)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def add_constant(self, name, values):
        kinds = {"f": schema.TensorType.FLOAT32, "i": schema.TensorType.INT32}
        values = numpy.ascontiguousarray(values)
        self.buffers.append(AlignedBuffer(data=values.tobytes()))
        return self.add_tensor(name, values.shape, kinds[values.dtype.kind], len(self.buffers) - 1)

    def id_of(self, name):
        if name not in self.ids:
            self.ids[name] = self.add_constant(name, self.constants[name].astype(numpy.float32))
        return self.ids[name]

    def shape_of(self, name):
        return [int(extent) for extent in self.tensors[self.id_of(name)].shape]

    def add_operator(self, kind, inputs, output, shape, options=None, version=1):
        """`kind` as in the schema, CONV_2D; `options` an instance of its table, or None."""
        code = getattr(schema.BuiltinOperator, kind)
        self.codes.append(schema.OperatorCodeT(deprecatedBuiltinCode=min(code, 127), builtinCode=code, version=version))
        self.ids[output] = self.add_tensor(output, shape)
        operator = schema.OperatorT(opcodeIndex=len(self.codes) - 1, inputs=inputs, outputs=[self.ids[output]])
        if options is not None:
            name = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType, operator.builtinOptions = getattr(schema.BuiltinOptions, name), options
        self.operators.append(operator)

    def following(self, name, kind):
        """The one node that reads `name`, if it is of this kind."""
        readers = self.readers.get(name, [])
        return readers[0] if len(readers) == 1 and readers[0].op_type == kind else None

    def take_relu(self, output, options):
        """Fuses the ReLU that follows into `options`; the name that the operator's output has then."""
        relu = self.following(output, "Relu")
        if relu is None:
            return output
        options.fusedActivationFunction = schema.ActivationFunctionType.RELU
        self.ids[relu.output[0]] = None  # until the operator is there: done, not to be written again
        return relu.output[0]

    # --- one method for each of ONNX's operators ---

    def write_Gemm(self, node):
        if attributes(node).get("transB") != 1:
            raise ValueError("a Gemm without transB is not written here")
        inputs = [self.id_of(name) for name in node.input]
        options = schema.FullyConnectedOptionsT()
        shape = [self.shape_of(node.input[0])[0], self.constants[node.input[1]].shape[0]]
        self.add_operator("FULLY_CONNECTED", inputs, self.take_relu(node.output[0], options), shape, options)

    def write_Conv(self, node):
        x, weights = self.shape_of(node.input[0]), self.constants[node.input[1]]
        about = attributes(node)
        kernel = weights.shape[2:]
        if about["strides"] != [1, 1] or about["group"] != 1 or about["pads"] != [kernel[0] // 2, kernel[1] // 2] * 2:
            raise ValueError("only convolutions that keep the picture's size are written here")
        bias = self.constants[node.input[2]] if len(node.input) > 2 else numpy.zeros(len(weights), numpy.float32)
        inputs = [self.id_of(node.input[0]), self.add_constant(node.input[1], weights.transpose(0, 2, 3, 1)),
                  self.add_constant(node.output[0] + ".bias", bias)]
        options = schema.Conv2DOptionsT(padding=schema.Padding.SAME, strideH=1, strideW=1, dilationHFactor=1,
                                        dilationWFactor=1)
        self.add_operator("CONV_2D", inputs, self.take_relu(node.output[0], options), [*x[:3], len(weights)], options)

    def write_ConvTranspose(self, node):
        x, weights = self.shape_of(node.input[0]), self.constants[node.input[1]]  # [inputs, outputs, height, width]
        about, output = attributes(node), node.output[0]
        bias = self.constants[node.input[2]] if len(node.input) > 2 else numpy.zeros(weights.shape[1], numpy.float32)
        normalization = self.following(output, "BatchNormalization")
        if normalization is not None:
            scale, shift, mean, variance = (self.constants[name] for name in normalization.input[1:])
            scale = scale / numpy.sqrt(variance + attributes(normalization)["epsilon"])
            weights = weights * scale[None, :, None, None]
            bias = (bias - mean) * scale + shift
            output = normalization.output[0]
            self.ids[output] = None
        (top, left, _, _), (down, across) = about["pads"], about["strides"]
        size = [(x[1] - 1) * down - 2 * top + weights.shape[2], (x[2] - 1) * across - 2 * left + weights.shape[3]]
        if size == [x[1] * down, x[2] * across]:
            padding = schema.Padding.SAME
        elif top == left == 0:
            padding = schema.Padding.VALID
        else:
            raise ValueError("only transposed convolutions with SAME or VALID padding are written here")
        shape = [x[0], *size, weights.shape[1]]
        options = schema.TransposeConvOptionsT(padding=padding, strideH=down, strideW=across)
        inputs = [self.add_constant(output + ".shape", numpy.array(shape, numpy.int32)),
                  self.add_constant(node.input[1], weights.transpose(1, 2, 3, 0).astype(numpy.float32)),
                  self.id_of(node.input[0]), self.add_constant(output + ".bias", bias.astype(numpy.float32))]
        # Version 3 takes a bias, 4 an activation.
        self.add_operator("TRANSPOSE_CONV", inputs, self.take_relu(output, options), shape, options, version=4)

    def write_Resize(self, node):
        x, scales = self.shape_of(node.input[0]), self.constants[node.input[2]]
        if attributes(node)["mode"] != b"nearest":
            raise ValueError("only nearest up-sampling is written here")
        size = numpy.array([x[1] * scales[2], x[2] * scales[3]], numpy.int32)
        inputs = [self.id_of(node.input[0]), self.add_constant(node.output[0] + ".size", size)]
        self.add_operator("RESIZE_NEAREST_NEIGHBOR", inputs, node.output[0], [x[0], *size, x[3]],
                          schema.ResizeNearestNeighborOptionsT())

    def write_elementwise(self, node, kind, options=None):
        output = node.output[0] if kind != "ADD" else self.take_relu(node.output[0], options)
        self.add_operator(kind, [self.id_of(name) for name in node.input], output, self.shape_of(node.input[0]), options)

    def write_Add(self, node):
        self.write_elementwise(node, "ADD", schema.AddOptionsT())

    def write_Mul(self, node):
        self.write_elementwise(node, "MUL", schema.MulOptionsT())

    def write_Div(self, node):
        self.write_elementwise(node, "DIV", schema.DivOptionsT())

    def write_LeakyRelu(self, node):
        self.write_elementwise(node, "LEAKY_RELU", schema.LeakyReluOptionsT(alpha=attributes(node)["alpha"]))

    def write_Relu(self, node):
        self.write_elementwise(node, "RELU")

    def write_Sigmoid(self, node):
        self.write_elementwise(node, "LOGISTIC")

    def write_Tanh(self, node):
        self.write_elementwise(node, "TANH")

    def bytes(self):
        source = self.graph.input[0]
        shape = [axis.dim_value for axis in source.type.tensor_type.shape.dim]
        self.ids[source.name] = self.add_tensor(source.name, channels_last(shape))
        for node in self.graph.node:
            if node.op_type == "Constant" or node.output[0] in self.ids:
                continue
            write = getattr(self, f"write_{node.op_type}", None)
            if write is None:
                raise ValueError(f"ONNX's {node.op_type} is not written here")
            write(node)
        subgraph = schema.SubGraphT(tensors=self.tensors, operators=self.operators, inputs=[self.ids[source.name]],
                                    outputs=[self.ids[self.graph.output[0].name]])
        model = schema.ModelT(version=3, operatorCodes=self.codes, subgraphs=[subgraph], buffers=self.buffers)
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return builder.Output()


def convert(source, target):
    """From the .onnx file `source` to the .tflite file `target`."""
    target.write_bytes(Writer(onnx.load(str(source))).bytes())
