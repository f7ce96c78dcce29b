// Times ONNX Runtime on one thread: node onnxruntime.js MODEL.onnx INPUT_SHAPE RUNS
// (npm install --ignore-scripts onnxruntime-node@1.30.0 in this folder or above it). Prints least and median ms.
const ort = require('onnxruntime-node');

async function main() {
  const [model, shape, runs] = process.argv.slice(2);
  const dims = shape.split('x').map(Number);
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all'});
  const values = new Float32Array(dims.reduce((product, extent) => product * extent, 1));
  for (let i = 0; i < values.length; ++i) values[i] = Math.sin(i + 1);
  const feeds = {[session.inputNames[0]]: new ort.Tensor('float32', values, dims)};
  const times = [];
  for (let i = 0; i < Number(runs) + 20; ++i) {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    if (i >= 20) times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({min: times[0], median: times[times.length >> 1]}));
}

main().catch((error) => {
  console.error(`onnxruntime.js: ${error.message}`);
  process.exit(1);
});
