// Failures where the user looks: over the picture, with what to do next as buttons.
import { element, make } from "./page.js";

let countdown = 0;

export function hideNotice() {
  clearInterval(countdown);
  element("notice").hidden = true;
}

/**
 * @param {import("./failures.js").Failure} failure
 * @param {{label: string, run: () => void}[]} actions The first is the one to recommend.
 */
export function showNotice(failure, actions = []) {
  clearInterval(countdown);
  element("notice").classList.toggle("calm", failure.kind === "cancelled");
  element("notice-title").textContent = failure.title;
  element("notice-text").textContent = failure.detail;
  const buttons = [...actions, { label: "Close", run: () => {} }].map(({ label, run }, index) => {
    const recommended = index === 0 && actions.length > 0;
    const button = make("button", { className: recommended ? "button primary" : "button", type: "button", text: label });
    button.addEventListener("click", () => {
      hideNotice();
      run();
    });
    return button;
  });
  element("notice-actions").replaceChildren(...buttons);
  element("notice").hidden = false;
}

/** Shows that the server is busy, counts down as it asked, then runs `again`. */
export function showWaiting(failure, again) {
  let seconds = failure.retryAfter;
  showNotice(failure, [{ label: "Try now", run: again }]);
  const button = element("notice-actions").firstElementChild;
  const tell = () => {
    button.textContent = `Try now (automatically in ${seconds} s)`;
  };
  tell();
  countdown = setInterval(() => {
    seconds -= 1;
    if (seconds > 0) return tell();
    hideNotice();
    again();
  }, 1000);
}
