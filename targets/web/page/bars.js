// A latent as a row of bars, one a number; dragging over them, or the arrow keys, changes it.
export class Bars {
  #canvas;
  #onChange;
  #latent = new Float32Array(0);
  #bounds = [-1, 1];
  #chosen = 0;

  constructor(canvas, onChange) {
    this.#canvas = canvas;
    this.#onChange = onChange;
    const follow = (event) => {
      const box = canvas.getBoundingClientRect();
      const index = Math.floor(((event.clientX - box.left) / box.width) * this.#latent.length);
      const [low, high] = this.#bounds;
      this.#change(index, high - ((event.clientY - box.top) / box.height) * (high - low));
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      follow(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) follow(event);
    });
    canvas.addEventListener("keydown", (event) => {
      const across = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      const up = {ArrowUp: 0.1, ArrowDown: -0.1}[event.key];
      if (!across && !up) return;
      event.preventDefault();
      const index = this.#chosen + (across ?? 0);
      if (index >= 0 && index < this.#latent.length) this.#change(index, this.#latent[index] + (up ?? 0));
    });
    canvas.addEventListener("focus", () => this.#paint());
    canvas.addEventListener("blur", () => this.#paint());
    new ResizeObserver(() => this.#paint()).observe(canvas);
  }

  /** What a number may be. */
  layOut(bounds) {
    this.#bounds = bounds;
    this.#chosen = 0;
    [this.#canvas.ariaValueMin, this.#canvas.ariaValueMax] = bounds.map(String);
  }

  show(latent) {
    this.#latent = latent;
    this.#paint();
  }

  #change(index, value) {
    if (!(index >= 0 && index < this.#latent.length)) return;
    const [low, high] = this.#bounds;
    const latent = this.#latent.slice();
    latent[index] = Math.min(high, Math.max(low, value));
    this.#chosen = index;
    this.#onChange(latent);
  }

  #paint() {
    const canvas = this.#canvas;
    const count = this.#latent.length;
    if (count === 0 || canvas.clientWidth === 0) return;
    const scale = devicePixelRatio;
    canvas.width = canvas.clientWidth * scale;
    canvas.height = canvas.clientHeight * scale;
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const [low, high] = this.#bounds;
    const height = (value) => ((high - Math.min(high, Math.max(low, value))) / (high - low)) * canvas.height;
    const middle = height(Math.min(high, Math.max(low, 0)));
    const step = canvas.width / count;
    const gap = Math.min(3 * scale, step * 0.3);
    this.#latent.forEach((value, index) => {
      const top = Math.min(height(value), middle - scale / 2);
      const bottom = Math.max(height(value), middle + scale / 2);
      pen.globalAlpha = 0.35 + 0.65 * Math.min(1, Math.abs(value) / 2);
      pen.fillStyle = style.color;
      pen.beginPath();
      pen.roundRect(index * step + gap / 2, top, step - gap, bottom - top, Math.min(2 * scale, step / 3));
      pen.fill();
    });
    const value = this.#latent[this.#chosen];
    canvas.ariaValueNow = value.toFixed(2);
    canvas.ariaValueText = `number ${this.#chosen + 1} of ${count}: ${value.toFixed(2)}`;
    if (document.activeElement !== canvas || !canvas.matches(":focus-visible")) return;
    pen.globalAlpha = 1;
    pen.fillRect((this.#chosen + 0.5) * step - 3 * scale, canvas.height - 3 * scale, 6 * scale, 3 * scale);
  }
}
