// Makes the goldens of TensorFlow.js's models: small ones with random weights, and of larger ones that
// stand elsewhere what TensorFlow.js computes.
//
//     cd SOME_FOLDER && npm install @tensorflow/tfjs
//     NODE_PATH=SOME_FOLDER/node_modules node tests/import/goldens/tfjs_goldens.mjs
//
// The text files are as keras_goldens.py describes them.
import fs from 'node:fs';
import path from 'node:path';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

const require = createRequire(path.join(process.env.NODE_PATH ?? '.', 'x.js'));
const tf = require('@tensorflow/tfjs');

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = path.join(here, 'tfjs');
const others = path.join(here, '../../../../shared/models');
const batch = 2;

// Of UpscalerJS's models.
class MultiplyBeta extends tf.layers.Layer {
  constructor(config) { super(config); this.beta = config.beta ?? 0.2; }
  call(inputs) { return tf.mul(Array.isArray(inputs) ? inputs[0] : inputs, this.beta); }
  computeOutputShape(shape) { return shape; }
  static get className() { return 'MultiplyBeta'; }
}
class PixelShuffle extends tf.layers.Layer {
  constructor(config) { super(config); this.scale = config.scale; }
  computeOutputShape([n, h, w, c]) {
    return [n, h && h * this.scale, w && w * this.scale, c / this.scale ** 2];
  }
  call(inputs) { return tf.depthToSpace(Array.isArray(inputs) ? inputs[0] : inputs, this.scale, 'NHWC'); }
  getConfig() { return {...super.getConfig(), scale: this.scale}; }
  static get className() { return 'PixelShuffle'; }
}
tf.serialization.registerClass(MultiplyBeta);
tf.serialization.registerClass(PixelShuffle);

let seed = 7;
function random() {  // in [-1, 1), the same everywhere
  seed = (seed * 48271) % 2147483647;
  return seed / 2147483647 * 2 - 1;
}

function ramp(shape, factor, period) {
  const count = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(Float32Array.from({length: count}, (_, i) => (i * factor % period) / period), shape);
}

async function write(name, inputs, outputs, stride) {
  let text = '';
  for (const [port, tensor] of inputs) text += `input ${port} ${tensor.shape.join('x')}\nramp 37 101\n`;
  for (const [index, tensor] of outputs.entries()) {
    const values = Array.from(await tensor.data()).filter((_, i) => i % stride === 0);
    text += `output ${index} ${tensor.shape.join('x')} ${stride}\n`;
    text += values.map((value) => Number(value.toPrecision(7))).join(' ') + '\n';
  }
  fs.writeFileSync(path.join(folder, name + '.txt'), text);
}

// Writes model.json and its weights: floats, or quantized to the type given (and then read back, so
// that TensorFlow.js computes with what the file has).
async function save(name, model, quantized) {
  for (const weight of model.weights) {
    const values = Float32Array.from({length: weight.shape.reduce((a, b) => a * b, 1)}, () => random() * 0.6);
    if (/variance|gamma/.test(weight.name)) values.forEach((v, i) => { values[i] = 0.5 + Math.abs(v); });
    weight.write(tf.tensor(values, weight.shape));
  }
  let artifacts;
  await model.save(tf.io.withSaveHandler(async (made) => { artifacts = made; return {modelArtifactsInfo: {}}; }));
  let data = Buffer.from(artifacts.weightData);
  const specs = artifacts.weightSpecs;
  if (quantized) {
    const parts = [];
    let at = 0;
    for (const spec of specs) {
      const count = spec.shape.reduce((a, b) => a * b, 1);
      const values = new Float32Array(data.buffer.slice(data.byteOffset + at, data.byteOffset + at + 4 * count));
      at += 4 * count;
      const low = Math.min(...values), high = Math.max(...values);
      const steps = quantized === 'uint8' ? 255 : 65535;
      const scale = (high - low) / steps || 1;
      const kind = quantized === 'uint8' ? Uint8Array : Uint16Array;
      parts.push(Buffer.from(kind.from(values, (v) => Math.round((v - low) / scale)).buffer));
      spec.quantization = {dtype: quantized, scale, min: low, original_dtype: 'float32'};
    }
    data = Buffer.concat(parts);
  }
  const json = {format: 'layers-model', modelTopology: artifacts.modelTopology,
    weightsManifest: [{paths: [name + '.bin'], weights: specs}]};
  fs.writeFileSync(path.join(folder, name + '.json'), JSON.stringify(json));
  fs.writeFileSync(path.join(folder, name + '.bin'), data);
  const read = await tf.loadLayersModel(tf.io.fromMemory({modelTopology: artifacts.modelTopology,
    weightSpecs: specs, weightData: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)}));
  const inputs = read.inputs.map((input, i) => [read.inputLayers[i].name, ramp([batch, ...input.shape.slice(1)], 37, 101)]);
  const result = read.predict(inputs.length > 1 ? inputs.map((each) => each[1]) : inputs[0][1]);
  await write(name, inputs, Array.isArray(result) ? result : [result], name === 'pictures' ? 3 : 1);
}

function pictures() {
  const x = tf.input({shape: [5, 6, 4], name: 'picture'});
  const outputs = [
    tf.layers.conv2d({filters: 3, kernelSize: 3, padding: 'same', activation: 'relu'}).apply(x),
    tf.layers.conv2d({filters: 2, kernelSize: 2, strides: 2, padding: 'same', useBias: false}).apply(x),
    tf.layers.conv2dTranspose({filters: 2, kernelSize: 3, strides: 2, padding: 'same'}).apply(x),
    tf.layers.conv2dTranspose({filters: 2, kernelSize: 2, strides: 3, padding: 'valid'}).apply(x),
    tf.layers.separableConv2d({filters: 2, kernelSize: 3, padding: 'same', activation: 'tanh'}).apply(x),
    tf.layers.depthwiseConv2d({kernelSize: 3, depthMultiplier: 2}).apply(x),
    tf.layers.batchNormalization().apply(x),
    tf.layers.layerNormalization().apply(x),
    tf.layers.upSampling2d({size: [2, 3]}).apply(x),
    tf.layers.upSampling2d({size: [2, 2], interpolation: 'bilinear'}).apply(x),
    tf.layers.zeroPadding2d({padding: [[1, 2], [0, 1]]}).apply(x),
    tf.layers.cropping2D({cropping: [[1, 1], [2, 0]]}).apply(x),
    tf.layers.maxPooling2d({poolSize: 2}).apply(x),
    tf.layers.averagePooling2d({poolSize: 3, strides: 2, padding: 'same'}).apply(x),
    tf.layers.globalAveragePooling2d({}).apply(x),
    tf.layers.leakyReLU({alpha: 0.1}).apply(x),
    tf.layers.prelu({sharedAxes: [1, 2]}).apply(x),
    new PixelShuffle({scale: 2, name: 'shuffle'}).apply(x),
    new MultiplyBeta({name: 'beta'}).apply(x),
    tf.layers.flatten().apply(x),
    tf.layers.activation({activation: 'hardSigmoid'}).apply(x),
  ];
  return tf.model({inputs: x, outputs});
}

function decoder() {
  const z = tf.input({shape: [3], name: 'latent'}), label = tf.input({shape: [2], name: 'label'});
  let h = tf.layers.concatenate().apply([z, label]);
  h = tf.layers.dense({units: 16, activation: 'elu'}).apply(h);
  h = tf.layers.reshape({targetShape: [2, 2, 4]}).apply(h);
  const inner = tf.sequential({layers: [
    tf.layers.conv2dTranspose({filters: 3, kernelSize: 4, strides: 2, padding: 'same', inputShape: [2, 2, 4]}),
    tf.layers.batchNormalization(), tf.layers.leakyReLU({alpha: 0.2})]});
  h = inner.apply(h);
  return tf.model({inputs: [z, label],
    outputs: tf.layers.conv2d({filters: 1, kernelSize: 3, padding: 'same', activation: 'sigmoid'}).apply(h)});
}

function sequence() {
  const x = tf.input({shape: [4, 3], name: 'steps'});
  return tf.model({inputs: x, outputs: [
    tf.layers.lstm({units: 2, returnSequences: true}).apply(x),
    tf.layers.gru({units: 2, recurrentActivation: 'sigmoid'}).apply(x),
    tf.layers.bidirectional({layer: tf.layers.lstm({units: 2}), mergeMode: 'concat'}).apply(x),
    tf.layers.timeDistributed({layer: tf.layers.dense({units: 2})}).apply(x),
  ]});
}

// A graph as the converter of TensorFlow.js writes it, with every kind of operator.
async function graph() {
  const nodes = [], specs = [], parts = [];
  const text = (value) => ({s: Buffer.from(value).toString('base64')});
  const list = (...values) => ({list: {i: values.map(String)}});
  const add = (name, op, input = [], attr = {}) => { nodes.push({name, op, input, attr}); return name; };
  const constant = (name, values, shape, dtype = 'float32') => {
    const type = dtype === 'float32' ? 'DT_FLOAT' : 'DT_INT32';
    add(name, 'Const', [], {dtype: {type}, value: {tensor: {dtype: type,
      tensorShape: {dim: shape.map((size) => ({size: String(size)}))}}}});
    specs.push({name, shape, dtype});
    parts.push(Buffer.from((dtype === 'float32' ? Float32Array : Int32Array).from(values).buffer));
    return name;
  };
  const floats = (name, ...shape) =>
    constant(name, Array.from({length: shape.reduce((a, b) => a * b, 1)}, () => random() * 0.6), shape);
  const ints = (name, values, shape = [values.length]) => constant(name, values, shape, 'int32');
  const float = {T: {type: 'DT_FLOAT'}};
  const window = (stride, padding) => ({...float, strides: list(1, stride, stride, 1),
    padding: text(padding), data_format: text('NHWC'), dilations: list(1, 1, 1, 1)});

  add('x', 'Placeholder', [], {dtype: {type: 'DT_FLOAT'},
    shape: {shape: {dim: [{size: '-1'}, {size: '6'}, {size: '5'}, {size: '4'}]}}});
  const outputs = [];
  const out = (...argument) => outputs.push(add(...argument));

  floats('kernel', 3, 3, 4, 2); floats('bias', 2); floats('depth', 3, 3, 4, 1); floats('per', 4);
  out('conv', 'Conv2D', ['x', 'kernel'], window(2, 'SAME'));
  out('fused', '_FusedConv2D', ['x', 'kernel', 'bias'], {...window(1, 'VALID'), num_args: {i: '1'},
    fused_ops: {list: {s: ['BiasAdd', 'LeakyRelu'].map((each) => text(each).s)}}, leakyrelu_alpha: {f: 0.3},
    epsilon: {f: 0}});
  out('depthwise', 'DepthwiseConv2dNative', ['x', 'depth'], window(1, 'SAME'));
  out('pooled', 'MaxPool', ['x'], {...window(2, 'SAME'), ksize: list(1, 3, 3, 1)});
  out('averaged', 'AvgPool', ['x'], {...window(2, 'VALID'), ksize: list(1, 2, 2, 1)});
  // The output's shape of a transposed convolution, computed from the input's.
  add('shape', 'Shape', ['x'], {...float, out_type: {type: 'DT_INT32'}});
  ints('zero', [0]); ints('one', [1]); ints('two', [2]); ints('three', [3]);
  const pick = (name, from, to) => add(name, 'StridedSlice', ['shape', from, to, 'one'],
    {T: {type: 'DT_INT32'}, Index: {type: 'DT_INT32'}, begin_mask: {i: '0'}, end_mask: {i: '0'},
      ellipsis_mask: {i: '0'}, new_axis_mask: {i: '0'}, shrink_axis_mask: {i: '1'}});
  pick('batch', 'zero', 'one'); pick('height', 'one', 'two'); pick('width', 'two', 'three');
  ints('scale', [2], []); ints('channels', [3], []);
  add('height2', 'Mul', ['height', 'scale'], {T: {type: 'DT_INT32'}});
  add('width2', 'Mul', ['width', 'scale'], {T: {type: 'DT_INT32'}});
  add('sizes', 'Pack', ['batch', 'height2', 'width2', 'channels'],
    {T: {type: 'DT_INT32'}, N: {i: '4'}, axis: {i: '0'}});
  floats('back', 3, 3, 3, 4); floats('bias3', 3);
  add('transposed', 'Conv2DBackpropInput', ['sizes', 'back', 'x'], window(2, 'SAME'));
  out('biased', 'BiasAdd', ['transposed', 'bias3'], {...float, data_format: text('NHWC')});
  constant('variance', [0.5, 1, 1.5, 2], [4]);
  out('normalized', 'FusedBatchNormV3', ['x', 'per', 'per', 'per', 'variance'],
    {...float, epsilon: {f: 0.01}, is_training: {b: false}, data_format: text('NHWC')});
  ints('size', [9, 7]);
  out('bilinear', 'ResizeBilinear', ['x', 'size'], {...float, align_corners: {b: false}, half_pixel_centers: {b: true}});
  out('corners', 'ResizeBilinear', ['x', 'size'], {...float, align_corners: {b: true}, half_pixel_centers: {b: false}});
  out('nearest', 'ResizeNearestNeighbor', ['x', 'size'], {...float, align_corners: {b: false}, half_pixel_centers: {b: false}});
  ints('pads', [0, 0, 1, 2, 2, 0, 0, 0], [4, 2]);
  out('padded', 'Pad', ['x', 'pads'], {...float, Tpaddings: {type: 'DT_INT32'}});
  out('mirrored', 'MirrorPad', ['x', 'pads'], {...float, mode: text('REFLECT')});
  out('deeper', 'DepthToSpace', ['x'], {...float, block_size: {i: '2'}, data_format: text('NHWC')});
  ints('order', [0, 2, 3, 1]);
  out('turned', 'Transpose', ['x', 'order'], {...float, Tperm: {type: 'DT_INT32'}});
  ints('last', [3], []); ints('axes', [1, 2]); ints('picks', [2, 0, 3]);
  add('split', 'Split', ['last', 'x'], {...float, num_split: {i: '2'}});
  out('joined', 'ConcatV2', ['split:1', 'split', 'x', 'last'], {...float, N: {i: '3'}});
  out('gathered', 'GatherV2', ['x', 'picks', 'last'], {...float, batch_dims: {i: '0'}});
  out('mean', 'Mean', ['x', 'axes'], {...float, keep_dims: {b: true}});
  add('sum', 'Sum', ['x', 'axes'], {...float, keep_dims: {b: false}});
  floats('weights', 4, 6); floats('bias6', 6);
  out('dense', '_FusedMatMul', ['sum', 'weights', 'bias6'], {...float, transpose_a: {b: false},
    transpose_b: {b: false}, num_args: {i: '1'}, epsilon: {f: 0},
    fused_ops: {list: {s: ['BiasAdd', 'Relu'].map((each) => text(each).s)}}});
  out('softmax', 'Softmax', ['dense'], float);
  add('product', 'Prod', ['axes_of', 'first'], {T: {type: 'DT_INT32'}, keep_dims: {b: false}});
  ints('axes_of', [6, 5, 4]); ints('first', [0]);
  add('flat_shape', 'Pack', ['batch', 'product'], {T: {type: 'DT_INT32'}, N: {i: '2'}, axis: {i: '0'}});
  out('flat', 'Reshape', ['x', 'flat_shape'], {...float, Tshape: {type: 'DT_INT32'}});
  constant('half', [0.5], []);
  add('above', 'Sub', ['x', 'half'], float);
  for (const op of ['Relu6', 'Elu', 'Sigmoid', 'Tanh', 'Exp', 'Softplus', 'Abs', 'Neg', 'Square', 'Selu'])
    out('u_' + op, op, ['above'], float);
  out('u_LeakyRelu', 'LeakyRelu', ['above'], {...float, alpha: {f: 0.1}});
  out('u_Rsqrt', 'Rsqrt', ['u_Exp'], float);
  for (const op of ['AddV2', 'Mul', 'RealDiv', 'Maximum', 'Minimum', 'SquaredDifference'])
    out('b_' + op, op, ['above', 'per'], float);
  ints('minus', [-1], []);
  add('expanded', 'ExpandDims', ['mean', 'minus'], {...float, Tdim: {type: 'DT_INT32'}});
  out('squeezed', 'Squeeze', ['expanded'], {...float, squeeze_dims: list(1, 2, 4)});
  add('large', 'Greater', ['above', 'half'], float);
  out('chosen', 'SelectV2', ['large', 'x', 'above'], float);
  ints('from', [0, 1, 0, 1]); ints('to', [0, 5, 5, 3]); ints('steps', [1, 2, 1, 1]);
  out('sliced', 'StridedSlice', ['x', 'from', 'to', 'steps'], {...float, Index: {type: 'DT_INT32'},
    begin_mask: {i: '1'}, end_mask: {i: '1'}, ellipsis_mask: {i: '0'}, new_axis_mask: {i: '0'}, shrink_axis_mask: {i: '0'}});

  const data = Buffer.concat(parts);
  const signature = {inputs: {picture: {name: 'x:0', dtype: 'DT_FLOAT'}},
    outputs: Object.fromEntries(outputs.map((name, index) => ['output_' + index, {name: name + ':0', dtype: 'DT_FLOAT'}]))};
  const topology = {node: nodes, versions: {producer: 1}, library: {}};
  fs.writeFileSync(path.join(folder, 'graph.json'), JSON.stringify({format: 'graph-model', signature,
    modelTopology: topology, weightsManifest: [{paths: ['graph.bin'], weights: specs}]}));
  fs.writeFileSync(path.join(folder, 'graph.bin'), data);
  const model = await tf.loadGraphModel(tf.io.fromMemory({modelTopology: topology, signature,
    weightSpecs: specs, weightData: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)}));
  const x = ramp([batch, 6, 5, 4], 37, 101);
  await write('graph', [['picture', x]], model.execute({x}, outputs), 3);
}

// A file beside a model.json that stands elsewhere.
function fromFolder(place) {
  const json = JSON.parse(fs.readFileSync(path.join(place, 'model.json')));
  const data = Buffer.concat(json.weightsManifest.flatMap((group) =>
    group.paths.map((file) => fs.readFileSync(path.join(place, file)))));
  return tf.io.fromMemory({modelTopology: json.modelTopology, signature: json.signature,
    weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
    weightData: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)});
}

fs.mkdirSync(folder, {recursive: true});
await tf.setBackend('cpu');
await save('pictures', pictures());
await save('decoder', decoder());
await save('decoder_uint8', decoder(), 'uint8');
await save('decoder_uint16', decoder(), 'uint16');
await save('sequence', sequence());
await graph();
if (fs.existsSync(others)) {
  for (const [name, ports, stride] of [
    ['vae-explainer-encoder', [['inputs', [batch, 28, 28, 1]]], 1],
    ['vae-explainer-decoder', [['inputs', [batch, 2]]], 7]]) {
    const model = await tf.loadGraphModel(fromFolder(path.join(others, 'tfjs-graph', name)));
    const inputs = ports.map(([port, shape]) => [port, ramp(shape, 37, 101)]);
    await write(name, inputs, [model.predict(inputs[0][1])], stride);
  }
  for (const [name, shapes, stride] of [
    ['ml5-cvae-quickdraw', [[batch, 16], [batch, 51]], 7], ['esrgan-slim-x4', [[1, 12, 10, 3]], 7]]) {
    const model = await tf.loadLayersModel(fromFolder(path.join(others, 'tfjs-layers', name)));
    const inputs = model.inputLayers.map((layer, i) => [layer.name, ramp(shapes[i], 37, 101)]);
    await write(name, inputs, [model.predict(inputs.length > 1 ? inputs.map((each) => each[1]) : inputs[0][1])], stride);
  }
}
