// Names of classes on the picture, each in the middle of its largest region that is seen.
import { className } from "./format.js";
import { element, make } from "./page.js";
import { labelPlaces } from "./regions.js";

/** After the divider has come to rest, names look for a new place. */
const REST_MILLISECONDS = 120;

export class Names {
  #box = element("names");
  #button = element("names-toggle");
  #segmentation = null;
  #classes = new Map();
  #places = [];
  /** The share of the canvas, from the left, that shows the bare photo. */
  #hidden = 0;
  #timer = 0;
  #zoom;

  /** @param {import("./zoom.js").Zoom} zoom */
  constructor(zoom) {
    this.#zoom = zoom;
    this.#button.addEventListener("click", () => {
      this.#box.hidden = !this.#box.hidden;
      this.#button.setAttribute("aria-pressed", String(!this.#box.hidden));
    });
  }

  /** @param {import("./segmentation.js").Segmentation | null} segmentation null: none. */
  show(segmentation) {
    this.#segmentation = segmentation;
    this.#classes = new Map(segmentation?.answer.classes.map((entry) => [entry.id, entry]));
    this.#find();
  }

  /** The bare photo has come to cover this share of the canvas. */
  hideLeft(share) {
    this.#hidden = share;
    this.place();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#find(), REST_MILLISECONDS);
  }

  #find() {
    const from = this.#zoom.toPicture(this.#hidden, 0).x;
    const places = this.#segmentation ? labelPlaces(this.#segmentation.ids, from) : [];
    this.#places = places.filter(({ id }) => this.#classes.has(id));
    this.#box.replaceChildren(
      ...this.#places.map(({ id }) => make("span", { className: "name-tag", text: className(this.#classes.get(id).name) })),
    );
    this.place();
  }

  /** Puts them where their regions are now. */
  place() {
    this.#places.forEach(({ x, y }, index) => {
      const at = this.#zoom.toCanvas(x, y);
      const tag = this.#box.children[index];
      const half = tag.offsetWidth / 2 / this.#box.clientWidth || 0;
      tag.style.left = `${Math.min(Math.max(at.x, half), 1 - half) * 100}%`;
      tag.style.top = `${at.y * 100}%`;
      tag.hidden = at.x < this.#hidden || at.x < 0 || at.x > 1 || at.y < 0 || at.y > 1;
    });
  }

  /** Whether names have a place at all: not over heat, nor where a class is shown alone. */
  allow(isAllowed) {
    this.#box.classList.toggle("not-now", !isAllowed);
  }

  /** Whether the button that switches them is of use. */
  offer(isOffered) {
    this.#button.hidden = !isOffered;
  }
}
