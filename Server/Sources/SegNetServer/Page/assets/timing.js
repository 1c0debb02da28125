// How long the answer took, and, unfolded, where the time went.
import { milliseconds } from "./format.js";
import { element, make } from "./page.js";

const NAMES = { queue: "Waiting", decode: "Reading the photo", network: "Network", encode: "Writing the answer" };

/** @param {Record<string, number>} timing Milliseconds by part. @param {number} total Seen from here. */
export function showTiming(timing, total) {
  const rows = [];
  let known = 0;
  for (const [key, name] of Object.entries(NAMES)) {
    if (timing[key] === undefined) continue;
    known += timing[key];
    rows.push(make("dt", { text: name }), make("dd", { text: milliseconds(timing[key]) }));
  }
  rows.push(make("dt", { text: "Transfer" }), make("dd", { text: milliseconds(Math.max(0, total - known)) }));
  element("timing-parts").replaceChildren(...rows);
  element("timing-total").textContent = milliseconds(total);
  element("timing").hidden = false;
}
