// Colours to look at, in place of a data set's, which were made for files: there, cars sink into the road.
//
// Found by a search over OKLCh: classes that touch in streets differ in contrast by at least 2, and every two classes differ by
// at least 0.11 in OKLab for full sight, protanopia, deuteranopia and tritanopia. `Tests/Web/test_palette.py` checks both.
const COLORS = {
  sky: "#8dcafe",
  building: "#6b4b3c",
  pole: "#04050f",
  road: "#3d3991",
  pavement: "#b25fde",
  tree: "#45936b",
  signsymbol: "#f8f93b",
  fence: "#00241e",
  car: "#ef4514",
  pedestrian: "#feae94",
  bicyclist: "#a8fefd",
};

/** Whether all classes of a model have a colour here; another model keeps its data set's colours. */
export function hasDisplayColors(classes) {
  return classes.every(({ name }) => name.toLowerCase() in COLORS);
}

/** The classes with the colours to look at. */
export function withDisplayColors(classes) {
  return classes.map((entry) => ({ ...entry, color: COLORS[entry.name.toLowerCase()] }));
}
