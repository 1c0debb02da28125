// A picture that the user gave: what is sent, and what is shown.
import { Failure } from "./failures.js";
import { bytes as byteCount } from "./format.js";

/** More pixels than this are not shown: a screen has fewer, and composing stays fast. */
const SHOWN_PIXELS = 4e6;

/**
 * @typedef {object} Photo
 * @property {string} name
 * @property {Blob} blob PNG or JPEG, as it is sent.
 * @property {number} width Of the upright photo.
 * @property {number} height
 * @property {HTMLCanvasElement} shown The photo, at most `SHOWN_PIXELS` large.
 */

async function kindOf(blob) {
  const head = new Uint8Array(await blob.slice(0, 8).arrayBuffer());
  if (head[0] === 0x89 && head[1] === 0x50 && head[2] === 0x4e && head[3] === 0x47) return "image/png";
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return "image/jpeg";
  return null;
}

const BEGINNING_BYTES = 24;

/** What stands at the beginning of a file, if that is text, as a person can recognise it. */
async function beginning(blob) {
  const text = await blob.slice(0, BEGINNING_BYTES).text();
  // A letter of several bytes may be cut in two at the end.
  const whole = text.replace(/\ufffd$/, "");
  if (!/^[\x20-\x7e\s\u00a0-\u{10ffff}]+$/u.test(whole) || whole.includes("\ufffd")) return "";
  const line = whole.trim().split(/\s*\n/)[0];
  const isCut = whole.trim() !== line || blob.size > BEGINNING_BYTES;
  return isCut ? `${line}…` : line;
}

function canvasOf(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}

export function toBlob(canvas, type = "image/png", quality) {
  return new Promise((resolve, reject) => {
    const refuse = () =>
      reject(new Failure("The picture is too large for this browser", "Try a smaller one, or another browser."));
    canvas.toBlob((blob) => (blob ? resolve(blob) : refuse()), type, quality);
  });
}

/** @throws {Failure} naming the file, what it is, and what is needed. */
async function open(blob, name) {
  try {
    return await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch {
    if (blob.size === 0) {
      throw new Failure(`“${name}” is empty`, "Choose a PNG or JPEG photo.");
    }
    if (await kindOf(blob)) {
      throw new Failure(
        `“${name}” is damaged`,
        `Its ${byteCount(blob.size)} begin like a photo, but cannot be read. Save or download it again, or choose another.`,
      );
    }
    const start = await beginning(blob);
    if (!start && blob.type.startsWith("image/")) {
      throw new Failure(`This browser cannot read “${name}”`, "Save it as PNG or JPEG, and choose that.");
    }
    throw new Failure(
      `“${name}” is not a picture`,
      `${start ? `It begins with “${start}”. ` : ""}Choose a PNG or JPEG photo.`,
    );
  }
}

/** The photo for the screen. A large one is decoded once more at that size: browsers do that without blocking the page, unlike drawing. */
async function shownCanvas(bitmap, blob) {
  const scale = Math.sqrt(SHOWN_PIXELS / (bitmap.width * bitmap.height));
  if (scale >= 1) return canvasOf(bitmap, bitmap.width, bitmap.height);
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const small = await createImageBitmap(blob, {
    imageOrientation: "from-image",
    resizeWidth: width,
    resizeHeight: height,
    resizeQuality: "high",
  });
  try {
    return canvasOf(small, width, height);
  } finally {
    small.close();
  }
}

/**
 * Reads a file. Kinds that only the browser knows (WebP, AVIF, GIF) become PNG.
 *
 * @param {Blob} blob
 * @param {string} name
 * @returns {Promise<Photo>}
 * @throws {Failure}
 */
export async function readPhoto(blob, name) {
  const bitmap = await open(blob, name);
  try {
    const { width, height } = bitmap;
    const type = await kindOf(blob);
    const sent = type
      ? new Blob([blob], { type })
      : await toBlob(canvasOf(bitmap, width, height), "image/png");
    return { name, blob: sent, width, height, shown: await shownCanvas(bitmap, blob) };
  } finally {
    bitmap.close();
  }
}

/** A photo from a canvas, which it keeps: a frame of the camera. */
export async function photoOfCanvas(canvas, name) {
  return {
    name,
    blob: await toBlob(canvas, "image/jpeg", 0.92),
    width: canvas.width,
    height: canvas.height,
    shown: canvas,
  };
}

/** The photo with its longer side at most `side`. */
export async function smaller(photo, side) {
  const scale = Math.min(1, side / Math.max(photo.width, photo.height));
  const width = Math.max(1, Math.round(photo.width * scale));
  const height = Math.max(1, Math.round(photo.height * scale));
  return photoOfCanvas(canvasOf(photo.shown, width, height), photo.name);
}
