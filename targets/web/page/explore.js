// Explores the latents around one sample: a plane of them as a pad and two sliders, and every number as a bar.
import {latest} from "./engine.js";
import {directions, onPlane} from "./latents.js";
import {paint, paintSheet} from "./paint.js";
import {Bars} from "./bars.js";

// A plane that can be drawn in so many milliseconds follows while a walk goes on.
const kQuick = 12;

export class Explore {
  #root;
  #engine;
  #info;
  #bars;
  #base; // the latent in the middle of the plane
  #directions;
  #turns = 0; // how often the directions were drawn anew
  #place = [0, 0]; // on the plane, along both directions
  #range; // from -range to range on both; [low, high]
  #text = {seed: 0n, first: 0, temperature: 1};

  constructor(root, engine) {
    this.#root = root;
    this.#engine = engine;
    this.#bars = new Bars(this.#find(".bars canvas"), (latent) => this.goTo(latent));
    this.#sliders.forEach((slider, axis) => {
      slider.addEventListener("input", () => {
        this.#place[axis] = Number(slider.value);
        this.#moved();
      });
    });
    this.#find(".turn").addEventListener("click", () => {
      this.#directions = directions(this.#info.latentSize, ++this.#turns);
      this.goTo(this.latent);
    });
    const pad = this.#find(".pad");
    const follow = (event) => {
      const box = pad.getBoundingClientRect();
      this.#moveTo((event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height);
    };
    // Whoever takes hold of the latent ends a walk.
    for (const kind of ["pointerdown", "keydown", "input"])
      root.addEventListener(kind, () => root.dispatchEvent(new Event("taken")), {capture: true});
    pad.addEventListener("pointerdown", (event) => {
      pad.setPointerCapture(event.pointerId);
      follow(event);
    });
    pad.addEventListener("pointermove", (event) => {
      if (pad.hasPointerCapture(event.pointerId)) follow(event);
    });
    pad.addEventListener("keydown", (event) => {
      const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key];
      if (!step) return;
      event.preventDefault();
      const [x, y] = this.#fractions;
      this.#moveTo(x + step[0] / 60, y + step[1] / 60);
    });
  }

  get #sliders() { return [...this.#root.querySelectorAll(".axes input")]; }
  #find(selector) { return this.#root.querySelector(selector); }

  /** The latent that is shown. */
  get latent() { return onPlane(this.#base, this.#directions, ...this.#place); }
  get #flat() { return this.#info.latentSize === 2; } // the plane is all there is
  get #fractions() {
    const [low, high] = this.#range;
    return this.#place.map((value) => (value - low) / (high - low));
  }

  /** Starts anew with a model, in the middle of its latents. */
  layOut(info) {
    this.#info = info;
    const {latentSize, uniform, low, high} = info;
    this.#root.hidden = latentSize === 0;
    if (latentSize === 0) return;
    const reach = uniform ? (high - low) / 2 : this.#flat ? 3 : Math.max(2.5, Math.sqrt(latentSize) / 2);
    this.#range = uniform && this.#flat ? [low, high] : [-reach, reach];
    this.#directions = directions(latentSize, this.#turns);
    this.#root.classList.toggle("flat", this.#flat);
    this.#root.classList.toggle("words", info.kind === "text");
    this.#bars.layOut(uniform ? [low, high] : [-3.5, 3.5]);
    const names = this.#flat ? ["z₁", "z₂"] : ["along", "across"];
    this.#sliders.forEach((slider, axis) => {
      [slider.min, slider.max] = this.#range;
      slider.parentElement.querySelector("span").textContent = names[axis];
      slider.parentElement.hidden = axis >= latentSize;
    });
    if (info.kind === "picture") Object.assign(this.#find(".view canvas"), {width: info.width, height: info.height});
    else this.#find(".view").textContent = "";
    this.#base = new Float32Array(latentSize);
    this.#place = [0, 0];
    if (this.#flat) this.#drawPlane();
  }

  /** How texts are drawn here: as the sample that was chosen. */
  set text(text) {
    this.#text = text;
    if (this.#base && this.#info.kind === "text") this.#moved();
  }

  /** Shows a latent; on a plane of more than two numbers it becomes the middle. */
  goTo(latent, {walking = false} = {}) {
    if (this.#flat) {
      this.#place = [...latent];
    } else {
      this.#base = latent;
      this.#place = [0, 0];
      const {width: columns, height: rows} = this.#sheet;
      const quick = (1000 * columns * rows) / this.#engine.rate < kQuick;
      this.#find(".pad").classList.toggle("stale", walking && !quick);
      if (!walking || quick) this.#drawPlane();
    }
    this.#moved(walking);
  }

  #moveTo(x, y) {
    const [low, high] = this.#range;
    this.#place = [x, y].map((part) => low + Math.min(1, Math.max(0, part)) * (high - low));
    this.#moved();
  }

  #moved(walking = false) {
    this.#sliders.forEach((slider, axis) => {
      slider.value = this.#place[axis];
      slider.nextElementSibling.textContent = this.#place[axis].toFixed(2);
    });
    const [x, y] = this.#fractions.map((part) => Math.min(1, Math.max(0, part)));
    Object.assign(this.#find(".marker").style, {left: `${100 * x}%`, top: `${100 * (1 - y)}%`});
    if (!this.#flat) this.#bars.show(this.latent);
    // Texts on the way are the likeliest ones, or chance would make them jump.
    this.#drawView(this.latent, walking ? {...this.#text, temperature: 0} : this.#text);
  }

  #drawView = latest(async (latent, text) => {
    const info = this.#info;
    const drawn = await this.#engine.decode({latents: latent, ...text});
    if (drawn) paint(this.#find(".view"), info, drawn, 0);
  });

  // How many samples the plane shows; fewer where they take long.
  get #sheet() {
    if (this.#info.kind === "text") return {width: 4, height: 9};
    const inHalfASecond = this.#engine.rate > 0 ? Math.floor(Math.sqrt(this.#engine.rate / 2)) : Infinity;
    const side = Math.max(3, Math.min(this.#flat ? 15 : 9, inHalfASecond));
    const odd = side - (1 - (side % 2)); // so that the middle is a sample
    return {width: odd, height: odd};
  }

  #drawPlane = latest(async () => {
    const info = this.#info;
    const {width: columns, height: rows} = this.#sheet;
    const [low, high] = this.#range;
    const at = (index, count) => low + ((index + 0.5) / count) * (high - low);
    const latents = new Float32Array(columns * rows * info.latentSize);
    for (let row = 0; row < rows; ++row)
      for (let column = 0; column < columns; ++column)
        latents.set(onPlane(this.#base, this.#directions, at(column, columns), at(rows - 1 - row, rows)),
                    (row * columns + column) * info.latentSize);
    const drawn = await this.#engine.decode({latents, ...this.#text, temperature: 0});
    if (drawn) paintSheet(this.#find(".pad canvas"), info, drawn, columns);
  });
}
