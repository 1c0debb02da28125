// Canvases made of values: classes in their colours, one class alone, heat. At most `LAYER_PIXELS` large.

const LAYER_PIXELS = 4e6;

/** A canvas whose pixel of value v has the colour `colors[v]`, an RGBA word. */
function paint({ width, height, values }, words, limit = LAYER_PIXELS) {
  const scale = Math.min(1, Math.sqrt(limit / (width * height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  const columns = Uint32Array.from({ length: canvas.width }, (_, x) => Math.floor(((x + 0.5) * width) / canvas.width));
  for (let y = 0, index = 0; y < canvas.height; y++) {
    const row = Math.floor(((y + 0.5) * height) / canvas.height) * width;
    for (let x = 0; x < canvas.width; x++) pixels[index++] = words[values[row + columns[x]]];
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// Canvas pixels lie as red, green, blue, alpha; every machine that runs a browser is little-endian.
const word = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/** Every value in its colour. `limit` may be lifted for a picture to save. */
export function colorLayer(values, colors, limit) {
  return paint(values, Uint32Array.from(colors, word), limit);
}

/** Opaque in the colour where the class is, clear elsewhere. `limit` as in `colorLayer`. */
export function classLayer(ids, id, color, limit) {
  const words = new Uint32Array(256);
  words[id] = word(color);
  return paint(ids, words, limit);
}

/** The photo without colour and dark: the background of a class that is shown alone. */
export function dimmed(photo) {
  const canvas = document.createElement("canvas");
  canvas.width = photo.width;
  canvas.height = photo.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(photo, 0, 0);
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let index = 0; index < pixels.length; index++) {
    const value = pixels[index];
    const luminance = ((value & 255) * 54 + ((value >> 8) & 255) * 183 + ((value >> 16) & 255) * 19) >> 8;
    const gray = 14 + ((luminance * 90) >> 8);
    pixels[index] = ((255 << 24) | (gray << 16) | (gray << 8) | gray) >>> 0;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
