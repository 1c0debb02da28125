// Where pictures come from: dropped, pasted, chosen, photographed, or a sample.
import * as api from "./api.js";
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
    const [file] = filesOf(event.dataTransfer);
    if (file) take(file, file.name);
  });
}

function preparePaste(take) {
  document.addEventListener("paste", (event) => {
    if (event.target.closest?.("input")) return;
    const [file] = filesOf(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    take(file, file.name || "pasted.png");
  });
}

function prepareInput(id, action, take) {
  const input = element(id);
  input.addEventListener("change", () => {
    const [file] = input.files;
    // The same file may be chosen twice in a row.
    input.value = "";
    if (file) take(file, file.name);
  });
  for (const button of document.querySelectorAll(`[data-action="${action}"]`)) {
    button.addEventListener("click", () => input.click());
  }
}

/** @param {(blob: Blob, name: string) => void} take Called with each picture. */
export function prepareSources(take) {
  prepareDrop(take);
  preparePaste(take);
  prepareInput("file", "choose", take);
  prepareInput("capture", "capture", take);
}

/**
 * Lists the server's samples. The page goes on without them where they fail to load.
 *
 * @param {(blob: Blob, name: string, mark: () => void) => void} take
 * @param {(failure: Error) => void} failed
 */
export async function showSamples(take, failed) {
  const samples = await api.samples();
  const items = samples.map(({ title, url }) => {
    const button = make("button", { className: "sample", type: "button" });
    // Empty alternative: the title stands beside it.
    button.append(make("img", { src: url, alt: "", loading: "lazy", width: "240", height: "180" }), make("span", { text: title }));
    button.addEventListener("click", async () => {
      try {
        const mark = () => button.setAttribute("aria-current", "true");
        take(await api.sampleBlob(url), url.replace(/^.*\//, ""), mark);
      } catch (failure) {
        failed(failure);
      }
    });
    const item = make("li");
    item.append(button);
    return item;
  });
  element("samples").replaceChildren(...items);
}

/** Takes the mark off the sample that was shown. */
export function unmarkSamples() {
  for (const button of element("samples").querySelectorAll("[aria-current]")) button.removeAttribute("aria-current");
}
