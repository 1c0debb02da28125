// The divider between the bare photo and the result: dragged, or moved with the arrow keys.
import { element } from "./page.js";

const KEYS = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1 };

/**
 * @param {(share: number | null) => void} moved Called with the share of the width that shows the photo; null when off.
 * @returns {{toggle: () => void}}
 */
export function makeDivider(moved) {
  const divider = element("divider");
  const button = element("compare");
  const canvas = element("picture");
  let share = 0.5;

  function set(value) {
    share = Math.min(Math.max(value, 0), 1);
    const rounded = Math.round(share * 100);
    divider.style.left = `${share * 100}%`;
    divider.setAttribute("aria-valuenow", rounded);
    divider.setAttribute("aria-valuetext", `${rounded} % photo`);
    if (!divider.hidden) moved(share);
  }

  function follow(event) {
    const box = canvas.getBoundingClientRect();
    set((event.clientX - box.left) / box.width);
  }

  function toggle() {
    divider.hidden = !divider.hidden;
    button.setAttribute("aria-pressed", String(!divider.hidden));
    if (divider.hidden) moved(null);
    else set(0.5);
  }

  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    divider.focus({ preventScroll: true });
    follow(event);
    event.preventDefault();
  });
  divider.addEventListener("pointermove", (event) => divider.hasPointerCapture(event.pointerId) && follow(event));
  divider.addEventListener("keydown", (event) => {
    if (event.key === "Home") set(0);
    else if (event.key === "End") set(1);
    else if (event.key in KEYS) set(share + KEYS[event.key]);
    else return;
    event.preventDefault();
  });
  button.addEventListener("click", toggle);
  return { toggle };
}
