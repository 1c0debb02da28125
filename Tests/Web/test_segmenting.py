"""From a photo to its classes: the ways in, the views, the legend, the pixel."""

import pytest
from PIL import Image
from playwright.sync_api import expect

import pictures

# The page's colour for buildings; a data set's files have them in dark red.
BUILDING = [107, 75, 60]


def difference(a, b):
    return sum(abs(x - y) for x, y in zip(a, b))


def test_without_samples_the_page_says_what_it_does_and_asks_for_a_photo(demo):
    demo.open_empty()
    expect(demo.page.get_by_role("heading", name="Every pixel of your street, named")).to_be_visible()
    expect(demo.page.locator(".sample")).to_have_count(0)
    expect(demo.page.locator("#stage").get_by_role("button", name="Choose a photo")).to_be_visible()
    expect(demo.entries).to_have_count(11)
    expect(demo.page.locator("#controls")).to_be_hidden()


def test_a_dropped_photo_gets_an_overlay_and_a_legend(demo):
    demo.drop_sample()
    shares = demo.shares()
    assert list(shares)[:2] == ["Building", "Road"]
    assert sum(shares.values()) == pytest.approx(100, abs=1)
    assert shares["Building"] == pytest.approx(31.9, abs=1)
    expect(demo.page.locator("#status")).to_contain_text("Segmented street.jpg: Building 3")
    expect(demo.page.locator("#timing")).to_contain_text("Network")


@pytest.mark.parametrize("way", ["paste", "choose", "sample"])
def test_a_photo_can_also_come_by(demo, way):
    if way == "paste":
        demo.drop(("image.png", "image/png", pictures.encoded(pictures.sample(), "PNG")), kind="paste")
    elif way == "choose":
        demo.page.locator("#file").set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": pictures.encoded(pictures.sample(), "PNG")}
        )
    else:
        demo.page.locator(".sample", has=demo.page.locator("img[src$='/street.jpg']")).click()
    demo.wait_for_result({"paste": "image.png", "choose": "a.png", "sample": "street.jpg"}[way])
    assert list(demo.shares())[0] == "Building"


def test_a_kind_that_only_the_browser_reads_is_converted(demo):
    demo.drop(("street.webp", "image/webp", pictures.encoded(pictures.sample(), "WEBP", lossless=True)))
    demo.wait_for_result()
    assert list(demo.shares())[0] == "Building"


def test_opacity_changes_the_pixels(demo):
    demo.drop_sample()
    place = (0.1, 0.2)
    demo.set_opacity(0)
    photo = demo.pixel(*place)
    demo.set_opacity(50)
    half = demo.pixel(*place)
    demo.set_opacity(100)
    building = demo.pixel(*place)
    assert building == BUILDING
    assert difference(photo, half) > 30 and difference(half, building) > 30
    expect(demo.page.locator("#opacity-value")).to_have_text("100 %")


def test_a_class_is_isolated_by_pointing_and_kept_by_a_press(demo):
    demo.drop_sample()
    demo.set_opacity(100)
    assert demo.pixel(0.5, 0.97) != demo.pixel(0.1, 0.2)
    demo.entry("Building").hover()
    demo.settle()
    assert demo.pixel(0.1, 0.2) == BUILDING
    red, green, blue = demo.pixel(0.5, 0.85)
    assert red == green == blue < 110, "what is not of the class turns gray and dark"

    demo.page.mouse.move(5, 5)
    demo.settle()
    assert len(set(demo.pixel(0.5, 0.85))) > 1

    demo.entry("Building").click()
    demo.page.mouse.move(5, 5)
    demo.settle()
    assert len(set(demo.pixel(0.5, 0.85))) == 1
    expect(demo.entry("Building")).to_have_attribute("aria-pressed", "true")
    demo.page.get_by_role("button", name="Show all").click()
    demo.settle()
    assert len(set(demo.pixel(0.5, 0.85))) > 1
    expect(demo.entry("Building")).to_have_attribute("aria-pressed", "false")


def test_pointing_at_a_pixel_names_its_class_and_probability(demo):
    demo.drop_sample()
    demo.point_at(0.1, 0.2)
    expect(demo.readout).to_be_visible()
    expect(demo.readout.locator(".readout-name")).to_have_text("Building")
    assert 30 < int(demo.readout.locator(".readout-value").inner_text().rstrip(" %")) <= 100
    assert "under-cursor" in demo.entry("Building").get_attribute("class")


def test_a_tap_names_the_pixel_on_a_phone(phone):
    phone.drop_sample()
    box = phone.page.locator("#picture").bounding_box()
    phone.page.touchscreen.tap(box["x"] + 0.1 * box["width"], box["y"] + 0.2 * box["height"])
    expect(phone.readout.locator(".readout-name")).to_have_text("Building")
    phone.entry("Building").tap()
    expect(phone.entry("Building")).to_have_attribute("aria-pressed", "true")


def test_a_sample_at_the_end_of_a_phone_brings_the_picture_into_sight(open_page):
    demo = open_page(viewport={"width": 844, "height": 390}, is_mobile=True, has_touch=True)
    demo.page.locator(".sample").last.tap()
    demo.wait_for_result("blue-sky.jpg")
    box = demo.page.locator("#picture").bounding_box()
    assert 0 <= box["y"] and box["y"] + box["height"] <= 390


def test_the_divider_shows_the_photo_on_its_left(demo):
    demo.drop_sample()
    demo.set_opacity(100)
    demo.page.get_by_role("button", name="Compare").click()
    demo.settle()
    photo = demo.pixel(0.1, 0.2)
    assert photo != BUILDING

    box = demo.page.locator("#picture").bounding_box()
    demo.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    demo.page.mouse.down()
    demo.page.mouse.move(box["x"] + 0.05 * box["width"], box["y"] + box["height"] / 2, steps=5)
    demo.page.mouse.up()
    demo.settle()
    assert demo.pixel(0.1, 0.2) == BUILDING
    expect(demo.page.locator("#divider")).to_have_attribute("aria-valuenow", "5")
    demo.page.locator("#divider").press("End")
    demo.settle()
    assert demo.pixel(0.1, 0.2) == photo


@pytest.mark.parametrize("view", ["Classes", "Confidence"])
def test_views_differ(demo, view):
    demo.drop_sample()
    overlay = demo.pixel(0.1, 0.2)
    demo.choose_view(view)
    demo.settle()
    assert demo.pixel(0.1, 0.2) != overlay
    if view == "Confidence":
        expect(demo.page.locator("#scale")).to_contain_text("certain")
    else:
        assert demo.pixel(0.1, 0.2) == BUILDING


def test_a_photo_turned_by_exif_is_shown_and_labelled_upright(demo):
    demo.page.locator("#model").select_option("tones")
    demo.drop(("turned.jpg", "image/jpeg", pictures.rotated_by_exif()))
    demo.wait_for_result()
    width, height = demo.page.locator("#picture").evaluate("canvas => [canvas.width, canvas.height]")
    assert height > 2.5 * width
    demo.set_opacity(0)
    assert demo.pixel(0.5, 0.1) == [255, 255, 255] and demo.pixel(0.5, 0.9) == [0, 0, 0]
    for y, name in ((0.1, "Light"), (0.5, "Middle"), (0.9, "Shadow")):
        demo.point_at(0.5, y)
        expect(demo.readout.locator(".readout-name")).to_have_text(name)


def test_a_large_photo_keeps_its_size_and_is_shown_at_the_screens(demo, tmp_path):
    large = pictures.sample("overcast.jpg").resize((3000, 4000))
    exif = Image.Exif()
    exif[0x0112] = 8
    demo.page.locator("#file").set_input_files(
        {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": pictures.encoded(large, "JPEG", quality=80, exif=exif)}
    )
    demo.page.wait_for_selector("#picture[aria-label^='Segmented photo large.jpg']")
    demo.wait_for_result()
    width, height = demo.page.locator("#picture").evaluate("canvas => [canvas.width, canvas.height]")
    assert width * height <= 4.1e6
    assert width / height == pytest.approx(4 / 3, abs=0.01)
    assert len(demo.page.workers) == 1, "the mask is decoded outside the page's thread"
    mask = Image.open(demo.download("Mask", tmp_path))
    assert mask.size == (4000, 3000) and mask.mode == "L"
    overlay = Image.open(demo.download("Overlay", tmp_path))
    assert overlay.size == (4000, 3000)


def test_long_work_shows_progress_and_can_be_cancelled(demo):
    """The answer is held back, so that there is work to cancel."""
    held = []
    demo.page.route("**/v1/segment*", lambda route: held.append(route))
    demo.drop(("street.jpg", "image/jpeg", pictures.encoded(pictures.sample(), "JPEG")))
    expect(demo.page.locator("#progress")).to_be_visible()
    expect(demo.page.locator("#progress-text")).to_contain_text("ing")
    demo.page.get_by_role("button", name="Cancel").click()
    expect(demo.page.locator("#progress")).to_be_hidden()
    expect(demo.notice).to_contain_text("Cancelled")
    demo.page.unroute("**/v1/segment*")
    demo.notice.get_by_role("button", name="Segment it").click()
    demo.wait_for_result()
    expect(demo.notice).to_be_hidden()


def test_a_new_photo_replaces_one_on_its_way(demo):
    first = []

    def hold_first(route):
        if first:
            route.continue_()
        else:
            first.append(route)

    demo.page.route("**/v1/segment*", hold_first)
    demo.drop(("first.jpg", "image/jpeg", pictures.encoded(pictures.sample(), "JPEG")))
    demo.eventually("the first is on its way", lambda: first)
    demo.drop_sample("overcast.jpg")
    assert list(demo.shares())[0] == "Road"
    assert "overcast.jpg" in demo.page.locator("#picture").get_attribute("aria-label")
