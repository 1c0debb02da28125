// Colours of classes, and the scales of the confidence and uncertainty views.

/** "#804080" as [128, 64, 128]. */
export function rgb(hex) {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Colours of a model's classes by id; ids without a class stay black. */
export function palette(classes) {
  const colors = Array.from({ length: 256 }, () => [0, 0, 0]);
  for (const { id, color } of classes) colors[id] = rgb(color);
  return colors;
}

/** 256 colours through `stops`, evenly spaced. Lightness rises all the way, so that it reads without colour too. */
function ramp(stops) {
  const points = stops.map(rgb);
  return Array.from({ length: 256 }, (_, value) => {
    const place = (value / 255) * (points.length - 1);
    const index = Math.min(Math.floor(place), points.length - 2);
    const share = place - index;
    return points[index].map((from, channel) => Math.round(from + (points[index + 1][channel] - from) * share));
  });
}

export const SCALES = {
  confidence: { colors: ramp(["#2b0b3f", "#3b3a86", "#1f7f93", "#4fbf7d", "#f3f0a0"]), low: "0 %, a guess", high: "100 %, certain" },
  uncertainty: { colors: ramp(["#0b0a1f", "#51186e", "#b6395f", "#f2843f", "#fcf3b0"]), low: "samples agree", high: "samples differ most" },
};
