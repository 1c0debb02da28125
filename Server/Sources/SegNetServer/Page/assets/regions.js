// What is drawn over the classes: outlines of their regions, and stripes where the model guesses. At one resolution for pictures
// of all sizes, so that a line is as thin on a small picture as on a large one.

const GRID_PIXELS = 1.2e6;
const STRIPES_ACROSS = 110;

const WHITE = 0xffffffff;
const CLEAR = 0;
const STRIPE = 0xe0ffffff;
const BETWEEN = 0x8c16120f;

/** A canvas of about `GRID_PIXELS`, coloured by `word(value, right, below, x, y, width)`: the value there and its neighbours'. */
function drawn({ width, height, values }, word) {
  const scale = Math.sqrt(GRID_PIXELS / (width * height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const columns = Uint32Array.from({ length: canvas.width }, (_, x) => Math.floor(((x + 0.5) * width) / canvas.width));
  const rows = Uint32Array.from({ length: canvas.height }, (_, y) => Math.floor(((y + 0.5) * height) / canvas.height) * width);
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let y = 0, index = 0; y < canvas.height; y++) {
    const row = rows[y];
    const below = rows[Math.min(y + 1, canvas.height - 1)];
    for (let x = 0; x < canvas.width; x++, index++) {
      const value = values[row + columns[x]];
      const right = values[row + columns[Math.min(x + 1, canvas.width - 1)]];
      pixels[index] = word(value, right, values[below + columns[x]], x, y, canvas.width);
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** White where two classes meet, clear elsewhere. */
export function outlineLayer(ids) {
  return drawn(ids, (value, right, below) => (value !== right || value !== below ? WHITE : CLEAR));
}

/** Stripes where the confidence is below `share`, clear elsewhere. */
export function doubtLayer(confidence, share) {
  const limit = share * 255;
  return drawn(confidence, (value, right, below, x, y, width) => {
    if (value >= limit) return CLEAR;
    const period = width / STRIPES_ACROSS;
    return (x + y) % period < period * 0.4 ? STRIPE : BETWEEN;
  });
}

/** The mean of a confidence map, 0 to 1. */
export function meanConfidence({ values }) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length / 255;
}

const LABEL_COLUMNS = 96;
/** Regions narrower than this share of the picture's shorter side are not named. */
const LEAST_RADIUS = 0.05;

/**
 * For each class the place that is deepest inside one of its regions, by a chessboard distance transform on a coarse grid.
 *
 * @param {number} from What lies left of this share of the width does not count: it is hidden.
 * @returns {{id: number, x: number, y: number}[]} Places as shares of width and height.
 */
export function labelPlaces({ width, height, values }, from = 0) {
  const scale = Math.min(1, LABEL_COLUMNS / Math.max(width, height));
  const columns = Math.max(1, Math.round(width * scale));
  const rows = Math.max(1, Math.round(height * scale));
  const ids = new Uint8Array(columns * rows);
  for (let y = 0, index = 0; y < rows; y++) {
    const row = Math.floor(((y + 0.5) * height) / rows) * width;
    for (let x = 0; x < columns; x++) ids[index++] = values[row + Math.floor(((x + 0.5) * width) / columns)];
  }
  const depth = new Uint16Array(ids.length);
  const first = Math.min(columns - 1, Math.max(0, Math.ceil(from * columns)));
  const step = (x, y, backwards) => {
    const index = y * columns + x;
    if (x < first) return;
    if (x === first || y === 0 || x === columns - 1 || y === rows - 1) return void (depth[index] = 1);
    const around = backwards
      ? [index + 1, index + columns - 1, index + columns, index + columns + 1]
      : [index - 1, index - columns - 1, index - columns, index - columns + 1];
    const least = Math.min(...around.map((other) => (ids[other] === ids[index] ? depth[other] + 1 : 1)));
    depth[index] = backwards ? Math.min(depth[index], least) : least;
  };
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) step(x, y, false);
  for (let y = rows - 1; y >= 0; y--) for (let x = columns - 1; x >= 0; x--) step(x, y, true);
  const deepest = new Map();
  depth.forEach((value, index) => {
    if (value > (deepest.get(ids[index])?.value ?? 0)) deepest.set(ids[index], { value, index });
  });
  const least = Math.max(2, LEAST_RADIUS * Math.min(columns, rows));
  return [...deepest]
    .filter(([, { value }]) => value >= least)
    .map(([id, { index }]) => ({
      id,
      x: ((index % columns) + 0.5) / columns,
      y: (Math.floor(index / columns) + 0.5) / rows,
    }));
}
