// One answer of the server: class ids and probabilities of a photo's pixels.
import * as api from "./api.js";
import { decode, fromBase64 } from "./decoder.js";
import { Failure } from "./failures.js";

/**
 * @typedef {object} Segmentation
 * @property {object} answer The server's JSON, without pictures.
 * @property {Record<string, string|number>} asked What of the run was asked for: model, edges, samples.
 * @property {Uint8Array} maskPNG As the server sent it.
 * @property {{width: number, height: number, values: Uint8Array}} ids
 * @property {{width: number, height: number, values: Uint8Array} | undefined} confidence 255 is certain.
 * @property {{width: number, height: number, values: Uint8Array} | undefined} uncertainty 255 is the greatest.
 */

/**
 * Everything the page shows of a photo.
 *
 * @param {Blob} picture
 * @param {object} model An entry of /v1/models.
 * @param {number} samples 1, or more on a model that can sample.
 * @param {{signal?: AbortSignal, onUpload?: (share: number) => void, name?: string}} options
 * @returns {Promise<Segmentation>}
 */
export async function segmentPhoto(picture, model, samples, options) {
  const include = ["mask", "confidence"];
  const asked = { model: model.name, edges: "smooth" };
  if (samples > 1) {
    include.push("uncertainty");
    asked.samples = samples;
  }
  const { bytes } = await api.segment(picture, { ...asked, output: "json", include: include.join(",") }, options);
  let answer;
  try {
    answer = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Failure("The server's answer could not be read", "It is not JSON. Try again.", { kind: "retry" });
  }
  const { images, ...rest } = answer;
  const maskPNG = fromBase64(images.mask);
  const [ids, confidence, uncertainty] = await Promise.all([
    decode(maskPNG),
    images.confidence && decode(fromBase64(images.confidence)),
    images.uncertainty && decode(fromBase64(images.uncertainty)),
  ]);
  return { answer: rest, asked, maskPNG, ids, confidence, uncertainty };
}

/** The ids alone, the fastest answer: for frames of the camera. Shares are counted here. */
export async function segmentFrame(picture, model, options) {
  const asked = { model: model.name };
  const { bytes, timing } = await api.segment(picture, { ...asked, output: "mask" }, options);
  const ids = await decode(bytes);
  const counts = new Uint32Array(256);
  for (const id of ids.values) counts[id]++;
  const classes = model.classes.map((entry) => ({ ...entry, share: counts[entry.id] / ids.values.length }));
  const answer = { model: model.name, width: ids.width, height: ids.height, classes, samples: 1, timing };
  return { answer, asked, maskPNG: bytes, ids };
}
