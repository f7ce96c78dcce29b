// A walk through the latents, from one seed's first sample to another's, and on.
import {latest} from "./engine.js";
import {lerp, slerp} from "./latents.js";
import {paintSheet} from "./paint.js";
import {randomSeed, readSeed} from "./seed.js";

const kLegMilliseconds = 2600;

export class Walk {
  #root;
  #engine;
  #explore;
  #info;
  #ends; // the latents of both seeds
  #playing = false;

  constructor(root, engine, explore) {
    this.#root = root;
    this.#engine = engine;
    this.#explore = explore;
    for (const field of this.#seeds) field.addEventListener("input", () => this.#draw());
    this.#slider.addEventListener("input", () => {
      this.stop();
      this.#show(Number(this.#slider.value));
    });
    this.#slider.addEventListener("change", () => this.#settle());
    this.#button.addEventListener("click", () => (this.#playing ? this.stop() : this.#play()));
  }

  get #seeds() { return [...this.#root.querySelectorAll(".seed")]; }
  get #slider() { return this.#root.querySelector("input[type=range]"); }
  get #button() { return this.#root.querySelector(".play"); }
  get #between() { return this.#info.uniform ? lerp : slerp; }

  layOut(info) {
    this.stop();
    this.#info = info;
    this.#ends = null;
    this.#slider.value = 0;
    this.#root.hidden = info.latentSize === 0;
    this.#root.classList.toggle("words", info.kind === "text");
    return info.latentSize > 0 ? this.#draw() : undefined;
  }

  // The latents of the two seeds, and the strip of steps between them.
  #draw = latest(async () => {
    const info = this.#info;
    const seeds = this.#seeds.map(readSeed);
    if (seeds.includes(null)) return;
    const firsts = [await this.#engine.draw({seed: seeds[0]}), await this.#engine.draw({seed: seeds[1]})];
    if (firsts.includes(null)) return;
    const ends = firsts.map(({latents}) => latents);
    const strip = this.#root.querySelector(".strip");
    // As many as leave room for a word, or fill the half of the page.
    const steps = info.kind === "text" ? (strip.clientWidth < 420 ? 3 : 5) : info.latentSize === 2 ? 7 : 9;
    const latents = new Float32Array(steps * info.latentSize);
    for (let step = 0; step < steps; ++step)
      latents.set(this.#between(...ends, step / (steps - 1)), step * info.latentSize);
    const drawn = await this.#engine.decode({latents, temperature: 0});
    if (!drawn) return;
    this.#ends = ends;
    paintSheet(strip, info, drawn, steps);
  });

  #show(part) {
    if (this.#ends) this.#explore.goTo(this.#between(...this.#ends, part), {walking: true});
  }

  // Where the walk rests, the plane is drawn again.
  #settle() {
    if (this.#ends) this.#explore.goTo(this.#explore.latent);
  }

  #play() {
    if (!this.#ends) return;
    this.#playing = true;
    this.#button.setAttribute("aria-pressed", "true");
    let part = Number(this.#slider.value);
    if (part >= 1) part = 0;
    let before = performance.now();
    const step = async (now) => {
      if (!this.#playing) return;
      part += (now - before) / kLegMilliseconds;
      before = now;
      if (part >= 1) {
        // On from here to a seed that nobody has chosen.
        const [from, to] = this.#seeds;
        [from.value, to.value] = [to.value, randomSeed()];
        part = 0;
        await this.#draw();
        before = performance.now();
      }
      if (!this.#playing) return;
      this.#slider.value = part;
      this.#show(part * part * (3 - 2 * part)); // starts and ends slowly
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  stop() {
    if (!this.#playing) return;
    this.#playing = false;
    this.#button.setAttribute("aria-pressed", "false");
    this.#settle();
  }
}
