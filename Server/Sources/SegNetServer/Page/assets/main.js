// The page: which model, which photo, and what happens when.
import * as api from "./api.js";
import { askForToken, describeModel, prepareHelp } from "./dialogs.js";
import { prepareDownloads } from "./downloads.js";
import { Failure } from "./failures.js";
import { className, percent } from "./format.js";
import { Live } from "./live.js";
import { hideNotice, showNotice, showWaiting } from "./notice.js";
import { announce, element, make } from "./page.js";
import { photoOfCanvas, readPhoto, smaller } from "./photo.js";
import { Progress } from "./progress.js";
import { segmentFrame, segmentPhoto } from "./segmentation.js";
import { prepareSources, showSamples, unmarkSamples } from "./sources.js";
import { showTiming } from "./timing.js";
import { Viewer, VIEWS } from "./viewer.js";

const SMALLER_SIDE = 1600;
const OPACITY_STEP = 10;

const viewer = new Viewer();
const live = new Live();
const progress = new Progress();
let models = [];
let model = null;
/** Stops the request on its way. */
let request = null;

function setState(state) {
  element("app").dataset.state = state;
  element("controls").hidden = state === "empty";
  element("live-badge").hidden = state !== "live";
  element("downloads").hidden = viewer.segmentation === null || state === "live";
}

/** Tells a failure, with what can be done about it. `again` repeats what failed. */
async function tell(failure, again) {
  if (failure.name === "AbortError") return;
  if (!(failure instanceof Failure)) {
    console.error(failure);
    return showNotice(new Failure("The page failed", `${failure.message}. Reload it, then try again.`));
  }
  switch (failure.kind) {
    case "token":
      if (await askForToken(failure.detail)) return again?.();
      return showNotice(failure, again ? [{ label: "Enter the token", run: () => tell(failure, again) }] : []);
    case "wait":
      return again ? showWaiting(failure, again) : showNotice(failure);
    case "smaller": {
      const photo = viewer.photo;
      const canShrink = photo && Math.max(photo.width, photo.height) > SMALLER_SIDE;
      const shrink = async () => segment(await smaller(photo, SMALLER_SIDE));
      return showNotice(failure, canShrink ? [{ label: "Send a smaller copy", run: shrink }] : []);
    }
    case "retry":
      return showNotice(failure, again ? [{ label: "Try again", run: again }] : []);
    default:
      return showNotice(failure);
  }
}

function sampleCount() {
  return viewer.view === "uncertainty" && model.canSample ? Number(element("sample-count").value) : 1;
}

async function segment(photo) {
  request?.abort();
  const own = new AbortController();
  request = own;
  hideNotice();
  const samples = sampleCount();
  if (photo !== viewer.photo) {
    viewer.showPhoto(photo);
    showNoShares();
    // Stacked, the picture can be out of sight: the samples are at the page's end.
    window.scrollTo({ top: 0 });
  }
  setState("result");
  announce(`Segmenting ${photo.name}`);
  const megapixels = Math.ceil((photo.width * photo.height) / 1e6);
  const key = `${model.name} ${samples} ${megapixels}`;
  progress.start(key);
  const start = performance.now();
  let done = false;
  try {
    const segmentation = await segmentPhoto(photo.blob, model, samples, {
      signal: own.signal,
      onUpload: (share) => request === own && progress.upload(share),
    });
    if (request !== own) return;
    done = true;
    viewer.showResult(photo, segmentation);
    showViews();
    setState("result");
    showTiming(segmentation.answer.timing ?? {}, performance.now() - start);
    element("legend-hint").textContent = "Choose a class to see it alone.";
    const [first, ...others] = [...segmentation.answer.classes].sort((a, b) => b.share - a.share);
    const list = [first, ...others.slice(0, 2)].map(({ name, share }) => `${className(name)} ${percent(share)}`);
    announce(`Segmented ${photo.name}: ${list.join(", ")}.`);
  } catch (failure) {
    if (request === own) tell(failure, () => segment(photo));
  } finally {
    if (request === own) {
      request = null;
      progress.stop(done);
      if (!done) showWhatThereIs();
    }
  }
}

/** The legend of what the model knows, while nothing is known of the photo. */
function showNoShares() {
  viewer.legend.show(model.classes);
  element("legend-hint").textContent = "What this model can name.";
  element("timing").hidden = true;
}

/** After a request without an answer: a view whose values never came gives way to one that can be shown. */
function showWhatThereIs() {
  if (!viewer.segmentation || viewer.canShow(viewer.view)) return;
  viewer.setView("overlay");
  showViews();
}

/** Segments a file. `mark` is called once it turned out to be a photo. */
async function take(blob, name, mark) {
  hideNotice();
  try {
    const photo = await readPhoto(blob, name);
    // Dropped before the models were there, or they did not come.
    if (!model) await start();
    if (!model) return;
    live.stop();
    unmarkSamples();
    mark?.();
    await segment(photo);
  } catch (failure) {
    tell(failure);
  }
}

/** The controls say what is shown. */
function showViews() {
  element("uncertainty-view").hidden = !model.canSample || live.isRunning;
  element("samples-field").hidden = viewer.view !== "uncertainty";
  document.querySelector(`input[name=view][value=${viewer.view}]`).checked = true;
  const value = Math.round(viewer.opacity * 100);
  element("opacity").value = value;
  element("opacity-value").textContent = `${value} %`;
}

function chooseView(view) {
  if (view === "uncertainty" && (!model.canSample || live.isRunning)) return;
  viewer.setView(view);
  showViews();
  if (!viewer.photo || live.isRunning) return;
  // Samples, or the confidence of a frame that was filmed without.
  const isMissing = viewer.segmentation ? !viewer.canShow(view) : view === "uncertainty";
  if (isMissing) segment(viewer.photo);
}

function setOpacity(value) {
  viewer.opacity = Math.min(Math.max(value, 0), 100) / 100;
  showViews();
}

function chooseModel(name) {
  model = models.find((entry) => entry.name === name) ?? models[0];
  describeModel(model);
  viewer.legend.reset();
  if (viewer.view === "uncertainty" && !model.canSample) viewer.view = "overlay";
  if (live.isRunning) return showViews();
  if (viewer.photo) return segment(viewer.photo).then(showViews);
  showNoShares();
  showViews();
}

async function startLive() {
  request?.abort();
  hideNotice();
  unmarkSamples();
  announce("Starting the camera");
  try {
    await live.run({
      size: () => model,
      // Without confidence the answer is there sooner.
      segment: (blob, signal) =>
        viewer.view === "confidence" ? segmentPhoto(blob, model, 1, { signal }) : segmentFrame(blob, model, { signal }),
      show: (photo, segmentation, rate) => {
        viewer.showResult(photo, segmentation, { live: true });
        element("fps").textContent = rate.toFixed(1);
        setState("live");
      },
      started: (hasOther) => {
        element("flip").hidden = !hasOther;
        if (viewer.view === "uncertainty") viewer.view = "overlay";
        showViews();
        element("timing").hidden = true;
        announce("The camera runs");
      },
    });
  } catch (failure) {
    tell(failure, startLive);
  } finally {
    if (!live.isRunning && element("app").dataset.state === "live") {
      setState("result");
      showWhatThereIs();
      showViews();
    }
  }
}

/** Ends live mode with the present frame as a photo, at the camera's own size. */
async function keepFrame() {
  try {
    const photo = await photoOfCanvas(live.picture(), `camera-${new Date().toISOString().slice(0, 19).replace(/:/g, ".")}.jpg`);
    live.stop();
    await segment(photo);
  } catch (failure) {
    tell(failure);
  }
}

function prepareControls() {
  element("views").addEventListener("change", (event) => chooseView(event.target.value));
  element("opacity").addEventListener("input", (event) => setOpacity(Number(event.target.value)));
  element("sample-count").addEventListener("change", () => viewer.photo && segment(viewer.photo));
  element("model").addEventListener("change", (event) => chooseModel(event.target.value));
  element("cancel").addEventListener("click", cancel);
  element("freeze").addEventListener("click", keepFrame);
  element("camera-stop").addEventListener("click", () => live.stop());
  element("flip").addEventListener("click", () => live.changeCamera().catch((failure) => tell(failure)));
  for (const button of document.querySelectorAll("[data-action=camera]")) button.addEventListener("click", startLive);
  element("picture").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") setOpacity(viewer.opacity * 100 + OPACITY_STEP);
    else if (event.key === "-") setOpacity(viewer.opacity * 100 - OPACITY_STEP);
    else if (event.key.toLowerCase() === "c") viewer.divider.toggle();
    else if (VIEWS[Number(event.key) - 1]) chooseView(VIEWS[Number(event.key) - 1]);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    if (request) cancel();
    else if (!element("notice").hidden) hideNotice();
    else viewer.legend.reset();
  });
}

function cancel() {
  request?.abort();
  request = null;
  progress.stop();
  announce("Cancelled");
  showWhatThereIs();
  const again = viewer.photo;
  if (!viewer.segmentation && again) {
    const failure = new Failure("Cancelled", "The photo was not segmented.", { kind: "cancelled" });
    showNotice(failure, [{ label: "Segment it", run: () => segment(again) }]);
  }
}

async function start() {
  try {
    models = await api.models();
  } catch (failure) {
    return tell(failure, start);
  }
  const choices = models.map(({ name }) => make("option", { value: name, text: name }));
  element("model").replaceChildren(...choices);
  element("model").value = (models.find(({ isDefault }) => isDefault) ?? models[0]).name;
  element("model").disabled = false;
  chooseModel(element("model").value);
  showSamples(take, (failure) => tell(failure)).catch(() => {
    element("sources-title").hidden = true;
  });
}

prepareHelp();
prepareSources(take);
prepareControls();
prepareDownloads(
  () => ({ photo: viewer.photo, segmentation: viewer.segmentation, opacity: viewer.view === "overlay" ? viewer.opacity : 0.6 }),
  (failure) => tell(failure),
);
start();
