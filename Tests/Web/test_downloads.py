"""The files that the page gives out are the server's answer, pixel by pixel."""

import io
import json
import urllib.request

import pytest
from PIL import Image
from playwright.sync_api import expect

import pictures
from demo_page import SAMPLES

COLORS = {0: (128, 128, 128), 1: (128, 0, 0), 3: (128, 64, 128), 8: (64, 0, 128)}


def asked(base_url, output, photo=None, headers=None):
    """The same photo, sent without the page."""
    request = urllib.request.Request(
        f"{base_url}v1/segment?output={output}",
        data=photo or (SAMPLES / "street.jpg").read_bytes(),
        headers=headers or {"Content-Type": "image/jpeg"},
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


def test_a_cut_out_is_the_photo_where_it_shows_the_class(demo, tmp_path, base_url):
    demo.drop_sample()
    choice = demo.page.get_by_label("Cut out", exact=True)
    assert choice.locator("option").all_inner_texts() == [name for name, share in demo.shares().items() if share > 0]
    choice.select_option(label="Car")
    file = demo.download("Save the cut-out", tmp_path)
    assert file.name == "street.cutout-Car.png"
    image = Image.open(file)
    ids = Image.open(io.BytesIO(asked(base_url, "mask&edges=smooth")))
    server = Image.open(io.BytesIO(asked(base_url, "cutout&classes=car&edges=smooth")))
    assert image.mode == server.mode == "RGBA" and image.size == ids.size == server.size
    alpha = image.getchannel("A").tobytes()
    assert alpha == server.getchannel("A").tobytes()
    assert alpha == bytes(255 if id == 8 else 0 for id in ids.tobytes()) and 255 in alpha
    # Browser and server decode JPEG each in its own way; what is left out is black in both.
    differences = [abs(one - other) for one, other in zip(image.tobytes(), server.tobytes())]
    assert max(differences) <= 8 and sum(differences) / len(differences) < 1


def test_the_class_that_is_shown_alone_is_offered_for_the_cut_out(demo):
    demo.drop_sample()
    choice = demo.page.locator("#cutout-class option:checked")
    demo.entry("Tree").click()
    expect(choice).to_have_text("Tree")
    demo.page.keyboard.press("Escape")
    expect(choice).to_have_text("Tree")
    # It stays for the next picture, where that shows the class.
    demo.drop_sample("overcast.jpg")
    expect(choice).to_have_text("Tree")


FORMATS = {
    "COCO": ("coco", "street.coco.json"),
    "COCO, run lengths": ("coco-rle", "street.coco.json"),
    "labelme": ("labelme", "street.json"),
    "CVAT": ("cvat", "street.cvat.xml"),
    "Label Studio": ("label-studio", "street.label-studio.json"),
    "GeoJSON, in pixels": ("geojson", "street.geojson"),
    "YOLO": ("yolo", "street.txt"),
}


def form(photo, name):
    """A form with a photo, and its type."""
    head = f'--frame\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'
    return head.encode() + photo + b"\r\n--frame--\r\n", {"Content-Type": "multipart/form-data; boundary=frame"}


def test_polygons_are_saved_in_the_form_that_was_chosen(demo, tmp_path, base_url):
    demo.drop_sample()
    choice = demo.page.get_by_label("Polygons", exact=True)
    assert choice.locator("option").all_inner_texts() == list(FORMATS)
    body, headers = form((SAMPLES / "street.jpg").read_bytes(), "street.jpg")
    for label, (format, name) in FORMATS.items():
        choice.select_option(label=label)
        file = demo.download("Save the polygons", tmp_path)
        assert file.name == name
        assert file.read_bytes() == asked(base_url, f"polygons&format={format}&edges=smooth", body, headers)
        assert len(file.read_bytes()) > 500


def test_cut_outs_and_polygons_by_keyboard_on_a_phone(phone, tmp_path):
    phone.drop_sample()
    page = phone.page
    page.locator("#cutout-class").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert ".cutout-" in waiting.value.suggested_filename
    page.keyboard.press("Tab")
    page.keyboard.type("YOLO")
    page.keyboard.press("Tab")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert waiting.value.suggested_filename == "street.txt"
    box = page.locator(".download-choices").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_polygons_that_the_server_refuses_are_told_and_can_be_asked_for_again(open_page, tmp_path):
    demo = open_page(expects=["503"])
    demo.drop_sample()
    detail = "The service does not have the 9 MiB left that this picture needs."
    refusal = {"status": 503, "json": {"detail": detail}, "headers": {"Retry-After": "600"}}
    demo.page.route("**/v1/segment?*output=polygons*", lambda route: route.fulfill(**refusal), times=1)
    with demo.page.expect_download() as waiting:
        demo.page.get_by_role("button", name="Save the polygons").click()
        expect(demo.notice).to_contain_text("The server is busy")
        demo.notice.get_by_role("button", name="Try now").click()
    assert waiting.value.suggested_filename == "street.coco.json"
    expect(demo.notice).to_be_hidden()
