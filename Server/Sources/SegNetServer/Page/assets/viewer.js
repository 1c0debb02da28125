// The picture with its views: what is drawn, from photo, segmentation, view, opacity, the class shown alone, the divider.
import { palette, rgb, SCALES } from "./colors.js";
import { makeDivider } from "./divider.js";
import { fittingSize, whenRoomChanges } from "./fitting.js";
import { className } from "./format.js";
import { Inspector } from "./inspector.js";
import { classLayer, colorLayer, dimmed } from "./layers.js";
import { Legend } from "./legend.js";
import { element } from "./page.js";
import { Renderer } from "./renderer.js";

export const VIEWS = ["overlay", "classes", "confidence", "uncertainty"];

export class Viewer {
  view = "overlay";
  #renderer = new Renderer(element("picture"));
  #photo = null;
  #segmentation = null;
  #opacities = { overlay: 0.6, classes: 1, confidence: 0.85, uncertainty: 0.85 };
  /** Layers of the segmentation that were needed so far. */
  #layers = new Map();
  #background = null;

  constructor() {
    this.legend = new Legend((id) => this.#showAlone(id));
    this.inspector = new Inspector({
      point: (id) => this.legend.highlight(id),
      choose: (id) => this.legend.toggle(id),
    });
    this.divider = makeDivider((share) => {
      this.#renderer.divider = share;
      this.#renderer.draw();
    });
    whenRoomChanges(() => this.#fit());
    this.#drawScale();
  }

  get opacity() {
    return this.#opacities[this.view];
  }

  set opacity(value) {
    this.#opacities[this.view] = value;
    this.#renderer.opacity = value;
    this.#renderer.draw();
  }

  get photo() {
    return this.#photo;
  }

  get segmentation() {
    return this.#segmentation;
  }

  /** A photo whose classes are not known yet. */
  showPhoto(photo) {
    this.#setPhoto(photo);
    this.#segmentation = null;
    this.#layers.clear();
    this.inspector.show(null);
    this.#renderer.layer = null;
    this.#renderer.alone = null;
    this.#drawScale();
    element("frame").hidden = false;
    element("empty").hidden = true;
    this.#fit();
    element("picture").setAttribute("aria-label", `Photo ${photo.name}`);
  }

  /** Photo and classes. `live` frames come without sweep and without sorting the legend anew. */
  showResult(photo, segmentation, { live = false } = {}) {
    this.#setPhoto(photo);
    this.#segmentation = segmentation;
    this.#layers.clear();
    element("frame").hidden = false;
    element("empty").hidden = true;
    this.#fit();
    this.inspector.show(segmentation);
    this.legend.show(segmentation.answer.classes, { sorted: !live });
    this.setView(this.view);
    this.#showAlone(this.legend.alone);
    if (!live) this.#renderer.reveal();
    const classes = segmentation.answer.classes.filter(({ share }) => share >= 0.005).sort((a, b) => b.share - a.share);
    const names = classes.map(({ name, share }) => `${className(name)} ${Math.round(share * 100)} %`).join(", ");
    element("picture").setAttribute("aria-label", `Segmented photo ${photo.name}: ${names}`);
  }

  #setPhoto(photo) {
    if (photo.shown === this.#photo?.shown) return;
    this.#photo = photo;
    this.#background = null;
    this.#renderer.photo = photo.shown;
  }

  /** Whether the segmentation has the values of a view. */
  canShow(view) {
    return this.#segmentation !== null && this.#valuesOf(view) !== undefined;
  }

  /** Chooses the view; the overlay is drawn until the segmentation has the values of another. */
  setView(view) {
    this.view = view;
    this.#renderer.layer = this.#segmentation ? this.#layer(this.canShow(view) ? view : "overlay") : null;
    this.opacity = this.opacity;
    this.#drawScale();
  }

  #valuesOf(view) {
    return view === "overlay" || view === "classes" ? this.#segmentation.ids : this.#segmentation[view];
  }

  #layer(view) {
    const key = view === "overlay" ? "classes" : view;
    const colors = () => SCALES[view]?.colors ?? palette(this.#segmentation.answer.classes);
    return this.#cached(key, () => colorLayer(this.#valuesOf(view), colors()));
  }

  #cached(key, make) {
    if (!this.#layers.has(key)) this.#layers.set(key, make());
    return this.#layers.get(key);
  }

  /** One class's layer. Only the last is kept: large ones take 16 MB each. */
  #classLayer({ id, color }) {
    if (this.#layers.get("class")?.id !== id) {
      this.#layers.set("class", { id, layer: classLayer(this.#segmentation.ids, id, rgb(color)) });
    }
    return this.#layers.get("class").layer;
  }

  #showAlone(id) {
    const entry = this.#segmentation?.answer.classes.find((item) => item.id === id);
    if (entry) {
      this.#background ??= dimmed(this.#photo.shown);
      this.#renderer.alone = { layer: this.#classLayer(entry), background: this.#background };
    } else {
      this.#renderer.alone = null;
    }
    this.#renderer.draw();
  }

  #fit() {
    if (!this.#photo) return;
    const { width, height } = fittingSize(this.#photo.width, this.#photo.height);
    this.#renderer.resize(width, height);
  }

  #drawScale() {
    const scale = SCALES[this.view];
    element("scale").hidden = !scale || !this.#segmentation;
    element("composition").hidden = !element("scale").hidden || !this.#segmentation;
    if (!scale) return;
    const context = element("scale-bar").getContext("2d");
    scale.colors.forEach((color, value) => {
      context.fillStyle = `rgb(${color.join(" ")})`;
      context.fillRect(value, 0, 1, 1);
    });
    element("scale-low").textContent = scale.low;
    element("scale-high").textContent = scale.high;
  }
}
