// The divider between the bare photo and the result: dragged, or moved with the arrow keys.
import { element } from "./page.js";

const KEYS = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1 };
const SWEEP_MILLISECONDS = 2400;

/**
 * @param {(share: number | null) => void} moved Called with the share of the width that shows the photo; null when off.
 * @returns {{toggle: () => void, close: () => void, sweep: (end: number) => void}}
 */
export function makeDivider(moved) {
  const divider = element("divider");
  const button = element("compare");
  const canvas = element("picture");
  let share = 0.5;
  let frame = 0;

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

  function show(isShown) {
    cancelAnimationFrame(frame);
    divider.hidden = !isShown;
    button.setAttribute("aria-pressed", String(isShown));
    if (!isShown) moved(null);
  }

  function toggle() {
    show(divider.hidden);
    if (!divider.hidden) set(0.5);
  }

  /** Opens it, lets it sweep from the photo over the whole result once, and rests at `end`. */
  function sweep(end) {
    show(true);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return set(end);
    const start = performance.now();
    const ease = (time) => (time < 0.5 ? 2 * time * time : 1 - 2 * (1 - time) ** 2);
    const step = (now) => {
      const time = Math.min(1, Math.max(0, (now - start) / SWEEP_MILLISECONDS));
      // Two thirds of the time to the left edge, the rest back.
      set(time < 0.65 ? 1 - ease(time / 0.65) : end * ease((time - 0.65) / 0.35));
      if (time < 1) frame = requestAnimationFrame(step);
    };
    set(1);
    frame = requestAnimationFrame(step);
  }

  divider.addEventListener("pointerdown", (event) => {
    cancelAnimationFrame(frame);
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
    cancelAnimationFrame(frame);
    event.preventDefault();
  });
  button.addEventListener("click", toggle);
  return { toggle, close: () => show(false), sweep };
}
