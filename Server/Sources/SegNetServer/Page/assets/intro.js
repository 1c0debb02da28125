// What a visitor sees first: a street, segmented, and one line on what is special about it.
import { milliseconds } from "./format.js";
import { element } from "./page.js";

const IS_HERE = /^(localhost|127\.|\[::1\])/.test(location.host);

/** Until a first answer has come there is no time to tell. */
export function showFacts(timing) {
  const { decode = 0, network, encode = 0 } = timing ?? {};
  const machine = IS_HERE ? "this machine’s CPU" : "the server’s CPU";
  element("fact-time").textContent = network === undefined ? "" : milliseconds(decode + network + encode);
  element("fact-place").textContent =
    `${network === undefined ? "On" : "on"} ${machine}, in Swift. ` +
    (IS_HERE ? "Nothing leaves this machine." : "Photos go to this server only, and are not kept.");
}

/** The first picture of one's own takes the place of the introduction. */
export function endIntro() {
  delete element("app").dataset.intro;
  element("intro").hidden = true;
}

export function isIntro() {
  return !element("intro").hidden;
}
