// Says how sure the model is of the whole picture, and marks where it guesses if it seems to be a stranger's.
import { percent } from "./format.js";
import { element } from "./page.js";
import { meanConfidence } from "./regions.js";

/** Pixels that get less are a guess: another class, or all others together, would have as much. */
export const DOUBTFUL_SHARE = 0.5;

/**
 * The mean confidence below which a picture is taken to be unlike the training data: no validation picture of CamVid lies below, most
 * rooms do. docs/web-demo.md has the measurement.
 */
const LEAST_MEANS = {
  "segnet-streets": 0.8,
  "segnet-streets-small": 0.8,
  "segnet-basic-camvid": 0.8,
  "bayesian-segnet-camvid": 0.78,
};
const LEAST_MEAN = 0.75;

export class Doubt {
  #button = element("doubt-toggle");
  #text = element("doubt-text");
  /** What the user chose, or null: as the picture needs it. */
  #choice = null;
  #isStrange = false;
  #hasConfidence = false;
  #changed;

  /** @param {() => void} changed Called when stripes come or go by the button. */
  constructor(changed) {
    this.#changed = changed;
    this.#button.addEventListener("click", () => {
      this.#choice = !this.isMarked;
      this.#tell();
      this.#changed();
    });
  }

  /** Whether doubtful pixels are striped. */
  get isMarked() {
    return this.#choice ?? this.#isStrange;
  }

  /** @param {import("./segmentation.js").Segmentation | null} segmentation */
  show(segmentation) {
    const confidence = segmentation?.confidence;
    this.#choice = null;
    // The mean of samples is less sure by nature: it is judged by its uncertainty.
    const mean = confidence && !segmentation.uncertainty ? meanConfidence(confidence) : 1;
    this.#isStrange = mean < (LEAST_MEANS[segmentation?.answer.model] ?? LEAST_MEAN);
    this.#hasConfidence = confidence !== undefined;
    element("doubt").hidden = !this.#isStrange;
    this.#text.textContent =
      `The model is unsure here (${percent(mean)} on average): the picture may be unlike those that it learnt from. ` +
      "Striped parts are guesses.";
    this.#tell();
  }

  /** Whether stripes have a place at all: not over heat. */
  allow(isAllowed) {
    this.#button.hidden = !isAllowed || !this.#hasConfidence;
  }

  #tell() {
    this.#button.setAttribute("aria-pressed", String(this.isMarked));
  }
}
