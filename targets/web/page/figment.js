// Figment in JavaScript: opens a model, draws samples, decodes latents. Runs in a page, in a worker and under Node,
// and needs figment.wasm beside it and nothing else.
//
//   const figment = await Figment.open(await compileFigment("figment.wasm"), bytes);  // bytes of an .fgm
//   const {pictures, latents} = figment.draw({seed: 42n, count: 16});
//   figment.decode({latents});
//
// A picture is width * height * 4 bytes of red, green, blue and alpha; pictures lie one after another.

/** What the runtime refuses, in its own sentence. */
export class FigmentError extends Error {}

/** Fetches and compiles the module; one will do for any number of models. */
export async function compileFigment(url) {
  const response = await fetch(url);
  if (!response.ok) throw new FigmentError(`${url} cannot be had: the server says ${response.status}`);
  // Not compileStreaming, which insists on a content type that plain file servers often do not send.
  return WebAssembly.compile(await response.arrayBuffer());
}

// Enough for weights to be read once for many samples, few enough that the page stays lively.
const kMostAtOnce = 16;
// UTF-8 of one text; longer ones are asked for again.
const kLetters = 4096;

export class Figment {
  #exports;
  #batch = 0; // of the session that is laid out in the arena, 0: none
  #samples = 0; // that one of its runs gives
  #arena;
  #exchange; // one buffer for what goes in and out
  #info;

  /** Verifies the model and lays out its memory; throws a FigmentError when it cannot be drawn from. */
  static async open(module, bytes) {
    const instance = await WebAssembly.instantiate(module, {
      env: {emscripten_notify_memory_growth() {}}, // views are made anew each time, so nobody needs to know
    });
    instance.exports._initialize();
    return new Figment(instance.exports, new Uint8Array(bytes));
  }

  constructor(exports, bytes) {
    this.#exports = exports;
    const model = this.#allocate(bytes.length);
    this.#bytes(model, bytes.length).set(bytes);
    this.#require(exports.figment_open(model, bytes.length));

    const mostAtOnce = exports.figment_can_batch() ? kMostAtOnce : 1;
    const arenaBytes = this.#require(exports.figment_arena_bytes(mostAtOnce)) >>> 0;
    this.#arena = {at: this.#allocate(arenaBytes), bytes: arenaBytes};
    this.#prepare(mostAtOnce);
    const width = exports.figment_image_width();
    const height = exports.figment_image_height();
    const textLength = exports.figment_text_length();
    const latentSize = exports.figment_latent_size();
    this.#info = {
      name: this.#string(exports.figment_name()),
      kind: textLength > 0 ? "text" : "picture",
      width, height, textLength, latentSize,
      uniform: exports.figment_prior() === 1,
      low: exports.figment_prior_low(),
      high: exports.figment_prior_high(),
      operators: exports.figment_operator_count(),
      mostAtOnce: this.#samples,
      modelBytes: bytes.length,
      arenaBytes,
      version: this.#string(exports.figment_version()),
    };
    this.#exchange = this.#allocate(
      Math.max(4 * width * height, 4 * latentSize, 4 * this.#samples * textLength + kLetters));
  }

  /** What is known of the model and of its memory. */
  get info() { return this.#info; }

  /**
   * Samples `first` to `first + count - 1` of a seed, those that `figment sample` draws. `truncation` in standard
   * deviations, 0: none; `temperature` is for text.
   */
  draw({seed, first = 0, count = 1, truncation = 0, temperature = 1}) {
    return this.#compute(count, {seed, first, temperature}, (done) => {
      this.#exports.figment_draw_latents(seed, BigInt(first + done), truncation);
    });
  }

  /** The samples of given latents, `latentSize` numbers each; `seed` and `first` are for noise and for text. */
  decode({latents, seed = 0n, first = 0, temperature = 1}) {
    const size = this.#info.latentSize;
    const count = latents.length / size;
    return this.#compute(count, {seed, first, temperature}, (done, samples) => {
      for (let sample = 0; sample < samples; ++sample) {
        // A run that gives more than is left repeats the last.
        const from = Math.min(done + sample, count - 1) * size;
        this.#floats(this.#exchange, size).set(latents.subarray(from, from + size));
        this.#exports.figment_write_latent(sample, this.#exchange);
      }
    });
  }

  /** Throws unless the file is as it was converted and computes here, bit for bit, what its golden says. */
  check() {
    this.#batch = 0;
    this.#require(this.#exports.figment_check(this.#arena.at, this.#arena.bytes));
  }

  #compute(count, {seed, first, temperature}, fill) {
    const {kind, width, height, latentSize, textLength, mostAtOnce} = this.#info;
    const pictureBytes = 4 * width * height;
    const result = {samples: count, latents: new Float32Array(count * latentSize), milliseconds: 0};
    if (kind === "picture") result.pictures = new Uint8ClampedArray(count * pictureBytes);
    else result.texts = [];
    for (let done = 0; done < count; done += this.#samples) {
      this.#prepare(Math.min(mostAtOnce, count - done));
      const samples = Math.min(this.#samples, count - done);
      fill(done, this.#samples);
      const begun = performance.now();
      if (kind === "picture") this.#require(this.#exports.figment_run(seed + BigInt(first + done)));
      else this.#require(this.#exports.figment_draw_text(seed, BigInt(first + done), temperature, this.#exchange));
      result.milliseconds += performance.now() - begun;
      for (let sample = 0; sample < samples; ++sample) {
        if (kind === "picture") {
          this.#require(this.#exports.figment_read_picture(sample, this.#exchange));
          result.pictures.set(this.#bytes(this.#exchange, pictureBytes), (done + sample) * pictureBytes);
        } else {
          result.texts.push(this.#spell(this.#exchange + 4 * sample * textLength));
        }
      }
      for (let sample = 0; sample < samples; ++sample) {
        this.#exports.figment_read_latent(sample, this.#exchange);
        result.latents.set(this.#floats(this.#exchange, latentSize), (done + sample) * latentSize);
      }
    }
    return result;
  }

  /** Lays a session out for this many samples at once, unless there is one. */
  #prepare(batch) {
    if (batch === this.#batch) return;
    this.#samples = this.#require(this.#exports.figment_prepare(this.#arena.at, this.#arena.bytes, batch));
    this.#batch = batch;
  }

  #spell(symbols) {
    const letters = this.#exchange + 4 * this.#samples * this.#info.textLength;
    const length = this.#exports.figment_spell_text(symbols, letters, kLetters) >>> 0;
    if (length > kLetters) throw new FigmentError(`a text of ${length} bytes is longer than this page shows`);
    // Control characters become spaces, so that a text is one line.
    return new TextDecoder().decode(this.#bytes(letters, length)).replace(/[\x00-\x1f\x7f]/g, " ");
  }

  #require(result) {
    if (!result) throw new FigmentError(this.#string(this.#exports.figment_error()));
    return result;
  }

  #allocate(bytes) {
    const place = this.#exports.figment_allocate(bytes) >>> 0;
    if (place === 0) throw new FigmentError(`there is no room for ${bytes} bytes in the browser's memory`);
    return place;
  }

  // The memory may have grown and moved since the last time, so views are never kept.
  #bytes(at, length) { return new Uint8Array(this.#exports.memory.buffer, at, length); }
  #floats(at, length) { return new Float32Array(this.#exports.memory.buffer, at, length); }
  #string(at) {
    if (at === 0) return "";
    const rest = new Uint8Array(this.#exports.memory.buffer, at >>> 0);
    return new TextDecoder().decode(rest.subarray(0, rest.indexOf(0)));
  }
}
