// How large the picture is: as large as its place allows, with its own proportions.
import { element } from "./page.js";

const LARGEST_MAGNIFICATION = 4;
/** Where the picture's place does not depend on the picture: as in layout.css. */
const SIDE_BY_SIDE = matchMedia("(min-width: 60rem), (min-width: 40rem) and (max-height: 32rem)");

/** The room of the stage in CSS pixels. */
export function stageRoom() {
  const stage = element("stage");
  return SIDE_BY_SIDE.matches
    ? { width: stage.clientWidth, height: stage.clientHeight }
    : { width: stage.clientWidth, height: Math.max(240, window.innerHeight * 0.58) };
}

/** The size in CSS pixels of a picture of width x height on the stage. */
export function fittingSize(width, height) {
  const room = stageRoom();
  const scale = Math.min(room.width / width, room.height / height, LARGEST_MAGNIFICATION);
  return { width: Math.max(1, Math.floor(width * scale)), height: Math.max(1, Math.floor(height * scale)) };
}

/** Calls `action` when the stage's place changes. */
export function whenRoomChanges(action) {
  let last = "";
  const check = () => {
    const stage = element("stage");
    // Stacked, the stage's height follows from the picture: only its width counts.
    const room = `${stage.clientWidth} ${SIDE_BY_SIDE.matches ? stage.clientHeight : window.innerHeight} ${devicePixelRatio}`;
    if (room === last) return;
    last = room;
    action();
  };
  new ResizeObserver(() => requestAnimationFrame(check)).observe(element("stage"));
  window.addEventListener("resize", check);
}
