// Names the pixel under the pointer or the keyboard's cursor.
import { className } from "./format.js";
import { element } from "./page.js";

const STEPS_ACROSS = 48;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Inspector {
  #canvas = element("picture");
  #readout = element("readout");
  #crosshair = element("crosshair");
  #segmentation = null;
  #classes = new Map();
  #cursor = null;
  #speech = 0;
  #zoom;
  #actions;

  /**
   * @param {import("./zoom.js").Zoom} zoom Which part of the picture is seen.
   * @param {{point: (id: number | null) => void, choose: (id: number) => void}} actions `point` tells the class under the
   *   pointer, `choose` the one that was pressed.
   */
  constructor(zoom, actions) {
    this.#zoom = zoom;
    this.#actions = actions;
    const canvas = this.#canvas;
    canvas.addEventListener("pointermove", (event) => this.#pointer(event));
    canvas.addEventListener("pointerdown", (event) => this.#pointer(event));
    canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.#hide());
    canvas.addEventListener("dblclick", () => this.#chooseAtCursor());
    canvas.addEventListener("blur", () => this.#hide());
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {import("./segmentation.js").Segmentation | null} segmentation @param {object[]} classes In the colours shown. */
  show(segmentation, classes = []) {
    const sameSize =
      segmentation && this.#segmentation && segmentation.ids.values.length === this.#segmentation.ids.values.length;
    this.#segmentation = segmentation;
    this.#classes = new Map(classes.map((entry) => [entry.id, entry]));
    if (sameSize && this.#cursor && !this.#readout.hidden) this.#update();
    else this.#hide();
  }

  /** The class and probabilities at a place, given as shares of width and height. */
  at(horizontal, vertical) {
    const { ids, confidence, uncertainty } = this.#segmentation;
    const index = ({ width, height }) =>
      Math.min(height - 1, Math.floor(vertical * height)) * width + Math.min(width - 1, Math.floor(horizontal * width));
    const id = ids.values[index(ids)];
    return {
      id,
      entry: this.#classes.get(id),
      confidence: confidence && confidence.values[index(confidence)] / 255,
      uncertainty: uncertainty && uncertainty.values[index(uncertainty)] / 255,
    };
  }

  #pointer(event) {
    if (!this.#segmentation) return;
    const box = this.#canvas.getBoundingClientRect();
    const clamp = (value) => Math.min(Math.max(value, 0), 1 - 1e-6);
    const { x, y } = this.#zoom.toPicture(
      clamp((event.clientX - box.left) / box.width),
      clamp((event.clientY - box.top) / box.height),
    );
    this.#cursor = { x: clamp(x), y: clamp(y) };
    this.#crosshair.hidden = true;
    this.#update(event.pointerType === "touch" ? 56 : 20);
  }

  #update(distance = 20) {
    const { x, y } = this.#cursor;
    const { id, entry, confidence, uncertainty } = this.at(x, y);
    const name = entry ? className(entry.name) : `class ${id}`;
    const values = [];
    if (confidence !== undefined) values.push(`${Math.round(confidence * 100)} %`);
    if (uncertainty !== undefined) values.push(`uncertainty ${Math.round(uncertainty * 100)} %`);
    this.#readout.hidden = false;
    this.#readout.querySelector(".swatch").style.backgroundColor = entry?.color ?? "#000";
    this.#readout.querySelector(".readout-name").textContent = name;
    this.#readout.querySelector(".readout-value").textContent = values.join(", ");
    this.#place(distance);
    this.#actions.point(id);
    return { name, values };
  }

  /** Beside the cursor, inside the picture. */
  #place(distance) {
    const box = { width: this.#canvas.clientWidth, height: this.#canvas.clientHeight };
    const size = { width: this.#readout.offsetWidth, height: this.#readout.offsetHeight };
    const at = this.#zoom.toCanvas(this.#cursor.x, this.#cursor.y);
    const x = at.x * box.width;
    const y = at.y * box.height;
    const left = Math.min(Math.max(x - size.width / 2, 4), Math.max(4, box.width - size.width - 4));
    const above = y - distance - size.height;
    this.#readout.style.transform = `translate(${left}px, ${above >= 4 ? above : y + distance}px)`;
    this.#crosshair.style.transform = `translate(${x}px, ${y}px)`;
  }

  /** After another part of the picture came into sight. */
  follow() {
    if (this.#cursor && !this.#readout.hidden) this.#place(20);
  }

  #hide() {
    this.#readout.hidden = true;
    this.#crosshair.hidden = true;
    this.#actions.point(null);
  }

  #chooseAtCursor() {
    if (this.#segmentation && this.#cursor) this.#actions.choose(this.at(this.#cursor.x, this.#cursor.y).id);
  }

  #key(event) {
    if (!this.#segmentation || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return this.#chooseAtCursor();
    }
    const direction = ARROWS[event.key];
    if (!direction) return;
    event.preventDefault();
    const { width, height } = this.#segmentation.ids;
    const step = event.shiftKey ? 1 : Math.max(1, Math.round(width / STEPS_ACROSS));
    const from = this.#cursor ?? { x: 0.5, y: 0.5 };
    const move = (share, size, by) => (Math.min(Math.max(Math.floor(share * size) + by, 0), size - 1) + 0.5) / size;
    this.#cursor = { x: move(from.x, width, direction[0] * step), y: move(from.y, height, direction[1] * step) };
    this.#crosshair.hidden = false;
    this.#zoom.reveal(this.#cursor.x, this.#cursor.y);
    const { name, values } = this.#update();
    clearTimeout(this.#speech);
    this.#speech = setTimeout(() => {
      element("cursor-status").textContent = [name, ...values].join(", ");
    }, 150);
  }
}
