"""The page in Debian's Firefox: another engine for pictures, films and style. Marionette drives it, Firefox's own protocol."""

import base64
import io
import shutil

import pytest
from PIL import Image

from demo_page import PLAY, SAMPLES, TRANSFER
from test_downloads import asked

marionette = pytest.importorskip("marionette_driver", reason="no marionette_driver; scripts/setup-web installs it")

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
pytestmark = pytest.mark.skipif(not FIREFOX, reason="no Firefox was found; scripts/setup-web installs one where Debian has it")

SECONDS = 60
RESULT = "#app[data-state=result] #stage:not([aria-busy]) #frame:not([hidden])"

# Complaints of pages and of the policy in the browser's own console.
FAULTS = """
return Services.console.getMessageArray()
  .filter((message) => message instanceof Ci.nsIScriptError && message.sourceName.startsWith(arguments[0]))
  .map((message) => message.errorMessage);
"""


class FirefoxPage:
    def __init__(self, driver, url):
        self.driver = driver
        self.url = url
        driver.timeout.script = SECONDS
        driver.navigate(url)
        self.wait(RESULT)

    def wait(self, selector):
        found = lambda driver: driver.execute_script("return !!document.querySelector(arguments[0])", [selector])
        marionette.Wait(self.driver, timeout=SECONDS).until(found, message=f"never there: {selector}")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, list(arguments))

    def click(self, selector):
        self.driver.find_element("css selector", selector).click()

    def drop(self, name, kind, data):
        file = {"name": name, "type": kind, "data": base64.b64encode(data).decode()}
        script = f"({TRANSFER})(document.querySelector('#stage'), arguments[0])"
        self.run(script, {"kind": "drop", "files": [file]})

    def drop_sample(self, name):
        self.drop(name, "image/jpeg", (SAMPLES / name).read_bytes())
        self.wait(f"#picture[aria-label^='Segmented photo {name}']")
        self.wait(RESULT)

    def saved(self, button, folder, name):
        self.click(button)
        waiting = lambda _: (folder / name).exists() and (folder / name).stat().st_size and not list(folder.glob("*.part"))
        marionette.Wait(self.driver, timeout=SECONDS).until(waiting, message=f"{name} was not saved")
        return (folder / name).read_bytes()

    @property
    def faults(self):
        with self.driver.using_context("chrome"):
            return self.driver.execute_script(FAULTS, [self.url])


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    downloads = tmp_path_factory.mktemp("downloads")
    preferences = {
        "browser.download.folderList": 2,
        "browser.download.dir": str(downloads),
        "browser.download.useDownloadDir": True,
        "browser.download.always_ask_before_handling_new_types": False,
        "browser.download.alwaysOpenPanel": False,
    }
    driver = marionette.marionette.Marionette(
        bin=FIREFOX, headless=True, port=0, prefs=preferences, startup_timeout=120,
        workspace=str(tmp_path_factory.mktemp("firefox")), gecko_log=str(downloads.parent / "gecko.log"),
    )
    driver.start_session({"unhandledPromptBehavior": "ignore"})
    driver.downloads = downloads
    yield driver
    driver.quit(in_app=False)


@pytest.fixture
def firefox(driver, base_url):
    page = FirefoxPage(driver, base_url)
    yield page
    assert page.faults == []


def test_it_opens_with_a_result_and_segments_ones_own_photo(firefox):
    assert firefox.run("return document.querySelector('#picture').getAttribute('aria-label')").startswith("Segmented photo ")
    firefox.drop_sample("street.jpg")
    names = firefox.run("return [...document.querySelectorAll('#legend .entry')].map((entry) => entry.textContent)")
    assert any("Road" in name for name in names)
    # The canvas holds what was drawn, not one colour.
    colours = firefox.run(
        """const canvas = document.querySelector('#picture');
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const found = new Set();
        for (let i = 0; i < data.length; i += 4000) found.add(data.slice(i, i + 3).join());
        return found.size;"""
    )
    assert colours > 20


def test_the_divider_moves_by_keys(firefox):
    firefox.drop_sample("street.jpg")
    if firefox.run("return document.querySelector('#divider').hidden"):
        firefox.click("#compare")
    place = lambda: int(firefox.run("return document.querySelector('#divider').getAttribute('aria-valuenow')"))
    divider = firefox.driver.find_element("css selector", "#divider")
    divider.send_keys(marionette.Keys.END)
    assert place() == 100
    divider.send_keys(marionette.Keys.HOME)
    assert place() == 0


def test_the_film_of_the_divider_is_webm_that_plays(firefox):
    firefox.drop_sample("street.jpg")
    data = firefox.saved("[data-share=film]", firefox.driver.downloads, "street.webm")
    assert data[:4] == b"\x1a\x45\xdf\xa3", "it begins as WebM does"
    width, height, seconds = firefox.run(f"return ({PLAY})(arguments[0])", base64.b64encode(data).decode())
    assert width >= 480 and height >= 360
    assert 3 < seconds < 8


def test_the_mask_has_the_ids_of_the_server(firefox):
    firefox.drop_sample("street.jpg")
    data = firefox.saved("[data-download=mask]", firefox.driver.downloads, "street.mask.png")
    saved, served = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(asked(firefox.url, "mask")))
    assert saved.mode == "L" and saved.size == (480, 360)
    assert saved.tobytes() == served.tobytes()


def test_a_text_that_is_no_picture_is_told_so(firefox):
    firefox.drop("notes.txt", "text/plain", b"hello, world")
    firefox.wait("#notice:not([hidden])")
    assert "notes.txt" in firefox.run("return document.querySelector('#notice').textContent")
