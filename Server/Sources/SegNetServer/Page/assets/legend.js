// The classes with their shares. Pointing at one, or moving the focus to it, shows it alone; pressing keeps it so.
import { className, percent } from "./format.js";
import { element, make } from "./page.js";

/** A legend that is sorted again with each frame of the camera could not be read. */
const CALM_MILLISECONDS = 1000;

export class Legend {
  #list = element("legend");
  #rows = new Map();
  #pinned = null;
  #pointed = null;
  #sortedAt = 0;
  #show;
  /** Called with a class that is kept alone. */
  pinned = () => {};

  /** @param {(id: number | null) => void} show Called with the class to show alone. */
  constructor(show) {
    this.#show = show;
    this.#list.addEventListener("pointerleave", () => this.#point(null));
    element("show-all").addEventListener("click", () => {
      this.reset();
      element("picture").focus();
    });
  }

  /** The class that is shown alone, or null. */
  get alone() {
    return this.#pointed ?? this.#pinned;
  }

  /**
   * @param {object[]} classes {id, name, color, share?}; without shares the rows are a list of what the model knows.
   * @param {{sorted?: boolean, calmly?: boolean}} options `sorted` puts the largest first; `calmly` sorts at most once in a
   *   while, and not under the hand of somebody who uses the list.
   */
  show(classes, { sorted = false, calmly = false } = {}) {
    const rows = sorted ? [...classes].sort((a, b) => b.share - a.share) : classes;
    const isSame = rows.length === this.#rows.size && rows.every(({ id, name }) => this.#rows.get(id)?.name === name);
    const isInUse = () => this.#list.matches(":hover, :focus-within");
    const waits = calmly && (performance.now() - this.#sortedAt < CALM_MILLISECONDS || isInUse());
    if (isSame && (!sorted || waits)) {
      for (const entry of rows) this.#update(entry);
    } else {
      this.#sortedAt = performance.now();
      this.#rows.clear();
      this.#list.replaceChildren(...rows.map((entry) => this.#row(entry)));
      if (this.#pinned !== null && !this.#rows.has(this.#pinned)) this.reset();
      this.#mark();
    }
    this.#compose(classes);
  }

  #row(entry) {
    const button = make("button", { className: "entry", type: "button", "aria-pressed": "false" });
    const swatch = make("span", { className: "swatch" });
    swatch.style.backgroundColor = entry.color;
    const share = make("span", { className: "share" });
    button.append(swatch, make("span", { className: "name", text: className(entry.name) }), share);
    // A row that comes to lie under a resting mouse is not pointed at: only movement counts.
    button.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && (event.movementX || event.movementY)) this.#point(entry.id);
    });
    button.addEventListener("focus", () => button.matches(":focus-visible") && this.#point(entry.id));
    button.addEventListener("blur", () => this.#point(null));
    button.addEventListener("click", () => this.toggle(entry.id));
    const item = make("li");
    item.append(button);
    this.#rows.set(entry.id, { button, share, swatch, name: entry.name });
    this.#update(entry);
    return item;
  }

  #update({ id, share: value }) {
    const { button, share } = this.#rows.get(id);
    const known = value !== undefined;
    button.disabled = !known;
    button.classList.toggle("absent", value === 0);
    share.textContent = known ? percent(value) : "";
  }

  /** The same classes in other colours. */
  recolor(classes) {
    for (const { id, color } of classes) {
      const row = this.#rows.get(id);
      if (row) row.swatch.style.backgroundColor = color;
    }
    this.#compose(classes);
  }

  /** Keeps a class shown alone, or lets it go. */
  toggle(id) {
    this.#pinned = this.#pinned === id ? null : id;
    if (this.#pinned === null) this.#pointed = null;
    this.#mark();
    this.#show(this.alone);
    if (this.#pinned !== null) this.pinned(id);
  }

  reset() {
    this.#pinned = null;
    this.#pointed = null;
    this.#mark();
    this.#show(null);
  }

  #point(id) {
    if (this.#pointed === id) return;
    this.#pointed = id;
    this.#show(this.alone);
  }

  #mark() {
    for (const [id, { button }] of this.#rows) button.setAttribute("aria-pressed", String(id === this.#pinned));
    element("show-all").hidden = this.#pinned === null;
  }

  /** Marks the row of the class under the picture's cursor. */
  highlight(id) {
    for (const [other, { button }] of this.#rows) button.classList.toggle("under-cursor", other === id);
  }

  /** The bar above the list: the photo's composition at a glance. */
  #compose(classes) {
    const canvas = element("composition");
    if (!classes.some(({ share }) => share > 0)) return;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    let left = 0;
    for (const { color, share } of [...classes].sort((a, b) => b.share - a.share)) {
      context.fillStyle = color;
      context.fillRect(left, 0, canvas.width * share + 0.5, canvas.height);
      left += canvas.width * share;
    }
  }
}
