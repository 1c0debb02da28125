"""The server, the browser, and a page that fails its test on console errors, policy breaches and foreign requests."""

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

import tones_model
from demo_page import DemoPage

ROOT = Path(__file__).resolve().parent.parent.parent
BROWSERS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

# A machine that does much else is slow, not wrong.
MILLISECONDS = 30_000
expect.set_options(timeout=MILLISECONDS)


class Server:
    """A running segnet-server with the bundled model and `tones`."""

    def __init__(self, binary, folder, *options):
        model = folder / "tones.safetensors"
        tones_model.write(model)
        self.log = folder / "server.log"
        command = [binary, "--port", "0"]
        command += ["--model", "segnet-basic-camvid", "--model", f"tones={model}"]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [*command, *options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
            )
        # The line names the port that the system chose.
        line = self.process.stdout.readline()
        match = re.search(r"http://\S+", line)
        if not match:
            self.process.kill()
            raise RuntimeError(f"{binary} did not say where it serves: {line!r}\n{self.log.read_text()}")
        self.url = match[0]
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def _binary():
    return os.environ.get("SEGNET_SERVER") or str(ROOT / "Server/.build/release/segnet-server")


@pytest.fixture(scope="session")
def base_url(tmp_path_factory):
    if url := os.environ.get("SEGNET_SERVER_URL"):
        yield url
        return
    server = Server(_binary(), tmp_path_factory.mktemp("server"))
    yield server.url
    server.stop()


@pytest.fixture
def server_with_token(tmp_path):
    token = tmp_path / "token"
    token.write_text("open-sesame-0123456789abcdef\n")
    server = Server(_binary(), tmp_path, "--token-file", str(token))
    yield server.url, token.read_text().strip()
    server.stop()


@pytest.fixture(scope="session")
def browser():
    executable = os.environ.get("SEGNET_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert executable, "no Chromium was found; scripts/setup-web installs one"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, base_url):
    """Opens the page; options are those of a browser context. `expects` names console errors that the test provokes."""
    opened = []

    def open_page(url=base_url, expects=(), **options):
        context = browser.new_context(**{"viewport": DESKTOP, "permissions": ["camera"], **options})
        context.set_default_timeout(MILLISECONDS)
        page = context.new_page()
        demo = DemoPage(page, url, expects)
        opened.append((context, demo))
        demo.open()
        return demo

    yield open_page
    for context, demo in opened:
        faults = demo.faults
        context.close()
        assert faults == []


@pytest.fixture
def demo(open_page):
    return open_page()


@pytest.fixture
def phone(open_page):
    return open_page(viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True)
