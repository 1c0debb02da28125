// How long the answer took, and where the time went.
import { milliseconds } from "./format.js";
import { element, make } from "./page.js";

const NAMES = { queue: "Waiting", decode: "Reading the photo", network: "Network", encode: "Writing the answer" };

/** @param {Record<string, number>} timing Milliseconds by part. @param {number} total Seen from here. */
export function showTiming(timing, total) {
  const rows = [];
  for (const [key, name] of Object.entries(NAMES)) {
    if (timing[key] !== undefined) rows.push(make("dt", { text: name }), make("dd", { text: milliseconds(timing[key]) }));
  }
  rows.push(
    make("dt", { className: "total", text: "From here and back" }),
    make("dd", { className: "total", text: milliseconds(total) }),
  );
  element("timing").replaceChildren(...rows);
  element("timing").hidden = false;
}
