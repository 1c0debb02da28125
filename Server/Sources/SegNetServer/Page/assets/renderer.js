// Composes photo, layers, the class shown alone and the divider into a canvas, at the screen's resolution.

const REVEAL_MILLISECONDS = 550;
const SCREEN_PIXELS = 4e6;
/** Photo pixels that are larger than this on the canvas are shown as squares. */
const SQUARE_PIXELS = 6;
const WHOLE = { x: 0, y: 0, width: 1, height: 1 };

export class Renderer {
  /** What is drawn; change, then call `draw`. */
  photo = null;
  layer = null;
  /** Outlines of the regions and stripes over doubtful ones, or null. */
  outlines = null;
  doubt = null;
  opacity = 0.6;
  /** The class shown alone: {layer, background}, or null. */
  alone = null;
  /** Share of the width, from the left, that shows the bare photo; null without comparison. */
  divider = null;
  /** The part of the picture that is seen, in shares. */
  seen = WHOLE;

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
    this.#canvas.width = Math.max(1, Math.round(width * ratio));
    this.#canvas.height = Math.max(1, Math.round(height * ratio));
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

  /** The whole picture as it is shown, on the context of another canvas: the bare photo left of `divider`. */
  drawWhole(context, width, height, divider) {
    this.#compose(context, { width, height, seen: WHOLE, left: Math.round(width * (divider ?? 0)), right: width });
  }

  #paint(now) {
    const { width, height } = this.#canvas;
    if (!this.photo) return this.#context.clearRect(0, 0, width, height);
    let right = width;
    if (this.#revealStart !== null) {
      const time = Math.min(1, Math.max(0, (now - this.#revealStart) / REVEAL_MILLISECONDS));
      right = width * (1 - (1 - time) ** 3);
      if (time < 1) this.draw();
      else this.#revealStart = null;
    }
    const left = this.divider === null ? 0 : Math.round(width * this.divider);
    this.#compose(this.#context, { width, height, seen: this.seen, left, right });
  }

  #compose(context, { width, height, seen, left, right }) {
    const place = [
      (-seen.x * width) / seen.width,
      (-seen.y * height) / seen.height,
      width / seen.width,
      height / seen.height,
    ];
    context.imageSmoothingQuality = "high";
    context.imageSmoothingEnabled = place[2] < SQUARE_PIXELS * this.photo.width;
    context.drawImage(this.photo, ...place);
    if (!this.layer || right <= left) return;
    context.save();
    context.beginPath();
    context.rect(left, 0, right - left, height);
    context.clip();
    if (this.alone) this.#composeAlone(context, width, height, place);
    else this.#composeLayers(context, place);
    context.restore();
  }

  #composeLayers(context, place) {
    context.globalAlpha = this.opacity;
    context.drawImage(this.layer, ...place);
    if (this.doubt) context.drawImage(this.doubt, ...place);
    context.globalAlpha = this.opacity * 0.8;
    if (this.outlines) context.drawImage(this.outlines, ...place);
    context.globalAlpha = 1;
  }

  #composeAlone(context, width, height, place) {
    for (const canvas of [this.#whole, this.#part]) {
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
    }
    const whole = this.#whole.getContext("2d");
    whole.drawImage(this.photo, ...place);
    this.#composeLayers(whole, place);

    const part = this.#part.getContext("2d");
    part.globalCompositeOperation = "copy";
    part.drawImage(this.alone.layer, ...place);
    part.globalCompositeOperation = "source-in";
    part.drawImage(this.#whole, 0, 0);

    context.drawImage(this.alone.background, ...place);
    context.drawImage(this.#part, 0, 0);
  }
}
