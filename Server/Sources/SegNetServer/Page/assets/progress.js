// How far a request is: the upload as the browser tells it, then the server's work by how long it took before.
import { milliseconds } from "./format.js";
import { element } from "./page.js";

const STORE = "segnet.durations";
/** Shorter work shows no progress: a flash would only disturb. */
const QUIET_MILLISECONDS = 250;
const UPLOAD_SHARE = 0.3;

function durations() {
  try {
    return JSON.parse(localStorage.getItem(STORE)) ?? {};
  } catch {
    return {};
  }
}

export class Progress {
  #started = 0;
  #uploaded = null;
  #key = "";
  #timer = 0;

  /** @param {string} key Work of the same key takes about as long. */
  start(key) {
    this.stop();
    this.#key = key;
    this.#started = performance.now();
    this.#uploaded = null;
    element("stage").setAttribute("aria-busy", "true");
    this.#timer = setInterval(() => this.#show(0), 100);
    this.#show(0);
  }

  upload(share) {
    if (share >= 1) this.#uploaded ??= performance.now();
    this.#show(share);
  }

  /** @param {boolean} done Whether the work came to its end, so that its duration is worth keeping. */
  stop(done = false) {
    clearInterval(this.#timer);
    element("progress").hidden = true;
    element("stage").removeAttribute("aria-busy");
    if (!done || this.#uploaded === null) return;
    const known = durations();
    const took = performance.now() - this.#uploaded;
    known[this.#key] = this.#key in known ? Math.round(known[this.#key] * 0.6 + took * 0.4) : Math.round(took);
    try {
      localStorage.setItem(STORE, JSON.stringify(known));
    } catch {
      // Without storage the estimate stays rough.
    }
  }

  #show(share) {
    const now = performance.now();
    if (now - this.#started < QUIET_MILLISECONDS) return;
    element("progress").hidden = false;
    const [text, value] = this.#uploaded === null ? this.#uploading(share) : this.#working(now - this.#uploaded);
    if (value === null) element("progress-bar").removeAttribute("value");
    else if (value >= element("progress-bar").value) element("progress-bar").value = value;
    element("progress-text").textContent = text;
  }

  #uploading(share) {
    if (share === 0) element("progress-bar").value = 0;
    return [share > 0 ? `Uploading, ${Math.round(share * 100)} %` : "Uploading", share * UPLOAD_SHARE];
  }

  #working(elapsed) {
    const expected = durations()[this.#key];
    if (!expected) return [`Segmenting, ${milliseconds(elapsed)}`, null];
    const left = expected - elapsed;
    // Slower than before: the bar comes to rest just before the end.
    const share = left > 0 ? 0.92 * (elapsed / expected) : 0.92 + 0.07 * (1 - expected / elapsed);
    const text = left > 1000 ? `Segmenting, about ${milliseconds(left)} left` : "Segmenting, nearly there";
    return [text, UPLOAD_SHARE + (1 - UPLOAD_SHARE) * share];
  }
}
