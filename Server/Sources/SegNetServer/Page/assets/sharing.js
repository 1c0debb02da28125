// To show others: the picture as it is shown, photo and result side by side, a film of the divider, a link to a sample.
import { save } from "./downloads.js";
import { Failure } from "./failures.js";
import { milliseconds, modelTitle, stem } from "./format.js";
import { announce, element } from "./page.js";
import { toBlob } from "./photo.js";

const PICTURE_SIDE = 2000;
const BOTH_SIDE = 1200;
const GAP = 8;
const FILM_SIDE = 720;
const FILM_MILLISECONDS = 4000;
const FRAMES_PER_SECOND = 30;
const FILM_KINDS = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm"];

function filmKind() {
  return window.MediaRecorder && FILM_KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
}

function failureOfCopying() {
  return new Failure("Nothing was copied", "The browser does not let this page use the clipboard. Save a file instead.");
}

/** Photo and result side by side, wide pictures one above the other, with a line on what made it. */
function bothCanvas(viewer, caption) {
  const result = viewer.snapshot(BOTH_SIDE);
  const { width, height } = result;
  const isWide = width > 1.7 * height;
  const text = Math.round(Math.max(width, height) / 45);
  const line = text * 2.4;
  const canvas = document.createElement("canvas");
  canvas.width = isWide ? width : 2 * width + GAP;
  canvas.height = (isWide ? 2 * height + GAP : height) + line;
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(viewer.snapshot(BOTH_SIDE, { divider: 1 }), 0, 0);
  context.drawImage(result, isWide ? 0 : width + GAP, isWide ? height + GAP : 0);
  context.fillStyle = "#1b1c1e";
  context.font = `500 ${text}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  context.fillText(caption, text, canvas.height - line / 2, canvas.width - 2 * text);
  return canvas;
}

/** The divider over the photo and back, so that it can play for ever. */
async function film(viewer) {
  const canvas = viewer.snapshot(FILM_SIDE, { divider: 1 });
  const context = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(FRAMES_PER_SECOND), {
    mimeType: filmKind(),
    videoBitsPerSecond: 4e6,
  });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise((resolve, reject) => {
    recorder.onstop = resolve;
    recorder.onerror = ({ error }) => reject(error);
  });
  recorder.start();
  const start = performance.now();
  await new Promise((done) => {
    const step = () => {
      const time = (performance.now() - start) / FILM_MILLISECONDS;
      const divider = 0.5 + 0.5 * Math.cos(2 * Math.PI * Math.min(time, 1));
      viewer.snapshot(FILM_SIDE, { divider, context });
      context.fillStyle = "#fff";
      context.fillRect(divider * canvas.width - 1, 0, 2, canvas.height);
      if (time < 1) setTimeout(step, 1000 / FRAMES_PER_SECOND);
      else done();
    };
    step();
  });
  recorder.stop();
  await ended;
  return new Blob(parts, { type: "video/webm" });
}

async function copy(data) {
  try {
    await navigator.clipboard.write([new ClipboardItem(data)]);
  } catch {
    throw failureOfCopying();
  }
}

/**
 * @param {import("./viewer.js").Viewer} viewer
 * @param {() => object[]} models Entries of /v1/models.
 * @param {(failure: Error) => void} failed
 */
export function prepareSharing(viewer, models, failed) {
  const caption = () => {
    const { model, timing } = viewer.segmentation.answer;
    const { network } = timing ?? {};
    const entry = models().find(({ name }) => name === model);
    return `SegNet for Swift · ${entry ? modelTitle(entry) : model}${network ? ` · ${milliseconds(network)} on a CPU` : ""}`;
  };
  const name = (ending) => `${stem(viewer.photo.name)}.${ending}`;
  const picture = () => toBlob(viewer.snapshot(PICTURE_SIDE), "image/png");
  const actions = {
    copy: async () => {
      await copy({ "image/png": picture() });
      return "Copied";
    },
    both: async () => save(await toBlob(bothCanvas(viewer, caption()), "image/png"), name("before-after.png")),
    film: async () => save(await film(viewer), name("webm")),
    link: async () => {
      try {
        await navigator.clipboard.writeText(location.href);
      } catch {
        throw failureOfCopying();
      }
      return "Copied";
    },
    send: async () => {
      const file = new File([await toBlob(bothCanvas(viewer, caption()), "image/png")], name("before-after.png"), {
        type: "image/png",
      });
      try {
        await navigator.share({ files: [file], title: "SegNet" });
      } catch (error) {
        if (error.name !== "AbortError") throw error;
      }
    },
  };
  for (const button of element("share").querySelectorAll("[data-share]")) {
    const label = button.textContent;
    button.addEventListener("click", async () => {
      button.setAttribute("aria-busy", "true");
      if (button.dataset.share === "film") button.textContent = "Recording, 4 s";
      try {
        const said = await actions[button.dataset.share]();
        if (said) announce(said);
        button.textContent = said ?? label;
        setTimeout(() => (button.textContent = label), 1500);
      } catch (failure) {
        button.textContent = label;
        failed(failure);
      } finally {
        button.removeAttribute("aria-busy");
      }
    });
  }
  const probe = () => new File([], "a.png", { type: "image/png" });
  element("share-send").hidden = !navigator.canShare?.({ files: [probe()] });
  element("share").querySelector("[data-share=copy]").hidden = !window.ClipboardItem || !navigator.clipboard;
  element("share").querySelector("[data-share=film]").hidden = !filmKind();
}
