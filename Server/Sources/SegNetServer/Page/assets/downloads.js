// Files to keep: mask, colours, overlay as shown, numbers.
import { palette } from "./colors.js";
import { stem } from "./format.js";
import { colorLayer } from "./layers.js";
import { element } from "./page.js";
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

/** Photo and classes at the photo's own size. */
async function overlay(photo, { ids, answer }, opacity) {
  const bitmap = await createImageBitmap(photo.blob, { imageOrientation: "from-image" });
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  context.globalAlpha = opacity;
  context.imageSmoothingEnabled = false;
  context.drawImage(colorLayer(ids, palette(answer.classes), Infinity), 0, 0, canvas.width, canvas.height);
  return toBlob(canvas, "image/png");
}

/** Of an overlay that is saved while another view is shown. */
const USUAL_OPACITY = 0.6;

const MAKERS = {
  mask: (photo, { maskPNG }) => [new Blob([maskPNG], { type: "image/png" }), "mask.png"],
  color: (photo, { maskPNG, answer }) => [withPalette(maskPNG, palette(answer.classes)), "color.png"],
  overlay: async (photo, segmentation, opacity) => [await overlay(photo, segmentation, opacity), "overlay.png"],
  json: (photo, { answer }) => [
    new Blob([`${JSON.stringify({ file: photo.name, ...answer }, null, 2)}\n`], { type: "application/json" }),
    "json",
  ],
};

/**
 * @param {import("./viewer.js").Viewer} viewer What there is to save.
 * @param {(failure: Error) => void} failed
 */
export function prepareDownloads(viewer, failed) {
  for (const button of element("downloads").querySelectorAll("[data-download]")) {
    button.addEventListener("click", async () => {
      const { photo, segmentation, view } = viewer;
      const opacity = view === "overlay" ? viewer.opacity : USUAL_OPACITY;
      try {
        const [blob, ending] = await MAKERS[button.dataset.download](photo, segmentation, opacity);
        save(blob, `${stem(photo.name)}.${ending}`);
      } catch (failure) {
        failed(failure);
      }
    });
  }
}
