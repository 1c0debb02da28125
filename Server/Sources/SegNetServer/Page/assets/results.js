// The strip of one's own pictures, before the samples: each with its classes, to come back to without asking the server again.
import { element, make } from "./page.js";

/** Photos with their maps take up to 50 MB each. */
const MOST = 6;
const THUMBNAIL_SIDE = 240;

export class Results {
  #entries = [];
  #open;

  /** @param {(photo: object, segmentation: object) => void} open Called with a result that was chosen. */
  constructor(open) {
    this.#open = open;
  }

  /**
   * Puts a result at the beginning, or in the place of the same photo's earlier one.
   *
   * @param {(longest: number) => HTMLCanvasElement} snapshot Draws what is shown.
   * @param {boolean} keeps Whether an earlier thumbnail stays: heat says less than classes.
   */
  add(photo, segmentation, snapshot, keeps) {
    let entry = this.#entries.find((item) => item.photo === photo);
    if (!entry) {
      entry = { photo, button: make("button", { className: "sample own", type: "button" }), item: make("li") };
      const { button, item } = entry;
      button.addEventListener("click", () => this.#open(photo, entry.segmentation));
      item.append(button);
      element("samples").prepend(item);
      element("samples").scrollTo({ left: 0 });
      this.#entries.unshift(entry);
      if (this.#entries.length > MOST) this.#entries.pop().item.remove();
    }
    entry.segmentation = segmentation;
    const earlier = keeps && entry.button.querySelector("canvas");
    const thumbnail = earlier || snapshot(THUMBNAIL_SIDE);
    thumbnail.className = "thumbnail";
    entry.button.replaceChildren(thumbnail, make("span", { text: photo.name }));
  }

  /** Marks the picture that is shown. */
  mark(photo) {
    for (const { photo: other, button } of this.#entries) {
      if (other === photo) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }
}
