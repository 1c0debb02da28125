"""What a user does with the page, and what they see of it."""

import base64
import time
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLES = ROOT / "Server/Sources/SegNetServer/Page/samples"

WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy breach: ${event.violatedDirective} ${event.blockedURI}`);
});
"""

TRANSFER = """
(target, {kind, files}) => {
  const transfer = new DataTransfer();
  for (const {name, type, data} of files) {
    transfer.items.add(new File([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], name, {type}));
  }
  const options = {bubbles: true, cancelable: true};
  if (kind === "paste") {
    target.dispatchEvent(new ClipboardEvent("paste", {...options, clipboardData: transfer}));
  } else {
    for (const type of ["dragenter", "dragover", "drop"]) {
      target.dispatchEvent(new DragEvent(type, {...options, dataTransfer: transfer}));
    }
  }
}
"""

# Plays a film to its end: its width, its height, its seconds.
PLAY = """
(text) => new Promise((done, fail) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const film = document.createElement("video");
  film.muted = true;
  film.onerror = () => fail(new Error(film.error.message));
  film.onended = () => done([film.videoWidth, film.videoHeight, film.currentTime]);
  film.onloadeddata = () => film.play();
  film.src = URL.createObjectURL(new Blob([bytes], {type: "video/webm"}));
})
"""


# Until the page has drawn, so many milliseconds later by its own clock. A busy machine draws few frames, and the last may be late.
DRAWN_AFTER = """
(milliseconds) => new Promise((done) => {
  const start = performance.now();
  const step = (now) => (now - start > milliseconds ? requestAnimationFrame(done) : requestAnimationFrame(step));
  requestAnimationFrame(step);
})
"""
SWEEP_MILLISECONDS = 550

# Warnings that the tests themselves cause, by reading the canvas's pixels.
OWN_WARNINGS = ("willReadFrequently",)


class DemoPage:
    def __init__(self, page, url, expects=()):
        self.page = page
        self.url = url
        self.expects = (*expects, *OWN_WARNINGS)
        self.faults = []
        self.dropped = None
        page.add_init_script(WATCH_POLICY)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", self._request)

    def _console(self, message):
        text = f"{message.text} {message.location.get('url', '')}"
        if message.type in ("error", "warning") and not any(part in text for part in self.expects):
            self.faults.append(f"{message.type}: {text}")

    def _request(self, request):
        address = urlsplit(request.url)
        if address.scheme not in ("blob", "data") and address.netloc != urlsplit(self.url).netloc:
            self.faults.append(f"foreign request: {request.url}")

    # Doing.

    def open(self, address=""):
        """Until the page shows its first sample, or asks for a photo because it has none."""
        self.page.goto(self.url + address)
        expect(self.page.locator("#model")).to_be_enabled()
        self.page.wait_for_selector("#app[data-state=empty], #app[data-state=result] #stage:not([aria-busy])")

    def drop(self, *files, kind="drop"):
        """Drops (name, type, bytes) on the stage, or pastes them."""
        self.dropped = files[-1][0]
        data = [{"name": n, "type": t, "data": base64.b64encode(b).decode()} for n, t, b in files]
        self.page.locator("#stage").evaluate(TRANSFER, {"kind": kind, "files": data})

    def drop_sample(self, name="street.jpg"):
        self.drop((name, "image/jpeg", (SAMPLES / name).read_bytes()))
        self.wait_for_result()

    def open_empty(self):
        """Opens the page of a server without samples."""
        self.page.route("**/v1/samples", lambda route: route.fulfill(json={"samples": []}))
        self.page.reload()
        self.page.wait_for_selector("#app[data-state=empty]")

    def wait_for_result(self, name=None):
        """Waits for the result of the photo of that name, or of the last that was dropped: reading a file takes a moment, in which an earlier one is shown."""
        name, self.dropped = name or self.dropped, None
        if name:
            self.page.wait_for_selector(f"#picture[aria-label^='Segmented photo {name}']")
        self.page.wait_for_selector("#app[data-state=result] #stage:not([aria-busy]) #frame:not([hidden])")
        expect(self.page.locator("#downloads")).to_be_visible()
        # The sweep of a new result.
        self.page.evaluate(DRAWN_AFTER, SWEEP_MILLISECONDS)

    def choose_view(self, name):
        self.page.get_by_role("radio", name=name, exact=True).check()

    def set_opacity(self, value):
        self.page.locator("#opacity").fill(str(value))
        self.settle()

    def settle(self):
        """Until what was asked for is drawn."""
        self.page.evaluate(DRAWN_AFTER, 0)

    def rest(self):
        """Until no colour is on its way to another."""
        self.page.evaluate("() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished))")

    def eventually(self, what, condition, seconds=30):
        """For what cannot be waited for in the page."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"never happened: {what}"
            self.page.wait_for_timeout(20)

    def download(self, label, folder):
        with self.page.expect_download() as waiting:
            self.page.locator("#downloads").get_by_role("button", name=label, exact=True).click()
        target = folder / waiting.value.suggested_filename
        waiting.value.save_as(target)
        return target

    # Seeing.

    @property
    def entries(self):
        return self.page.locator("#legend .entry")

    def entry(self, name):
        return self.page.locator("#legend .entry", has=self.page.locator(f".name:text-is('{name}')"))

    def shares(self):
        """The legend: percentages by class."""
        rows = self.entries.evaluate_all(
            "rows => rows.map(row => [row.querySelector('.name').textContent, row.querySelector('.share').textContent])"
        )
        return {name: float(share.replace("%", "").replace("<", "").strip() or "nan") for name, share in rows}

    def pixel(self, x, y):
        """The picture's colour at shares of its width and height."""
        return self.page.locator("#picture").evaluate(
            """(canvas, [x, y]) => {
              const place = [Math.floor(x * canvas.width), Math.floor(y * canvas.height)];
              return [...canvas.getContext("2d").getImageData(...place, 1, 1).data].slice(0, 3);
            }""",
            [x, y],
        )

    def point_at(self, x, y):
        box = self.page.locator("#picture").bounding_box()
        self.page.mouse.move(box["x"] + 2, box["y"] + 2)
        self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])

    @property
    def readout(self):
        return self.page.locator("#readout")

    @property
    def notice(self):
        return self.page.locator("#notice")
