// Gray PNGs to values, by the worker where the browser has module workers.
import { Failure } from "./failures.js";
import { decodeGray } from "./png.js";

let worker = null;
let lastID = 0;
const waiting = new Map();

function settle({ data: { id, picture, error } }) {
  const { resolve, reject } = waiting.get(id);
  waiting.delete(id);
  if (picture) resolve(picture);
  else reject(new Error(error));
}

function start() {
  try {
    worker = new Worker(new URL("./decoder-worker.js", import.meta.url), { type: "module" });
  } catch {
    worker = false;
    return;
  }
  worker.onmessage = settle;
  worker.onerror = () => {
    // No module workers here: what waits, and all that comes, is decoded by the page itself.
    worker = false;
    for (const { resolve, reject, bytes } of waiting.values()) decodeGray(bytes).then(resolve, reject);
    waiting.clear();
  };
}

/**
 * @param {Uint8Array} bytes An 8-bit gray PNG.
 * @returns {Promise<{width: number, height: number, values: Uint8Array}>}
 */
export async function decode(bytes) {
  if (worker === null) start();
  try {
    if (!worker) return await decodeGray(bytes);
    return await new Promise((resolve, reject) => {
      const id = ++lastID;
      waiting.set(id, { resolve, reject, bytes });
      worker.postMessage({ id, bytes });
    });
  } catch (error) {
    throw new Failure("The server's answer could not be read", `${error.message}. Try again.`, { kind: "retry" });
  }
}

/** Base64 as bytes. */
export function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
