// Which part of the picture is seen: by wheel, pinch, drag, keys and buttons. At scale 1 it is all there, as large as its place
// allows; enlarged, it fills its place first and moves beneath it then.

const KEY_STEP = 1.5;
const WHEEL_STEP = 1.0018;
/** CSS pixels for one pixel of the photo at the greatest scale. */
const LARGEST_PIXEL = 24;
const LEAST_LARGEST_SCALE = 8;

export class Zoom {
  scale = 1;
  /** The left and upper edge of what is seen, as shares of the picture. */
  x = 0;
  y = 0;
  /** Sizes in CSS pixels: the whole picture at scale 1, its place, and the photo's own pixels. */
  #fitted = { width: 1, height: 1 };
  #room = { width: 1, height: 1 };
  #largest = LEAST_LARGEST_SCALE;
  #changed;
  #fingers = new Map();

  /** @param {HTMLCanvasElement} canvas @param {() => void} changed Called when another part is seen. */
  constructor(canvas, changed) {
    this.#changed = changed;
    canvas.addEventListener("wheel", (event) => this.#wheel(event, canvas), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.#down(event, canvas));
    canvas.addEventListener("pointermove", (event) => this.#move(event, canvas));
    for (const kind of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(kind, (event) => this.#fingers.delete(event.pointerId));
    }
    // Two fingers are for the picture; one scrolls the page until it is enlarged.
    canvas.addEventListener("touchstart", (event) => event.touches.length > 1 && event.preventDefault(), { passive: false });
  }

  /** The size of the visible canvas in CSS pixels. */
  get size() {
    return {
      width: Math.max(1, Math.floor(Math.min(this.#room.width, this.#fitted.width * this.scale))),
      height: Math.max(1, Math.floor(Math.min(this.#room.height, this.#fitted.height * this.scale))),
    };
  }

  /** The shares of the picture that are seen. */
  get seen() {
    const { width, height } = this.size;
    return {
      x: this.x,
      y: this.y,
      width: Math.min(1, width / (this.#fitted.width * this.scale)),
      height: Math.min(1, height / (this.#fitted.height * this.scale)),
    };
  }

  /** Shares of the canvas as shares of the picture. */
  toPicture(x, y) {
    const { width, height } = this.seen;
    return { x: this.x + x * width, y: this.y + y * height };
  }

  /** Shares of the picture as shares of the canvas. */
  toCanvas(x, y) {
    const { width, height } = this.seen;
    return { x: (x - this.x) / width, y: (y - this.y) / height };
  }

  /** A new place, or a new photo: what is seen stays, as far as it can. */
  fit(fitted, room, photo) {
    this.#fitted = fitted;
    this.#room = room;
    this.#largest = Math.max(LEAST_LARGEST_SCALE, (LARGEST_PIXEL * photo.width) / fitted.width);
    this.scale = Math.min(this.scale, this.#largest);
    this.#keepInside();
  }

  reset() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
  }

  /** @param {number} factor @param {{x: number, y: number}} at The place of the canvas, in shares, that stays where it is. */
  by(factor, at = { x: 0.5, y: 0.5 }) {
    const fixed = this.toPicture(at.x, at.y);
    this.scale = Math.min(Math.max(this.scale * factor, 1), this.#largest);
    const { width, height } = this.seen;
    this.x = fixed.x - at.x * width;
    this.y = fixed.y - at.y * height;
    this.#keepInside();
    this.#changed();
  }

  in() {
    this.by(KEY_STEP);
  }

  out() {
    this.by(1 / KEY_STEP);
  }

  whole() {
    this.reset();
    this.#changed();
  }

  /** Moves so that a place of the picture, in shares, is seen. */
  reveal(x, y) {
    const { width, height } = this.seen;
    if (x < this.x || x > this.x + width) this.x = x - width / 2;
    if (y < this.y || y > this.y + height) this.y = y - height / 2;
    this.#keepInside();
    this.#changed();
  }

  #keepInside() {
    const { width, height } = this.seen;
    this.x = Math.min(Math.max(this.x, 0), 1 - width);
    this.y = Math.min(Math.max(this.y, 0), 1 - height);
  }

  #wheel(event, canvas) {
    // Where the page itself can be scrolled, the wheel is the page's, unless the pinch of a trackpad sends it.
    const { scrollHeight, clientHeight } = document.scrollingElement;
    if (!event.ctrlKey && scrollHeight > clientHeight + 1) return;
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    const pixels = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    const at = { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
    this.by(WHEEL_STEP ** (-pixels * (event.ctrlKey ? 4 : 1)), at);
  }

  #down(event, canvas) {
    this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.scale > 1 || this.#fingers.size > 1) canvas.setPointerCapture(event.pointerId);
  }

  #move(event, canvas) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const box = canvas.getBoundingClientRect();
    const other = [...this.#fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.#fingers.set(event.pointerId, now);
    if (other) {
      const distance = (finger) => Math.hypot(finger.x - other.x, finger.y - other.y) || 1;
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      this.#shift((now.x - before.x) / 2 / box.width, (now.y - before.y) / 2 / box.height);
      this.by(distance(now) / distance(before), {
        x: (middle.x - box.left) / box.width,
        y: (middle.y - box.top) / box.height,
      });
    } else if (this.scale > 1) {
      this.#shift((now.x - before.x) / box.width, (now.y - before.y) / box.height);
      this.#changed();
    }
  }

  /** Drags the picture by shares of the canvas. */
  #shift(x, y) {
    const { width, height } = this.seen;
    this.x -= x * width;
    this.y -= y * height;
    this.#keepInside();
  }
}
