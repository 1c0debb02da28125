// Videos: a dialog sends one, shows its progress, and shows and saves the result. Only if the server takes videos.
import { authorization } from "./api.js";
import { save } from "./downloads.js";
import { Failure, failureOfNetwork, failureOfResponse } from "./failures.js";
import { bytes, stem } from "./format.js";
import { announce, element } from "./page.js";

const PATH = "/v1/videos";
const POLL_MILLISECONDS = 500;
/** As long as ten seconds without a network, or the restart of a proxy. */
const ATTEMPTS = 20;
/** Against flicker, if the box is ticked. */
const SMOOTHING = 0.6;
const ENDINGS = /\.(mp4|m4v|mov|mkv|webm|avi|mpe?g|m?ts|m2ts|3gp|flv|ogv|wmv)$/i;
const RESULTS = { overlay: "overlay.mp4", color: "color.mp4", mask: "mask.mkv", shares: "shares.csv" };

const isVideo = (file) => file.type.startsWith("video/") || (!file.type && ENDINGS.test(file.name));

/** Seconds for people: "12 s", "3:05". */
function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const TITLES = {
  413: "This video is too large for the server",
  415: "This is not a video the server reads",
  501: "This server takes no videos",
};

/** What differs for videos: there is no smaller copy to send, and only a proxy runs out of time. */
const KINDS = { 413: undefined, 504: "retry" };

/** A failure for a video, without the offer to send a smaller copy of a photo. */
function failureOfVideo(...response) {
  const failure = failureOfResponse(...response);
  const { status, retryAfter, kind } = failure;
  const title = TITLES[status] ?? failure.title;
  return new Failure(title, failure.detail, { status, retryAfter, kind: status in KINDS ? KINDS[status] : kind });
}

/** The answer's body, read `as` "json", "blob" or "text". A connection lost midway is one that was never there. */
async function ask(path, as, options = {}) {
  let response;
  let body;
  try {
    response = await fetch(path, { ...options, headers: authorization() });
    body = await response[response.ok ? as : "text"]();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw failureOfNetwork();
  }
  if (response.ok) return body;
  throw failureOfVideo(
    response.status,
    response.headers.get("Content-Type"),
    body,
    response.headers.get("Retry-After"),
  );
}

/** POST /v1/videos. XMLHttpRequest, since fetch does not report the progress of an upload. */
function send(file, parameters, signal, onUpload) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${PATH}?${new URLSearchParams(parameters)}`);
    for (const [name, value] of Object.entries(authorization())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onUpload(event.loaded / event.total);
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    request.onerror = () => reject(failureOfNetwork());
    request.onload = () => {
      if (request.status === 202) return resolve(JSON.parse(request.responseText));
      const type = request.getResponseHeader("Content-Type");
      reject(failureOfVideo(request.status, type, request.responseText, request.getResponseHeader("Retry-After")));
    };
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

const pause = () => new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));

/** Like `ask`, through a network that comes and goes: the work on the server is not lost with one answer. */
async function askPatiently(path, as, options) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask(path, as, options);
    } catch (failure) {
      if (!["retry", "wait"].includes(failure.kind) || attempt === ATTEMPTS) throw failure;
      await pause();
    }
  }
}

class VideoDialog {
  #dialog = element("video");
  #file = null;
  #stop = null;
  #id = null;
  #result = null;

  constructor({ model, tell }) {
    this.model = model;
    this.tell = tell;
    element("video-start").addEventListener("click", () => this.#run());
    element("video-save").addEventListener("click", () => save(this.#result.blob, this.#result.name));
    this.#dialog.addEventListener("close", () => this.#leave());
  }

  open(file) {
    this.#leave();
    this.#file = file;
    element("video-name").textContent = `${file.name}, ${bytes(file.size)}`;
    this.#show("choice");
    this.#dialog.showModal();
  }

  /** "choice", "work" or "result". */
  #show(part) {
    for (const name of ["choice", "work", "result"]) element(`video-${name}`).hidden = name !== part;
  }

  #say(text, share) {
    element("video-text").textContent = text;
    const bar = element("video-bar");
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
  }

  async #run() {
    const stop = new AbortController();
    this.#stop = stop;
    this.#show("work");
    this.#say("Sending", 0);
    const output = element("video-output").value;
    const parameters = { model: this.model().name, output };
    if (element("video-smooth").checked) parameters.smooth = SMOOTHING;
    try {
      let state = await send(this.#file, parameters, stop.signal, (share) => this.#say("Sending", share));
      this.#id = state.id;
      announce("Segmenting the video");
      while (state.state === "waiting" || state.state === "running") {
        this.#tellState(state);
        await pause();
        // Rejected at once if the dialog has been closed meanwhile.
        state = await askPatiently(`${PATH}/${state.id}`, "json", { signal: stop.signal });
      }
      if (state.state === "failed") throw new Failure("The video could not be segmented", state.error);
      this.#say("Fetching the result", null);
      const blob = await askPatiently(state.result, "blob", { signal: stop.signal });
      this.#finish(state, blob, output);
    } catch (failure) {
      if (stop !== this.#stop) return;
      this.#dialog.close();
      if (failure.name !== "AbortError") this.tell(failure, () => this.open(this.#file));
    }
  }

  #tellState({ state, frames, totalFrames, framesPerSecond, secondsLeft }) {
    if (state === "waiting") return this.#say("Waiting for its turn", null);
    const count = totalFrames ? `${frames} of ${totalFrames} frames` : `${frames} frames`;
    const rate = framesPerSecond ? `, ${framesPerSecond.toFixed(1)} per second` : "";
    const left = secondsLeft === undefined ? "" : `, ${clock(secondsLeft)} left`;
    this.#say(count + rate + left, totalFrames ? frames / totalFrames : null);
  }

  #finish(state, blob, output) {
    this.#result = { blob, name: `${stem(this.#file.name)}.${RESULTS[output]}`, url: URL.createObjectURL(blob) };
    const player = element("video-player");
    player.hidden = output === "mask" || output === "shares";
    if (!player.hidden) player.src = this.#result.url;
    const rate = state.framesPerSecond ? `, ${state.framesPerSecond.toFixed(1)} per second` : "";
    element("video-done").textContent = `${state.frames} frames${rate}. ${state.problem ?? ""}`;
    this.#show("result");
    announce("The video is ready");
  }

  /** Ends all work for a dialog that is closed. */
  #leave() {
    this.#stop?.abort();
    this.#stop = null;
    if (this.#id) ask(`${PATH}/${this.#id}`, "text", { method: "DELETE" }).catch(() => {});
    this.#id = null;
    const player = element("video-player");
    player.removeAttribute("src");
    player.load();
    if (this.#result) URL.revokeObjectURL(this.#result.url);
    this.#result = null;
  }
}

/**
 * Offers videos if the server takes them.
 *
 * @param {{take: (files: File[]) => void, tell: Function, model: () => object, hasModel: () => Promise<boolean>}} page `take`
 *   gets files that are not videos.
 * @returns {(files: File[]) => void} A function to use instead of `take`.
 */
export function prepareVideos({ take, tell, model, hasModel }) {
  let dialog = null;
  let reason = "";
  const fetchLimits = async () => {
    const answer = await ask(PATH, "json");
    reason = answer.reason ?? "";
    if (!answer.isAvailable) return;
    dialog = new VideoDialog({ model, tell });
    element("file").accept = "image/*,video/*";
    element("video-limits").textContent =
      `At most ${bytes(answer.maximumBytes)}, ${clock(answer.maximumSeconds)} and ${answer.maximumFrames} frames.`;
  };
  const failureOfLimits = () => fetchLimits().catch((failure) => failure);
  let limits = failureOfLimits();
  const takeAll = async (files) => {
    const video = files.find(isVideo);
    if (!video) return take(files);
    // A server that did not answer when the page was opened may do so now. Without a kind, asking again does not help.
    const before = limits;
    if ((await before)?.kind && limits === before) limits = failureOfLimits();
    const failure = await limits;
    if (failure?.kind) return tell(failure, () => takeAll(files));
    if (!dialog) {
      const detail = `${reason || "It does not offer them."} Send single pictures.`;
      return tell(new Failure("This server takes no videos", detail));
    }
    if (await hasModel()) dialog.open(video);
  };
  return takeAll;
}
