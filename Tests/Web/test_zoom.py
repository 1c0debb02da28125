"""Closer: by wheel, keys, buttons and two fingers, also on thin and tiny pictures."""

import pytest
from playwright.sync_api import expect

import pictures

PERCENT = "#zoom-whole"


def percent(demo):
    demo.settle()
    text = demo.page.locator(PERCENT).text_content()
    return int(text.split()[0])


def box_of(demo):
    return demo.page.locator("#picture").bounding_box()


def test_the_wheel_enlarges_what_lies_under_the_pointer(demo):
    demo.page.locator("#model").select_option("tones")
    demo.drop(("bands.png", "image/png", pictures.encoded(pictures.three_bands(), "PNG")))
    demo.wait_for_result()
    demo.set_opacity(0)
    demo.point_at(5 / 6, 0.5)
    for _ in range(6):
        demo.page.mouse.wheel(0, -300)
    demo.eventually("it is enlarged", lambda: percent(demo) > 400)
    assert demo.pixel(0.95, 0.5) == [255, 255, 255]
    assert demo.pixel(0.6, 0.5) == [255, 255, 255], "white fills what was its right third"
    expect(demo.readout.locator(".readout-name")).to_have_text("Light")
    demo.page.locator(PERCENT).click()
    assert percent(demo) == 100
    assert demo.pixel(0.1, 0.5) == [0, 0, 0]


def test_an_enlarged_picture_is_dragged(demo):
    demo.page.locator("#model").select_option("tones")
    demo.drop(("bands.png", "image/png", pictures.encoded(pictures.three_bands(300, 300), "PNG")))
    demo.wait_for_result()
    demo.set_opacity(0)
    demo.page.locator("#picture").focus()
    for _ in range(4):
        demo.page.keyboard.press("+")
    demo.settle()
    assert demo.pixel(0.5, 0.5) == [128, 128, 128]
    box = box_of(demo)
    for _ in range(4):
        demo.page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
        demo.page.mouse.down()
        demo.page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.5 * box["height"], steps=4)
        demo.page.mouse.up()
    demo.settle()
    assert demo.pixel(0.1, 0.5) == [0, 0, 0], "the left third has come in"


@pytest.mark.parametrize("size", [(1200, 12), (12, 1200), (4, 4)])
def test_thin_and_tiny_pictures_fill_their_place_when_enlarged(demo, size):
    demo.page.locator("#model").select_option("tones")
    demo.drop(("thin.png", "image/png", pictures.encoded(pictures.sample().resize(size), "PNG")))
    demo.page.wait_for_selector("#picture[aria-label^='Segmented photo thin.png']")
    demo.wait_for_result()
    small = box_of(demo)
    for _ in range(4):
        demo.page.get_by_role("button", name="Zoom in").click()
    large = box_of(demo)
    assert large["width"] * large["height"] > 3 * small["width"] * small["height"]
    stage = demo.page.locator("#stage").bounding_box()
    # A stage's side may be a fraction of a pixel.
    assert large["width"] < stage["width"] + 1 and large["height"] < stage["height"] + 1


PINCH = """
(canvas) => {
  const box = canvas.getBoundingClientRect();
  const middle = [box.x + box.width / 2, box.y + box.height / 2];
  const send = (type, id, offset) => canvas.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: id, pointerType: "touch", clientX: middle[0] + offset, clientY: middle[1],
  }));
  // Made-up pointers cannot be captured.
  canvas.setPointerCapture = () => {};
  send("pointerdown", 11, -20);
  send("pointerdown", 12, 20);
  for (let offset = 20; offset <= 60; offset += 5) { send("pointermove", 11, -offset); send("pointermove", 12, offset); }
  send("pointerup", 11, -60);
  send("pointerup", 12, 60);
}
"""


def test_two_fingers_enlarge_on_a_phone(phone):
    phone.drop_sample()
    phone.page.locator("#picture").evaluate(PINCH)
    assert 270 < percent(phone) < 330
    expect(phone.page.locator("#legend-hint")).to_have_text("Tap a class to see it alone. Two fingers zoom.")


def test_the_cursor_of_the_keyboard_stays_in_sight(demo):
    demo.drop_sample()
    demo.page.locator("#picture").focus()
    for _ in range(4):
        demo.page.keyboard.press("+")
    for _ in range(30):
        demo.page.keyboard.press("ArrowLeft")
    box, cross = box_of(demo), demo.page.locator("#crosshair").bounding_box()
    assert box["x"] - 12 <= cross["x"] <= box["x"] + box["width"]
