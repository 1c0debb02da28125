// Where pictures come from: dropped, pasted, chosen, photographed, or a sample.
import { element, make } from "./page.js";

function filesOf(transfer) {
  return [...(transfer?.files ?? [])];
}

function prepareDrop(take) {
  const hint = element("drop-hint");
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    hint.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) hint.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    hint.hidden = true;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const files = filesOf(event.dataTransfer);
    if (files.length > 0) take(files);
  });
}

function preparePaste(take) {
  document.addEventListener("paste", (event) => {
    if (event.target.closest?.("input")) return;
    const files = filesOf(event.clipboardData);
    if (files.length === 0) return;
    event.preventDefault();
    take(files);
  });
}

function prepareInput(id, action, take) {
  const input = element(id);
  input.addEventListener("change", () => {
    const files = [...input.files];
    // The same file may be chosen twice in a row.
    input.value = "";
    if (files.length > 0) take(files);
  });
  for (const button of document.querySelectorAll(`[data-action="${action}"]`)) {
    button.addEventListener("click", () => input.click());
  }
}

/** @param {(files: File[]) => void} take Called with the pictures that came together. */
export function prepareSources(take) {
  prepareDrop(take);
  preparePaste(take);
  prepareInput("file", "choose", take);
  prepareInput("capture", "capture", take);
}

/**
 * Lists the server's samples after one's own pictures.
 *
 * @param {object[]} samples Entries of /v1/samples.
 * @param {(sample: object) => void} choose
 */
export function showSamples(samples, choose) {
  const items = samples.map((sample) => {
    const button = make("button", { className: "sample", type: "button", "data-sample": sample.name });
    // Empty alternative text: the title stands next to it.
    button.append(
      make("img", { src: sample.url, alt: "", loading: "lazy", width: "240", height: "180" }),
      make("span", { text: sample.title }),
    );
    button.addEventListener("click", () => choose(sample));
    const item = make("li", { className: "from-server" });
    item.append(button);
    return item;
  });
  for (const item of element("samples").querySelectorAll(".from-server")) item.remove();
  element("samples").append(...items);
}

/** Marks the sample of a name as the one that is shown; null: none. */
export function markSample(name) {
  for (const button of element("samples").querySelectorAll("[data-sample]")) {
    if (button.dataset.sample === name) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}
