// Help, and the question for the server's token.
import { setToken } from "./api.js";
import { className } from "./format.js";
import { element, make } from "./page.js";

export function prepareHelp() {
  const dialog = element("help");
  element("help-open").addEventListener("click", () => dialog.showModal());
  // A press beside the dialog's box is one on its backdrop.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

/** What the help says of the chosen model. */
export function describeModel(model) {
  const rows = [
    ["Name", model.name],
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
 * @param {string} detail What the server said.
 * @returns {Promise<boolean>} Whether one was given.
 */
export function askForToken(detail) {
  const dialog = element("token");
  const input = element("token-value");
  element("token-text").textContent = `${detail} It is kept until this tab is closed.`;
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
