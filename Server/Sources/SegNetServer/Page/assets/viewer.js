// The picture with its views: what is drawn, from photo, segmentation, view, opacity, colours, the class shown alone, the divider
// and the zoom.
import { palette, rgb, SCALES } from "./colors.js";
import { hasDisplayColors, withDisplayColors } from "./display-palette.js";
import { makeDivider } from "./divider.js";
import { DOUBTFUL_SHARE, Doubt } from "./doubt.js";
import { fittingSize, stageRoom, whenRoomChanges } from "./fitting.js";
import { className } from "./format.js";
import { Inspector } from "./inspector.js";
import { classLayer, colorLayer, dimmed } from "./layers.js";
import { Legend } from "./legend.js";
import { Names } from "./names.js";
import { element } from "./page.js";
import { doubtLayer, outlineLayer } from "./regions.js";
import { Renderer } from "./renderer.js";
import { Zoom } from "./zoom.js";

export const VIEWS = ["overlay", "classes", "confidence", "uncertainty"];

export class Viewer {
  view = "overlay";
  #renderer = new Renderer(element("picture"));
  #photo = null;
  #segmentation = null;
  /** The classes with the colours that are shown, and those of the data set. */
  #classes = [];
  #dataClasses = [];
  #usesDataColors = false;
  #opacities = { overlay: 0.6, classes: 1, confidence: 0.85, uncertainty: 0.85 };
  /** Layers of the segmentation that were needed so far. */
  #layers = new Map();
  #background = null;

  constructor() {
    this.zoom = new Zoom(element("picture"), () => this.#fit());
    this.names = new Names(this.zoom);
    this.doubt = new Doubt(() => this.#drawRegions());
    this.legend = new Legend((id) => this.#showAlone(id));
    this.inspector = new Inspector(this.zoom, {
      point: (id) => this.legend.highlight(id),
      choose: (id) => this.legend.toggle(id),
    });
    this.divider = makeDivider((share) => {
      this.#renderer.divider = share;
      this.#renderer.draw();
      this.names.hideLeft(share ?? 0);
      element("frame").classList.toggle("compared", share !== null);
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

  get usesDataColors() {
    return this.#usesDataColors;
  }

  set usesDataColors(value) {
    this.#usesDataColors = value;
    this.#colorClasses(this.#dataClasses);
    this.legend.recolor(this.#classes);
    if (!this.#segmentation) return;
    this.#layers.delete("classes");
    this.#layers.delete("class");
    this.inspector.show(this.#segmentation, this.#classes);
    this.setView(this.view);
    this.#showAlone(this.legend.alone);
  }

  /** What a model can name, while nothing is known of a photo. */
  showClasses(classes) {
    this.#colorClasses(classes);
    this.legend.show(this.#classes);
  }

  #colorClasses(classes) {
    this.#dataClasses = classes;
    const hasChoice = hasDisplayColors(classes);
    element("data-colors").hidden = !hasChoice;
    this.#classes = hasChoice && !this.#usesDataColors ? withDisplayColors(classes) : classes;
  }

  /** A photo whose classes are not known yet. */
  showPhoto(photo) {
    this.#setPhoto(photo);
    this.#segmentation = null;
    this.#layers.clear();
    this.inspector.show(null);
    this.names.show(null);
    this.doubt.show(null);
    this.#renderer.layer = null;
    this.#renderer.alone = null;
    this.#drawRegions();
    this.#drawScale();
    this.#showFrame();
    element("picture").setAttribute("aria-label", `Photo ${photo.name}`);
  }

  /** Photo and classes. `live` frames come without sweep and without names. */
  showResult(photo, segmentation, { live = false, sweep = true } = {}) {
    this.#setPhoto(photo);
    this.#segmentation = segmentation;
    this.#layers.clear();
    this.#colorClasses(segmentation.answer.classes);
    this.#showFrame();
    this.inspector.show(segmentation, this.#classes);
    this.names.show(live ? null : segmentation);
    this.doubt.show(live ? null : segmentation);
    this.legend.show(this.#classes, { sorted: true, calmly: live });
    this.setView(this.view);
    this.#showAlone(this.legend.alone);
    if (sweep && !live) this.#renderer.reveal();
    const classes = segmentation.answer.classes.filter(({ share }) => share >= 0.005).sort((a, b) => b.share - a.share);
    const names = classes.map(({ name, share }) => `${className(name)} ${Math.round(share * 100)} %`).join(", ");
    element("picture").setAttribute("aria-label", `Segmented photo ${photo.name}: ${names}`);
  }

  /** No photo at all. */
  clear() {
    this.#photo = null;
    this.#segmentation = null;
    this.#renderer.photo = null;
    this.#renderer.layer = null;
    element("frame").hidden = true;
    element("zoom").hidden = true;
    element("empty").hidden = false;
  }

  #showFrame() {
    element("frame").hidden = false;
    element("zoom").hidden = false;
    element("empty").hidden = true;
    this.#fit();
  }

  #setPhoto(photo) {
    if (photo.shown === this.#photo?.shown) return;
    const isAnother = photo.name !== this.#photo?.name;
    this.#photo = photo;
    this.#background = null;
    this.#renderer.photo = photo.shown;
    if (isAnother) this.zoom.reset();
  }

  /** Whether the segmentation has the values of a view. */
  canShow(view) {
    return this.#segmentation !== null && this.#valuesOf(view) !== undefined;
  }

  /** Whether the view shows classes, not heat. */
  get showsClasses() {
    return !SCALES[this.view];
  }

  /** Chooses the view; the overlay is drawn until the segmentation has the values of another. */
  setView(view) {
    this.view = view;
    this.#renderer.layer = this.#segmentation ? this.#layer(this.canShow(view) ? view : "overlay") : null;
    this.opacity = this.opacity;
    this.#drawRegions();
    this.#drawScale();
  }

  /** The whole picture as it is shown, at most `longest` pixels long: for pictures and films to share. */
  snapshot(longest, { divider = 0, context } = {}) {
    const scale = Math.min(1, longest / Math.max(this.#photo.shown.width, this.#photo.shown.height));
    // Encoders of films take even sizes only.
    const even = (value) => Math.max(2, Math.round((value * scale) / 2) * 2);
    const canvas = context?.canvas ?? document.createElement("canvas");
    if (!context) {
      canvas.width = even(this.#photo.shown.width);
      canvas.height = even(this.#photo.shown.height);
    }
    this.#renderer.drawWhole(context ?? canvas.getContext("2d"), canvas.width, canvas.height, divider);
    return canvas;
  }

  #valuesOf(view) {
    return view === "overlay" || view === "classes" ? this.#segmentation.ids : this.#segmentation[view];
  }

  #layer(view) {
    const key = view === "overlay" ? "classes" : view;
    const colors = () => SCALES[view]?.colors ?? palette(this.#classes);
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
    const entry = this.#segmentation && this.#classes.find((item) => item.id === id);
    if (entry) {
      this.#background ??= dimmed(this.#photo.shown);
      this.#renderer.alone = { layer: this.#classLayer(entry), background: this.#background };
    } else {
      this.#renderer.alone = null;
    }
    this.#allowNames();
    this.#renderer.draw();
  }

  /** Outlines and stripes belong to the views of classes. */
  #drawRegions() {
    const showsClasses = this.#segmentation !== null && this.showsClasses;
    this.#renderer.outlines = showsClasses
      ? this.#cached("outlines", () => outlineLayer(this.#segmentation.ids))
      : null;
    const { confidence } = this.#segmentation ?? {};
    this.#renderer.doubt =
      showsClasses && confidence && this.doubt.isMarked
        ? this.#cached("doubt", () => doubtLayer(confidence, DOUBTFUL_SHARE))
        : null;
    this.doubt.allow(showsClasses);
    this.names.offer(this.showsClasses);
    this.#allowNames();
    this.#renderer.draw();
  }

  #allowNames() {
    this.names.allow(this.#segmentation !== null && this.showsClasses && !this.#renderer.alone);
  }

  #fit() {
    if (!this.#photo) return;
    this.zoom.fit(fittingSize(this.#photo.width, this.#photo.height), stageRoom(), this.#photo);
    this.#renderer.seen = this.zoom.seen;
    const { width, height } = this.zoom.size;
    this.#renderer.resize(width, height);
    this.names.place();
    this.inspector.follow();
    const isWhole = this.zoom.scale === 1;
    element("picture").classList.toggle("enlarged", !isWhole);
    element("zoom-whole").textContent = `${Math.round(this.zoom.scale * 100)} %`;
    for (const id of ["zoom-out", "zoom-whole"]) element(id).hidden = isWhole;
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
