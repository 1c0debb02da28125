// The page: which model, which photo, and what happens when.
import * as api from "./api.js";
import { prepareControls } from "./controls.js";
import { askForToken, describeModel, prepareHelp } from "./dialogs.js";
import { prepareDownloads } from "./downloads.js";
import { Failure } from "./failures.js";
import { className, modelTitle, modelTitles, percent } from "./format.js";
import { endIntro, isIntro, showFacts } from "./intro.js";
import { Live } from "./live.js";
import { hideNotice, showNotice, showWaiting } from "./notice.js";
import { announce, element, make } from "./page.js";
import { photoOfCanvas, readPhoto, smaller } from "./photo.js";
import { Progress } from "./progress.js";
import { Results } from "./results.js";
import { segmentFrame, segmentPhoto } from "./segmentation.js";
import { prepareSharing } from "./sharing.js";
import { markSample, prepareSources, showSamples } from "./sources.js";
import { showTiming } from "./timing.js";
import { prepareVideos } from "./video.js";
import { Viewer } from "./viewer.js";

const SMALLER_SIDE = 1600;
/** Where the divider comes to rest after its first sweep. */
const FIRST_DIVIDER = 0.45;

const viewer = new Viewer();
const live = new Live();
const progress = new Progress();
const results = new Results(showAgain);
const offerDownloads = prepareDownloads(viewer, (failure, again) => tell(failure, again));
let models = [];
let samples = [];
let model = null;
/** The model that was chosen before the uncertainty view changed it. */
let modelBefore = null;
/** Stops the request on its way. */
let request = null;
/** Grows with each drop: pictures of an earlier one that still wait give way. */
let batch = 0;

function setState(state) {
  element("app").dataset.state = state;
  element("controls").hidden = state === "empty" || state === "loading";
  element("live-badge").hidden = state !== "live";
  const hasFiles = viewer.segmentation !== null && state !== "live";
  element("downloads").hidden = !hasFiles;
  element("share").hidden = !hasFiles;
  if (hasFiles) offerDownloads(viewer.segmentation.answer.classes);
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
      if (await askForToken(api.hasToken())) return again?.();
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

/**
 * Segments a photo and shows it.
 *
 * @param {{sample?: string | null, quiet?: boolean}} options The sample's name if it is one; `quiet`: a failure is thrown, not told.
 */
async function segment(photo, { sample = photo.sample ?? null, quiet = false } = {}) {
  request?.abort();
  const own = new AbortController();
  request = own;
  photo.sample = sample;
  hideNotice();
  const count = sampleCount();
  if (photo !== viewer.photo) {
    viewer.showPhoto(photo);
    showNoShares();
    // Stacked, the picture can be out of sight: the samples are at the page's end.
    window.scrollTo({ top: 0 });
  }
  setState("result");
  markShown(photo);
  announce(`Segmenting ${photo.name}`);
  const megapixels = Math.ceil((photo.width * photo.height) / 1e6);
  progress.start(`${model.name} ${count} ${megapixels}`);
  const start = performance.now();
  let done = false;
  try {
    const segmentation = await segmentPhoto(photo.blob, model, count, {
      name: photo.name,
      signal: own.signal,
      onUpload: (share) => request === own && progress.upload(share),
    });
    if (request !== own) return;
    done = true;
    segmentation.total = performance.now() - start;
    showSegmented(photo, segmentation);
    if (!sample) results.add(photo, segmentation, (longest) => viewer.snapshot(longest), !viewer.showsClasses);
    results.mark(photo);
  } catch (failure) {
    if (request === own && quiet) throw failure;
    if (request === own) tell(failure, () => segment(photo));
  } finally {
    if (request === own) {
      request = null;
      progress.stop(done);
      if (!done) showWhatThereIs();
    }
  }
}

function showSegmented(photo, segmentation) {
  viewer.showResult(photo, segmentation, { sweep: !isIntro() });
  showViews();
  setState("result");
  showTiming(segmentation.answer.timing ?? {}, segmentation.total);
  const touches = matchMedia("(hover: none)").matches;
  element("legend-hint").textContent = touches
    ? "Tap a class to see it alone. Two fingers zoom."
    : "Choose a class to see it alone.";
  const [first, ...others] = [...segmentation.answer.classes].sort((a, b) => b.share - a.share);
  const list = [first, ...others.slice(0, 2)].map(({ name, share }) => `${className(name)} ${percent(share)}`);
  announce(`Segmented ${photo.name}: ${list.join(", ")}.`);
}

/** A result from the strip, without asking the server again. */
function showAgain(photo, segmentation) {
  cancel({ quietly: true });
  live.stop();
  hideNotice();
  viewer.showPhoto(photo);
  if (viewer.view === "uncertainty" && !segmentation.uncertainty) viewer.view = "overlay";
  showSegmented(photo, segmentation);
  markShown(photo);
  window.scrollTo({ top: 0 });
}

/** Marks the picture that is shown in the strip, and gives a sample an address to share. */
function markShown(photo) {
  markSample(photo.sample);
  results.mark(photo);
  history.replaceState(null, "", photo.sample ? `#${encodeURIComponent(photo.sample)}` : location.pathname);
  element("share-link").hidden = !photo.sample || !navigator.clipboard;
}

/** The legend of what the model knows, while nothing is known of the photo. */
function showNoShares() {
  viewer.showClasses(model.classes);
  element("legend-hint").textContent = "What this model can name.";
  element("timing").hidden = true;
}

/** After a request without an answer: a view whose values never came gives way to one that can be shown. */
function showWhatThereIs() {
  if (!viewer.segmentation || viewer.canShow(viewer.view)) return;
  viewer.setView("overlay");
  showViews();
}

function leaveIntro() {
  if (!isIntro()) return;
  endIntro();
  viewer.divider.close();
}

/** Segments files, one after the other. What fails is told at the end, so that it does not hide the next picture. */
async function take(files) {
  const own = ++batch;
  hideNotice();
  let failed = null;
  for (const file of files) {
    try {
      const photo = await readPhoto(file, file.name || "pasted.png");
      if (!(await hasModel()) || own !== batch) return;
      live.stop();
      leaveIntro();
      await segment(photo, { sample: null, quiet: files.length > 1 });
    } catch (failure) {
      failed ??= failure;
    }
    if (own !== batch) return;
  }
  if (failed) tell(failed);
}

/** Fetches and segments one of the server's samples. */
async function openSample(sample, options) {
  const own = ++batch;
  const photo = await readPhoto(await api.sampleBlob(sample.url), sample.url.replace(/^.*\//, ""));
  if (!(await hasModel()) || own !== batch) return;
  await segment(photo, { sample: sample.name, ...options });
}

async function chooseSample(sample) {
  hideNotice();
  live.stop();
  leaveIntro();
  try {
    await openSample(sample);
  } catch (failure) {
    tell(failure, () => chooseSample(sample));
  }
}

/** The controls say what is shown. */
function showViews() {
  element("uncertainty-view").hidden = !models.some(({ canSample }) => canSample) || live.isRunning;
  element("samples-field").hidden = viewer.view !== "uncertainty";
  document.querySelector(`input[name=view][value=${viewer.view}]`).checked = true;
  const value = Math.round(viewer.opacity * 100);
  element("opacity").value = value;
  element("opacity-value").textContent = `${value} %`;
  element("data-colors").setAttribute("aria-pressed", String(viewer.usesDataColors));
}

function setModel(next) {
  model = next;
  element("model").value = model.name;
  describeModel(model);
  viewer.legend.reset();
}

/** Uncertainty needs a model that can be sampled: the view changes to one, and back when it is left. */
function chooseView(view) {
  const sampler = model.canSample ? model : models.find(({ canSample }) => canSample);
  if (view === "uncertainty" && (!sampler || live.isRunning)) return;
  viewer.setView(view);
  let isOtherModel = false;
  if (view === "uncertainty" && sampler !== model) {
    modelBefore = model;
    setModel(sampler);
    announce(`Changed to ${modelTitle(sampler)}.`);
    isOtherModel = true;
  } else if (view !== "uncertainty" && modelBefore) {
    setModel(modelBefore);
    modelBefore = null;
    isOtherModel = true;
  }
  showViews();
  if (!viewer.photo || live.isRunning) return;
  // Samples, or the confidence of a frame that was filmed without.
  const isMissing = viewer.segmentation ? !viewer.canShow(view) : view === "uncertainty";
  if (isMissing || isOtherModel) segment(viewer.photo);
}

function setOpacity(value) {
  viewer.opacity = Math.min(Math.max(value, 0), 100) / 100;
  showViews();
}

function chooseModel(name) {
  modelBefore = null;
  setModel(models.find((entry) => entry.name === name) ?? models[0]);
  if (viewer.view === "uncertainty" && !model.canSample) viewer.view = "overlay";
  if (live.isRunning) return showViews();
  if (viewer.photo) return segment(viewer.photo).then(showViews);
  showNoShares();
  showViews();
}

async function startLive() {
  const own = ++batch;
  request?.abort();
  hideNotice();
  if (!(await hasModel()) || own !== batch) return;
  markSample(null);
  leaveIntro();
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
        announce("The camera is on");
      },
    });
  } catch (failure) {
    tell(failure, startLive);
  } finally {
    if (!live.isRunning && element("app").dataset.state === "live") {
      setState("result");
      showWhatThereIs();
      showViews();
    } else if (!live.isRunning && !viewer.photo) {
      setState("empty");
    }
  }
}

/** Ends live mode with the present frame as a photo, at the camera's own size. */
async function keepFrame() {
  try {
    const photo = await photoOfCanvas(live.picture(), `camera-${new Date().toISOString().slice(0, 19).replace(/:/g, ".")}.jpg`);
    live.stop();
    await segment(photo, { sample: null });
  } catch (failure) {
    tell(failure);
  }
}

function cancel({ quietly = false } = {}) {
  batch++;
  request?.abort();
  request = null;
  progress.stop();
  if (quietly) return;
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
    showEmpty();
    return tell(failure, () => start().then(demonstrate));
  }
  const titles = modelTitles(models);
  element("model").replaceChildren(...models.map(({ name }, index) => make("option", { value: name, text: titles[index] })));
  element("model").disabled = false;
  chooseModel((models.find(({ isDefault }) => isDefault) ?? models[0]).name);
}

/** Whether there is a model to work with. What came before the models, or after they did not come, asks for them again. */
async function hasModel() {
  if (!model) {
    hideNotice();
    await start();
  }
  return model !== null;
}

/** Opens with a result: the sample that the address names, or the first one. Where there is none, the page asks for a photo. */
async function demonstrate() {
  try {
    samples = await api.samples();
    showSamples(samples, chooseSample);
    const named = decodeURIComponent(location.hash.slice(1));
    const sample = samples.find(({ name }) => name === named) ?? samples[0];
    // Somebody who has dropped a photo by now wants to see that one.
    if (batch > 0 || !model) return;
    if (!sample) return showEmpty();
    const own = batch + 1;
    await openSample(sample, { quiet: true });
    if (batch !== own || !viewer.segmentation) return;
    showFacts(viewer.segmentation.answer.timing);
    if (isIntro()) viewer.divider.sweep(FIRST_DIVIDER);
  } catch {
    // A server that is busy or asks for a token: the visitor did not ask for anything yet.
    if (isIntro()) showEmpty();
  } finally {
    element("sources-title").hidden = samples.length === 0;
  }
}

function showEmpty() {
  viewer.clear();
  endIntro();
  if (model) showNoShares();
  setState("empty");
}

prepareHelp();
prepareSources(prepareVideos({ take, tell, model: () => model, hasModel }));
prepareControls({
  chooseView,
  chooseModel,
  setOpacity,
  zoom: viewer.zoom,
  opacity: () => viewer.opacity,
  compare: () => viewer.divider.toggle(),
  sampleAgain: () => viewer.photo && segment(viewer.photo),
  changeColors: () => {
    viewer.usesDataColors = !viewer.usesDataColors;
    showViews();
  },
  startLive,
  keepFrame,
  stopLive: () => live.stop(),
  changeCamera: () => live.changeCamera().catch((failure) => tell(failure)),
  cancel: () => cancel(),
  // The innermost thing that Escape closes.
  leave: () => {
    if (request) cancel();
    else if (!element("notice").hidden) hideNotice();
    else viewer.legend.reset();
  },
});
prepareSharing(viewer, () => models, (failure) => tell(failure));
showFacts();
setState("loading");
await start();
await demonstrate();
