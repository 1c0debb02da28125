// Composes photo, layer, the class shown alone and the divider into the visible canvas, at the screen's resolution.

const REVEAL_MILLISECONDS = 550;
const SCREEN_PIXELS = 4e6;

export class Renderer {
  /** What is drawn; change, then call `draw`. */
  photo = null;
  layer = null;
  opacity = 0.6;
  /** The class shown alone: {layer, background}, or null. */
  alone = null;
  /** Share of the width, from the left, that shows the bare photo; null without comparison. */
  divider = null;

  #canvas;
  #context;
  #frame = 0;
  #size = "";
  #revealStart = null;
  #whole = document.createElement("canvas");
  #part = document.createElement("canvas");

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
  }

  /** Sets the size in CSS pixels. */
  resize(width, height) {
    const size = `${width} ${height} ${window.devicePixelRatio}`;
    if (size === this.#size) return this.draw();
    this.#size = size;
    const wanted = Math.min(window.devicePixelRatio || 1, 3);
    const ratio = Math.min(wanted, Math.sqrt(SCREEN_PIXELS / (width * height)));
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    for (const canvas of [this.#canvas, this.#whole, this.#part]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
    cancelAnimationFrame(this.#frame);
    this.#paint(performance.now());
  }

  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame((now) => this.#paint(now));
  }

  /** Lets the layer sweep in from the left. */
  reveal() {
    this.#revealStart = matchMedia("(prefers-reduced-motion: reduce)").matches ? null : performance.now();
    this.draw();
  }

  #paint(now) {
    const context = this.#context;
    const { width, height } = this.#canvas;
    if (!this.photo) return context.clearRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.photo, 0, 0, width, height);
    if (!this.layer) return;

    let right = width;
    if (this.#revealStart !== null) {
      const time = Math.min(1, Math.max(0, (now - this.#revealStart) / REVEAL_MILLISECONDS));
      right = width * (1 - (1 - time) ** 3);
      if (time < 1) this.draw();
      else this.#revealStart = null;
    }
    const left = this.divider === null ? 0 : Math.round(width * this.divider);
    if (right <= left) return;
    context.save();
    context.beginPath();
    context.rect(left, 0, right - left, height);
    context.clip();
    if (this.alone) this.#paintAlone(context, width, height);
    else this.#paintLayer(context, width, height);
    context.restore();
  }

  #paintLayer(context, width, height) {
    context.globalAlpha = this.opacity;
    context.drawImage(this.layer, 0, 0, width, height);
    context.globalAlpha = 1;
  }

  #paintAlone(context, width, height) {
    const whole = this.#whole.getContext("2d");
    whole.drawImage(this.photo, 0, 0, width, height);
    this.#paintLayer(whole, width, height);

    const part = this.#part.getContext("2d");
    part.globalCompositeOperation = "copy";
    part.drawImage(this.alone.layer, 0, 0, width, height);
    part.globalCompositeOperation = "source-in";
    part.drawImage(this.#whole, 0, 0);

    context.drawImage(this.alone.background, 0, 0, width, height);
    context.drawImage(this.#part, 0, 0);
  }
}
