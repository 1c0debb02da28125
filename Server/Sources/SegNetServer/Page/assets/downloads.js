// Files to keep: mask, colours, overlay as shown, numbers, one class cut out, polygons.
import * as api from "./api.js";
import { palette } from "./colors.js";
import { className, stem } from "./format.js";
import { classLayer, colorLayer } from "./layers.js";
import { element, make } from "./page.js";
import { toBlob } from "./photo.js";
import { withPalette } from "./png.js";

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads the address after this turn.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The photo at its own size. */
async function photoCanvas(photo) {
  const bitmap = await createImageBitmap(photo.blob, { imageOrientation: "from-image" });
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  context.imageSmoothingEnabled = false;
  return { canvas, context };
}

/** Photo and classes. */
async function overlay(photo, { ids, answer }, opacity) {
  const { canvas, context } = await photoCanvas(photo);
  context.globalAlpha = opacity;
  context.drawImage(colorLayer(ids, palette(answer.classes), Infinity), 0, 0, canvas.width, canvas.height);
  return toBlob(canvas, "image/png");
}

/** The photo where it shows a class, transparent elsewhere. */
async function cutout(photo, { ids }, id) {
  const { canvas, context } = await photoCanvas(photo);
  context.globalCompositeOperation = "destination-in";
  context.drawImage(classLayer(ids, id, [0, 0, 0], Infinity), 0, 0, canvas.width, canvas.height);
  return toBlob(canvas, "image/png");
}

/** The borders of all regions, which the server traces, of the same run as the classes that are shown. */
async function polygons(photo, { asked }, format) {
  const parameters = { ...asked, output: "polygons", format };
  const { bytes } = await api.segment(photo.blob, parameters, { name: photo.name });
  return new Blob([bytes]);
}

/** The opacity of an overlay that is saved while another view is shown. */
const USUAL_OPACITY = 0.6;

const MAKERS = {
  mask: (photo, { maskPNG }) => [new Blob([maskPNG], { type: "image/png" }), "mask.png"],
  color: (photo, { maskPNG, answer }) => [withPalette(maskPNG, palette(answer.classes)), "color.png"],
  overlay: async (photo, segmentation, opacity) => [await overlay(photo, segmentation, opacity), "overlay.png"],
  json: (photo, { answer }) => [
    new Blob([`${JSON.stringify({ file: photo.name, ...answer }, null, 2)}\n`], { type: "application/json" }),
    "json",
  ],
  cutout: async (photo, segmentation) => {
    const choice = element("cutout-class").selectedOptions[0];
    // The name as it is in the model, without what no file's name may have.
    const name = choice.dataset.name.replace(/[\\/:*?"<>|]/g, "_");
    return [await cutout(photo, segmentation, Number(choice.value)), `cutout-${name}.png`];
  },
  polygons: async (photo, segmentation) => {
    const choice = element("polygon-format").selectedOptions[0];
    return [await polygons(photo, segmentation, choice.value), choice.dataset.ending];
  },
};

/** Offers the classes that the picture shows, the largest first, and keeps the one that was chosen where it is there. */
function offerClasses(classes) {
  const select = element("cutout-class");
  const chosen = select.selectedOptions[0]?.dataset.name;
  const shown = classes.filter(({ share }) => share > 0).sort((a, b) => b.share - a.share);
  select.replaceChildren(
    ...shown.map(({ id, name }) => make("option", { value: id, text: className(name), "data-name": name })),
  );
  const same = shown.find(({ name }) => name === chosen);
  if (same) select.value = same.id;
}

/**
 * @param {import("./viewer.js").Viewer} viewer What there is to save.
 * @param {(failure: Error, again: () => void) => void} failed
 * @returns {(classes: object[]) => void} To be called with the classes of each new result.
 */
export function prepareDownloads(viewer, failed) {
  for (const button of element("downloads").querySelectorAll("[data-download]")) {
    const download = async () => {
      const { photo, segmentation, view } = viewer;
      const opacity = view === "overlay" ? viewer.opacity : USUAL_OPACITY;
      button.setAttribute("aria-busy", "true");
      try {
        const [blob, ending] = await MAKERS[button.dataset.download](photo, segmentation, opacity);
        save(blob, `${stem(photo.name)}.${ending}`);
      } catch (failure) {
        failed(failure, download);
      } finally {
        button.removeAttribute("aria-busy");
      }
    };
    button.addEventListener("click", download);
  }
  // Whoever looks at a class alone is likely to want that.
  viewer.legend.pinned = (id) => {
    const select = element("cutout-class");
    if ([...select.options].some(({ value }) => value === String(id))) select.value = id;
  };
  return offerClasses;
}
