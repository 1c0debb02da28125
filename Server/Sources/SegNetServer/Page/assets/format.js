// Numbers and names as the page shows them.

/** A share of 1 as per cent: one decimal, and "<0.1 %" for a little that is not nothing. */
export function percent(share) {
  if (share > 0 && share < 0.001) return "<0.1 %";
  return `${(share * 100).toFixed(1)} %`;
}

export function milliseconds(value) {
  if (value >= 9950) return `${(value / 1000).toFixed(0)} s`;
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return value >= 10 ? `${Math.round(value)} ms` : `${value.toFixed(1)} ms`;
}

export function bytes(count) {
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} MB`;
  return `${Math.max(1, Math.round(count / 1e3))} kB`;
}

/** "SignSymbol" and "night_stand" as people write them. */
export function className(name) {
  const words = name.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/_/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1).toLowerCase();
}

const ARCHITECTURES = { segnet: "SegNet", "segnet-basic": "SegNet-Basic" };
const WORDS = { camvid: "CamVid", small: "(small)" };

/** "segnet-streets" as people write it: "SegNet, streets". Another name stays as it is. */
export function modelTitle({ name, architecture, canSample }) {
  const shown = ARCHITECTURES[architecture];
  const plain = name.replace(/^bayesian-/, "");
  if (!shown || !plain.startsWith(architecture)) return name;
  const data = plain.slice(architecture.length).split("-").filter(Boolean);
  if (canSample && name.startsWith("bayesian-")) return "Bayesian, with uncertainty";
  return [shown, data.map((word) => WORDS[word] ?? word).join(" ")].filter(Boolean).join(", ");
}

/** The titles of all models. Two of one title could not be told apart: these keep their names. */
export function modelTitles(models) {
  const titles = models.map(modelTitle);
  return titles.map((title, index) => (titles.indexOf(title) === titles.lastIndexOf(title) ? title : models[index].name));
}

/** The file's name without folder and extension, for names of downloads. */
export function stem(fileName) {
  return fileName.replace(/^.*[\\/]/, "").replace(/\.[^.]*$/, "") || "photo";
}
