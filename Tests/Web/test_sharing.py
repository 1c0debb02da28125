"""To show others: copy, before and after, a film, a link to a sample."""

import base64
import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from demo_page import PLAY


def saved(demo, label, folder):
    with demo.page.expect_download() as waiting:
        demo.page.locator("#share").get_by_role("button", name=label, exact=True).click()
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(target)
    return target


def test_before_and_after_are_one_picture(demo, tmp_path):
    demo.drop_sample()
    file = saved(demo, "Before and after", tmp_path)
    assert file.name == "street.before-after.png"
    image = Image.open(file).convert("RGB")
    assert image.width == 2 * 480 + 8 and image.height > 360
    photo, result = image.getpixel((48, 72)), image.getpixel((480 + 8 + 48, 72))
    assert sum(abs(a - b) for a, b in zip(photo, result)) > 30


def test_a_film_of_the_divider(demo, tmp_path):
    demo.drop_sample()
    file = saved(demo, "Short film", tmp_path)
    assert file.name == "street.webm"
    data = file.read_bytes()
    assert data[:4] == b"\x1a\x45\xdf\xa3", "it begins as WebM does"
    assert len(data) > 20_000
    width, height, seconds = demo.page.evaluate(PLAY, base64.b64encode(data).decode())
    assert width >= 480 and height >= 360
    assert 3 < seconds < 8


def test_the_picture_is_copied_as_it_is_shown(open_page):
    demo = open_page(permissions=["clipboard-read", "clipboard-write"])
    demo.drop_sample()
    demo.set_opacity(100)
    # It says so for a moment, in which a busy machine may not look.
    demo.page.locator("[data-share=copy]").evaluate(
        """(button) => {
          window.said = [];
          new MutationObserver(() => window.said.push(button.textContent)).observe(button, { childList: true });
        }"""
    )
    demo.page.get_by_role("button", name="Copy picture").click()
    demo.eventually("it is said", lambda: demo.page.evaluate("() => window.said.includes('Copied')"))
    data = demo.page.evaluate(
        """async () => {
          const [item] = await navigator.clipboard.read();
          return [...new Uint8Array(await (await item.getType("image/png")).arrayBuffer())];
        }"""
    )
    image = Image.open(io.BytesIO(bytes(data))).convert("RGB")
    assert image.size == (480, 360)
    assert image.getpixel((48, 72)) == (107, 75, 60)


def test_a_link_leads_to_the_sample_that_is_shown(open_page):
    demo = open_page(permissions=["clipboard-read", "clipboard-write"])
    demo.page.locator("[data-sample=palace]").click()
    demo.page.wait_for_selector("#picture[aria-label^='Segmented photo palace.jpg']")
    demo.page.get_by_role("button", name="Copy link").click()
    link = demo.page.evaluate("() => navigator.clipboard.readText()")
    assert link == f"{demo.url}#palace"
    demo.page.goto("about:blank")
    demo.page.goto(link)
    demo.page.wait_for_selector("#picture[aria-label^='Segmented photo palace.jpg']")
    expect(demo.page.locator("#intro")).to_be_visible()
    demo.drop_sample()
    expect(demo.page.locator("#share-link")).to_be_hidden()
    assert not re.search("#", demo.page.url), "one's own photo has no address"


def test_a_refused_clipboard_says_what_to_do_instead(demo):
    demo.page.evaluate("() => { navigator.clipboard.write = async () => { throw new Error('no'); }; }")
    demo.page.get_by_role("button", name="Copy picture").click()
    expect(demo.notice).to_contain_text("Nothing was copied")
    expect(demo.notice).to_contain_text("Save a file instead.")
