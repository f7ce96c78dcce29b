// Every model computes in WebAssembly, bit for bit, what its golden says, and figment.js draws the same sample
// whatever is drawn beside it. usage: node golden_test.mjs figment.wasm MODEL.fgm...
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {Figment, FigmentError} from "../../targets/web/page/figment.js";

const [path, ...models] = process.argv.slice(2);
const module = await WebAssembly.compile(readFileSync(path));
assert.deepEqual(WebAssembly.Module.imports(module).map(({name}) => name), ["emscripten_notify_memory_growth"]);
assert(models.length > 0);

// By the C interface itself, for encoders are no models to draw from.
async function check(bytes) {
  const {exports} = await WebAssembly.instantiate(module, {env: {emscripten_notify_memory_growth() {}}});
  const sentence = () => Buffer.from(exports.memory.buffer, exports.figment_error()).toString().split("\0")[0];
  exports._initialize();
  const at = exports.figment_allocate(bytes.length);
  new Uint8Array(exports.memory.buffer).set(bytes, at);
  if (!exports.figment_open(at, bytes.length)) return sentence();
  const need = exports.figment_arena_bytes(1);
  const arena = exports.figment_allocate(need);
  assert.equal(arena % 64, 0);
  return exports.figment_check(arena, need) ? "" : sentence();
}

for (const file of models) {
  const bytes = readFileSync(file);
  assert.equal(await check(bytes), "", file);
  bytes[bytes.length - 1] ^= 1; // in the last weights, or in padding: the content hash covers both
  assert.match(await check(bytes), /its content hash differs|damaged/, file);
  console.log(`ok  ${file}`);
}

for (const file of models) {
  let figment;
  try {
    figment = await Figment.open(module, readFileSync(file));
  } catch (error) {
    assert(error instanceof FigmentError);
    assert.match(file, /encoder|discriminator/);
    assert.match(error.message, /does not say that its output is a picture/);
    continue;
  }
  const {kind, latentSize} = figment.info;
  const samples = (drawn) => (kind === "text" ? drawn.texts : [...drawn.pictures]);
  const many = figment.draw({seed: 7n, count: 21});
  const size = samples(many).length / 21;
  for (const first of [0, 1, 17, 20]) {
    const one = figment.draw({seed: 7n, first});
    assert.deepEqual(samples(one), samples(many).slice(first * size, (first + 1) * size));
    assert.deepEqual(one.latents, many.latents.slice(first * latentSize, (first + 1) * latentSize));
  }
  // What was drawn comes back from its latents; for text the symbols' own draws are numbered as well.
  assert.deepEqual(samples(figment.decode({latents: many.latents, seed: 7n})), samples(many));
  const close = figment.draw({seed: 7n, count: 40, truncation: 0.5}).latents;
  assert(figment.info.uniform || close.every((value) => Math.abs(value) <= 0.5));
  figment.check(); // and after it everything still works
  assert.deepEqual(samples(figment.draw({seed: 7n, count: 21})), samples(many));
  console.log(`ok  ${figment.info.name} draws the same in any company`);
}
