// Live mode: frame after frame from the camera through the server, one on its way at a time, so that a slow server sets the
// pace and nothing queues.
import { Camera } from "./camera.js";
import { failureOfCamera } from "./failures.js";
import { toBlob } from "./photo.js";

const RATE_WINDOW_MILLISECONDS = 2000;
const JPEG_QUALITY = 0.85;

export class Live {
  #camera = new Camera();
  #stopper = null;
  #arrivals = [];

  get isRunning() {
    return this.#stopper !== null;
  }

  /**
   * Runs until `stop`, or until something fails, which is thrown.
   *
   * @param {object} actions
   * @param {() => {width: number, height: number}} actions.size The largest that a frame may be; asked for each one.
   * @param {(blob: Blob, signal: AbortSignal) => Promise<object>} actions.segment
   * @param {(photo: object, segmentation: object, framesPerSecond: number) => void} actions.show
   * @param {(hasOther: boolean) => void} actions.started
   */
  async run({ size, segment, show, started }) {
    this.stop();
    const stopper = new AbortController();
    this.#stopper = stopper;
    try {
      await this.#guard(() => this.#camera.start());
      if (stopper.signal.aborted) return;
      started(await this.#camera.hasOther());
      this.#arrivals = [performance.now()];
      while (!stopper.signal.aborted) {
        if (!this.#camera.isRunning) throw failureOfCamera({ name: "NotFoundError" });
        await this.#waitUntilVisible(stopper.signal);
        const { width, height } = size();
        const shown = this.#camera.frame(width, height);
        const blob = await toBlob(shown, "image/jpeg", JPEG_QUALITY);
        const segmentation = await this.#patiently(() => segment(blob, stopper.signal), stopper.signal);
        if (stopper.signal.aborted) return;
        const photo = { name: "camera.jpg", blob, width: shown.width, height: shown.height, shown };
        show(photo, segmentation, this.#rate());
      }
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    } finally {
      if (this.#stopper === stopper) this.stop();
    }
  }

  stop() {
    this.#stopper?.abort();
    this.#stopper = null;
    this.#camera.stop();
  }

  /** The present frame at the camera's own size. */
  picture() {
    return this.#camera.frame();
  }

  async changeCamera() {
    await this.#guard(() => this.#camera.change());
  }

  async #guard(action) {
    try {
      await action();
    } catch (error) {
      throw failureOfCamera(error);
    }
  }

  /** A busy server is met with the wait it asks for: live mode goes on by itself. */
  async #patiently(segment, signal) {
    for (let attempt = 0; ; attempt++) {
      try {
        return await segment();
      } catch (error) {
        if (error.kind !== "wait" || attempt === 2) throw error;
        await new Promise((resolve) => setTimeout(resolve, error.retryAfter * 1000));
        if (signal.aborted) throw error;
      }
    }
  }

  /** A hidden page needs no frames. */
  #waitUntilVisible(signal) {
    if (!document.hidden) return undefined;
    return new Promise((resolve) => {
      document.addEventListener("visibilitychange", resolve, { once: true });
      signal.addEventListener("abort", resolve, { once: true });
    });
  }

  /** Frames per second over the last two seconds. */
  #rate() {
    const now = performance.now();
    this.#arrivals.push(now);
    while (this.#arrivals.length > 2 && now - this.#arrivals[0] > RATE_WINDOW_MILLISECONDS) this.#arrivals.shift();
    const span = now - this.#arrivals[0];
    return span > 0 ? ((this.#arrivals.length - 1) * 1000) / span : 0;
  }
}
