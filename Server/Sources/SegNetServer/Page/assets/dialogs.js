// Help, and the question for the server's token.
import { setToken } from "./api.js";
import { className, modelTitle } from "./format.js";
import { element, make } from "./page.js";

export function prepareHelp() {
  const dialog = element("help");
  element("help-open").addEventListener("click", () => dialog.showModal());
  element("about-open").addEventListener("click", () => {
    dialog.showModal();
    element("about-project").scrollIntoView();
  });
  // A press outside the dialog's box is one on its backdrop.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

/** What the help says of the chosen model. */
export function describeModel(model) {
  const rows = [
    ["Name", modelTitle(model)],
    ["In programs", model.name],
    ["Network", `${model.architecture}, ${model.width} x ${model.height}${model.canSample ? ", can be sampled" : ""}`],
    ["Classes", model.classes.map(({ name }) => className(name)).join(", ")],
    ["Data", model.data],
    ["Licence", model.licence],
  ];
  const entries = rows
    .filter(([, value]) => value)
    .map(([name, value]) => {
      const row = make("div");
      row.append(make("dt", { text: name }), make("dd", { text: value }));
      return row;
    });
  element("about-model").replaceChildren(...entries);
}

/**
 * Asks for the token.
 *
 * @param {boolean} wasRefused Whether one was given that is not the server's.
 * @returns {Promise<boolean>} Whether one was given.
 */
export function askForToken(wasRefused) {
  const dialog = element("token");
  const input = element("token-value");
  element("token-text").textContent =
    (wasRefused ? "The server did not accept that token. Check it, and enter it again. " : "") +
    "Photos are segmented here only for people who have a token: whoever runs the server can give you one. " +
    "The page keeps it until you close this tab.";
  input.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const closed = () => {
      const given = dialog.returnValue === "use" && input.value.trim() !== "";
      if (given) setToken(input.value.trim());
      resolve(given);
    };
    dialog.addEventListener("close", closed, { once: true });
  });
}
