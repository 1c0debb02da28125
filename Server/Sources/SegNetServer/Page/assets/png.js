// Just enough PNG for masks: 8-bit gray pictures decoded to exact values, without a browser's colour management between,
// and the same picture with a palette. Both work on bytes alone, so that a worker can run them.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

function* chunks(bytes) {
  if (SIGNATURE.some((value, index) => bytes[index] !== value)) throw new Error("the answer is not a PNG");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 8; offset + 12 <= bytes.length; ) {
    const length = view.getUint32(offset);
    const end = offset + 12 + length;
    if (end > bytes.length) throw new Error("the PNG is cut off");
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    yield { type, data: bytes.subarray(offset + 8, offset + 8 + length), whole: bytes.subarray(offset, end) };
    offset = end;
  }
}

async function inflate(parts) {
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new Error("the PNG's pixels are damaged");
  }
}

/** Undoes the row filters (PNG specification, section 9) of one byte per pixel. */
function unfilter(rows, width, height) {
  const pixels = new Uint8Array(width * height);
  const zero = new Uint8Array(width);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (width + 1)];
    const source = rows.subarray(y * (width + 1) + 1, (y + 1) * (width + 1));
    const row = pixels.subarray(y * width, (y + 1) * width);
    const above = y > 0 ? pixels.subarray((y - 1) * width, y * width) : zero;
    if (filter === 0) {
      row.set(source);
    } else if (filter === 1) {
      for (let x = 0, left = 0; x < width; x++) left = row[x] = source[x] + left;
    } else if (filter === 2) {
      for (let x = 0; x < width; x++) row[x] = source[x] + above[x];
    } else if (filter === 3) {
      for (let x = 0; x < width; x++) row[x] = source[x] + (((x > 0 ? row[x - 1] : 0) + above[x]) >> 1);
    } else if (filter === 4) {
      for (let x = 0; x < width; x++) {
        const a = x > 0 ? row[x - 1] : 0;
        const b = above[x];
        const c = x > 0 ? above[x - 1] : 0;
        const pa = Math.abs(b - c);
        const pb = Math.abs(a - c);
        const pc = Math.abs(a + b - 2 * c);
        row[x] = source[x] + (pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
      }
    } else {
      throw new Error(`the PNG has an unknown row filter (${filter})`);
    }
  }
  return pixels;
}

/**
 * An 8-bit gray PNG's exact values.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<{width: number, height: number, values: Uint8Array}>}
 */
export async function decodeGray(bytes) {
  let header;
  const data = [];
  for (const chunk of chunks(bytes)) {
    if (chunk.type === "IHDR") header = chunk.data;
    if (chunk.type === "IDAT") data.push(chunk.data);
  }
  if (!header || header[8] !== 8 || header[9] !== 0 || header[12] !== 0) {
    throw new Error("the PNG is not 8-bit gray without interlace");
  }
  if (data.length === 0) throw new Error("the PNG is cut off");
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const rows = await inflate(data);
  if (rows.length < height * (width + 1)) throw new Error("the PNG is cut off");
  return { width, height, values: unfilter(rows, width, height) };
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function makeChunk(type, data) {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  for (let index = 0; index < 4; index++) chunk[4 + index] = type.charCodeAt(index);
  chunk.set(data, 8);
  let crc = 0xffffffff;
  for (const value of chunk.subarray(4, 8 + data.length)) crc = CRC_TABLE[(crc ^ value) & 255] ^ (crc >>> 8);
  view.setUint32(8 + data.length, ~crc >>> 0);
  return chunk;
}

/**
 * The gray PNG of class ids as a PNG with a palette: the same compressed pixels, each id in its class's colour.
 *
 * @param {Uint8Array} bytes
 * @param {number[][]} colors [red, green, blue] by id, at most 256.
 * @returns {Blob}
 */
export function withPalette(bytes, colors) {
  const parts = [Uint8Array.from(SIGNATURE)];
  for (const chunk of chunks(bytes)) {
    if (chunk.type === "IHDR") {
      const header = chunk.data.slice();
      header[9] = 3;
      const palette = new Uint8Array(256 * 3);
      colors.forEach((color, id) => palette.set(color, id * 3));
      parts.push(makeChunk("IHDR", header), makeChunk("PLTE", palette));
    } else if (chunk.type === "IDAT" || chunk.type === "IEND") {
      parts.push(chunk.whole);
    }
  }
  return new Blob(parts, { type: "image/png" });
}
