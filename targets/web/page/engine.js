// The page's side of worker.js: every verb is a promise; and how many samples a second come out.
import {FigmentError} from "./figment.js";

// The rate is that of the last so many milliseconds of computing.
const kRateWindow = 500;

/** Says "rate" when there is a new rate, and "busy" when work begins and when all of it is done. */
export class Engine extends EventTarget {
  #worker = new Worker(new URL("worker.js", import.meta.url), {type: "module"});
  #waiting = new Map(); // id -> {resolve, reject}
  #last = 0; // id
  #models = 0; // how many were opened
  #runs = []; // {samples, milliseconds}, the newest last

  constructor() {
    super();
    this.#worker.addEventListener("message", ({data: {id, result, error}}) => {
      const {resolve, reject} = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new FigmentError(error));
      // What waits for the answer has its turn first, and may have something else to do.
      setTimeout(() => this.dispatchEvent(new Event("busy")));
    });
  }

  get busy() { return this.#waiting.size > 0; }

  /** Samples per second in the model alone; 0 when nothing was computed yet. */
  get rate() {
    const milliseconds = total(this.#runs, "milliseconds");
    return milliseconds > 0 ? (1000 * total(this.#runs, "samples")) / milliseconds : 0;
  }

  async open(bytes) {
    const info = await this.#ask("open", {bytes});
    ++this.#models;
    this.#runs = [];
    return info;
  }

  /** As in figment.js; null when another model was opened meanwhile, for then nobody wants it any more. */
  draw(request) { return this.#compute("draw", request); }
  decode(request) { return this.#compute("decode", request); }
  check() { return this.#ask("check"); }

  async #compute(verb, request) {
    const model = this.#models;
    let result;
    try {
      result = await this.#ask(verb, request);
    } catch (error) {
      if (model !== this.#models) return null;
      throw error;
    }
    if (model !== this.#models) return null;
    this.#runs.push({samples: result.samples, milliseconds: result.milliseconds});
    while (this.#runs.length > 1 && total(this.#runs, "milliseconds") - this.#runs[0].milliseconds > kRateWindow)
      this.#runs.shift();
    this.dispatchEvent(new Event("rate"));
    return result;
  }

  #ask(verb, request) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, {resolve, reject});
      this.#worker.postMessage({id, verb, request});
      this.dispatchEvent(new Event("busy"));
    });
  }
}

function total(runs, what) { return runs.reduce((sum, run) => sum + run[what], 0); }

/**
 * Wraps an asynchronous function so that it never runs twice at once: of the calls that come while it runs, only the
 * last is done afterwards.
 */
export function latest(work) {
  let running = false;
  let next = null;
  return async (...parameters) => {
    next = parameters;
    if (running) return;
    running = true;
    try {
      while (next) {
        const now = next;
        next = null;
        // What failed is of no interest any more when a newer call waits.
        await work(...now).catch((error) => { if (!next) throw error; });
      }
    } finally {
      running = false;
    }
  };
}
