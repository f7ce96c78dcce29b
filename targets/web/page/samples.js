// The samples of a seed: a grid of tiles, drawn some at a time; choosing one tells the page.
import {latest} from "./engine.js";
import {paint, save} from "./paint.js";

// Gap between the pictures of a saved grid, as in the command line's.
const kGap = 2;

export class Samples {
  #root;
  #engine;
  #onChoose;
  #info;
  #latents = []; // of each tile, once it is drawn
  #request;

  constructor(root, engine, onChoose) {
    this.#root = root;
    this.#engine = engine;
    this.#onChoose = onChoose;
    root.addEventListener("click", ({target}) => {
      const tile = target.closest(".tile");
      if (tile) this.choose(this.#tiles.indexOf(tile));
    });
    root.addEventListener("keydown", (event) => this.#onKey(event));
  }

  get count() { return this.#tiles.length; }
  get #tiles() { return [...this.#root.children]; }
  get #columns() { return getComputedStyle(this.#root).gridTemplateColumns.split(" ").length; }

  /** Makes empty tiles for a model. */
  layOut(info) {
    this.#info = info;
    const text = info.kind === "text";
    const columns = text ? 8 : info.width <= 40 ? 8 : info.width <= 96 ? 6 : info.width <= 256 ? 4 : 2;
    this.#root.classList.toggle("words", text);
    this.#root.style.setProperty("--columns", columns);
    this.#latents = [];
    this.#root.replaceChildren(...Array.from({length: columns * columns}, (_, index) => {
      const tile = document.createElement("button");
      tile.className = "tile";
      tile.tabIndex = index === 0 ? 0 : -1;
      tile.setAttribute("aria-label", `Sample ${index}`);
      if (!text) {
        const canvas = document.createElement("canvas");
        canvas.width = info.width;
        canvas.height = info.height;
        tile.append(canvas);
      }
      return tile;
    }));
  }

  /** Draws all tiles; a call while one is under way lets the older one go. */
  draw(request) {
    this.#request = request;
    return this.#draw(request);
  }

  #draw = latest(async (request) => {
    const info = this.#info;
    const tiles = this.#tiles;
    for (let first = 0; first < tiles.length; first += info.mostAtOnce) {
      const count = Math.min(info.mostAtOnce, tiles.length - first);
      const drawn = await this.#engine.draw({...request, first, count});
      if (!drawn || request !== this.#request) return;
      for (let sample = 0; sample < count; ++sample) {
        paint(tiles[first + sample], info, drawn, sample);
        const {latentSize} = info;
        this.#latents[first + sample] = drawn.latents.slice(sample * latentSize, (sample + 1) * latentSize);
      }
    }
    this.#root.dispatchEvent(new Event("drawn"));
  });

  /** Chooses a tile that has been drawn. */
  choose(index) {
    const latent = this.#latents[index];
    if (!latent) return;
    this.#tiles.forEach((tile, other) => {
      tile.setAttribute("aria-pressed", other === index);
      tile.tabIndex = other === index ? 0 : -1;
    });
    this.#onChoose({index, latent});
  }

  #onKey(event) {
    const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.#columns, ArrowDown: this.#columns}[event.key];
    const to = this.#tiles.indexOf(document.activeElement) + step;
    if (!step || to < 0 || to >= this.count) return;
    event.preventDefault();
    this.#tiles[to].focus();
    this.choose(to);
  }

  /** Saves the grid: the picture that `figment sample` writes, or the texts, one a line. */
  save(name) {
    if (this.#info.kind === "text") {
      save(new Blob([this.#tiles.map((tile) => tile.textContent + "\n").join("")], {type: "text/plain"}), `${name}.txt`);
      return;
    }
    const {width, height} = this.#info;
    const side = Math.sqrt(this.count);
    const grid = new OffscreenCanvas(side * (width + kGap) - kGap, side * (height + kGap) - kGap);
    const pen = grid.getContext("2d");
    pen.fillRect(0, 0, grid.width, grid.height);
    this.#tiles.forEach((tile, index) => {
      pen.drawImage(tile.firstChild, (index % side) * (width + kGap), Math.floor(index / side) * (height + kGap));
    });
    grid.convertToBlob().then((blob) => save(blob, `${name}.png`));
  }
}
