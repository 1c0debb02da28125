// Buttons, sliders and keys, connected to what they do.
import { element } from "./page.js";
import { VIEWS } from "./viewer.js";

const OPACITY_STEP = 10;

/** The keys of the picture, by what they write. */
function keysOf(actions) {
  const opacity = (by) => () => actions.setOpacity(actions.opacity() * 100 + by);
  return {
    "+": () => actions.zoom.in(),
    "=": () => actions.zoom.in(),
    "-": () => actions.zoom.out(),
    0: () => actions.zoom.whole(),
    o: opacity(OPACITY_STEP),
    O: opacity(-OPACITY_STEP),
    c: actions.compare,
    C: actions.compare,
  };
}

function prepareKeys(actions) {
  const keys = keysOf(actions);
  element("picture").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const view = VIEWS[Number(event.key) - 1];
    if (view) actions.chooseView(view);
    else if (event.key in keys) keys[event.key]();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) actions.leave();
  });
}

/** @param {Record<string, Function>} actions What main.js does. */
export function prepareControls(actions) {
  const clicks = {
    cancel: actions.cancel,
    freeze: actions.keepFrame,
    "camera-stop": actions.stopLive,
    flip: actions.changeCamera,
    "zoom-in": () => actions.zoom.in(),
    "zoom-out": () => actions.zoom.out(),
    "zoom-whole": () => actions.zoom.whole(),
    "data-colors": actions.changeColors,
  };
  for (const [id, action] of Object.entries(clicks)) element(id).addEventListener("click", () => action());
  for (const button of document.querySelectorAll("[data-action=camera]")) {
    button.addEventListener("click", () => actions.startLive());
  }
  element("views").addEventListener("change", (event) => actions.chooseView(event.target.value));
  element("opacity").addEventListener("input", (event) => actions.setOpacity(Number(event.target.value)));
  element("sample-count").addEventListener("change", () => actions.sampleAgain());
  element("model").addEventListener("change", (event) => actions.chooseModel(event.target.value));
  prepareKeys(actions);
}
