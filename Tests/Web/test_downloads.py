"""The files that the page gives out are the server's answer, pixel by pixel."""

import io
import json
import urllib.request

import pytest
from PIL import Image

import pictures
from demo_page import SAMPLES

COLORS = {0: (128, 128, 128), 1: (128, 0, 0), 3: (128, 64, 128), 8: (64, 0, 128)}


def asked(base_url, output, photo=None):
    """The same photo, sent without the page."""
    request = urllib.request.Request(
        f"{base_url}v1/segment?output={output}",
        data=photo or (SAMPLES / "street.jpg").read_bytes(),
        headers={"Content-Type": "image/jpeg"},
    )
    with urllib.request.urlopen(request) as response:
        return response.read()


@pytest.fixture
def mask(base_url):
    return Image.open(io.BytesIO(asked(base_url, "mask")))


def test_the_mask_has_the_ids_of_the_server(demo, tmp_path, mask):
    demo.drop_sample()
    file = demo.download("Mask", tmp_path)
    assert file.name == "street.mask.png"
    image = Image.open(file)
    assert image.mode == "L" and image.size == (480, 360)
    assert image.tobytes() == mask.tobytes()
    assert set(image.tobytes()) <= set(range(11))


def test_the_colours_are_those_of_the_classes(demo, tmp_path, mask, base_url):
    demo.drop_sample()
    file = demo.download("Colours", tmp_path)
    assert file.name == "street.color.png"
    image = Image.open(file).convert("RGB")
    found = dict(zip(mask.tobytes(), zip(*(channel.tobytes() for channel in image.split()))))
    for id, color in COLORS.items():
        assert found[id] == color
    server = Image.open(io.BytesIO(asked(base_url, "color"))).convert("RGB")
    assert image.tobytes() == server.tobytes()


def test_the_edges_of_a_large_photo_are_smooth(demo, tmp_path, base_url):
    large = pictures.sample("overcast.jpg").resize((1920, 1440))
    photo = pictures.encoded(large, "JPEG", quality=90)
    demo.drop(("large.jpg", "image/jpeg", photo))
    demo.page.wait_for_selector("#picture[aria-label^='Segmented photo large.jpg']")
    demo.wait_for_result()
    saved = Image.open(demo.download("Mask", tmp_path))
    assert saved.tobytes() == Image.open(io.BytesIO(asked(base_url, "mask&edges=smooth", photo))).tobytes()
    assert saved.tobytes() != Image.open(io.BytesIO(asked(base_url, "mask", photo))).tobytes()


def test_the_overlay_has_the_opacity_that_is_shown(demo, tmp_path):
    demo.drop_sample()
    demo.set_opacity(100)
    file = demo.download("Overlay", tmp_path)
    assert file.name == "street.overlay.png"
    image = Image.open(file).convert("RGB")
    assert image.size == (480, 360)
    assert image.getpixel((48, 72)) == COLORS[1]


def test_the_json_has_shares_and_no_pictures(demo, tmp_path):
    demo.drop_sample()
    file = demo.download("JSON", tmp_path)
    assert file.name == "street.json"
    answer = json.loads(file.read_text())
    assert answer["file"] == "street.jpg" and answer["model"] == "segnet-basic-camvid"
    assert (answer["width"], answer["height"]) == (480, 360)
    assert sum(entry["share"] for entry in answer["classes"]) == pytest.approx(1, abs=1e-3)
    assert "images" not in answer
