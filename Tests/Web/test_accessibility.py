"""Keyboard alone, names and roles, contrast, target sizes, motion: axe's rules, and what they do not see."""

import io
import itertools

import pytest
from PIL import Image
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from conftest import PHONE

# In this order: each goes on from the one before.
STATES = ["intro", "empty", "error", "result", "alone", "enlarged", "confidence", "compare", "live", "help"]


def bring(demo, state):
    if state == "intro":
        expect(demo.page.locator(".sample")).to_have_count(7)
        expect(demo.page.locator("#divider")).to_be_visible()
        demo.page.locator("#timing summary").click()
    elif state == "empty":
        demo.open_empty()
    elif state == "error":
        demo.drop(("notes.txt", "text/plain", b"hello"))
        expect(demo.notice).to_be_visible()
    elif state == "result":
        demo.drop_sample()
    elif state == "alone":
        demo.entry("Road").click()
    elif state == "enlarged":
        demo.page.get_by_role("button", name="Zoom in").click()
    elif state == "confidence":
        demo.choose_view("Confidence")
    elif state == "compare":
        demo.page.get_by_role("button", name="Compare").click()
    elif state == "live":
        demo.page.locator("[data-action=camera]:visible").first.click()
        demo.page.wait_for_selector("#app[data-state=live]")
    elif state == "help":
        demo.page.get_by_role("button", name="Help").click()


def describe(violation):
    nodes = [f"{node['target']} {node['failureSummary']}" for node in violation["nodes"]]
    return f"{violation['id']}: {violation['help']}\n" + "\n".join(nodes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_axe_finds_nothing(open_page, scheme, width):
    options = {"viewport": PHONE, "is_mobile": True, "has_touch": True} if width == "phone" else {}
    demo = open_page(color_scheme=scheme, reduced_motion="reduce", **options)
    found = []
    for state in STATES:
        bring(demo, state)
        violations = Axe().run(demo.page).response["violations"]
        if violations:
            # A busy machine may show axe a control between two of its colours; what is wrong stays wrong.
            demo.rest()
            violations = Axe().run(demo.page).response["violations"]
        found += [f"{state}: {describe(violation)}" for violation in violations]
    assert not found, "\n\n".join(found)


TARGETS = """
() => [...document.querySelectorAll("button, select, input, a, [role=slider]")]
  .filter((item) => item.checkVisibility() && !item.matches(".skip, dialog a"))
  .map((item) => {
    const box = (item.closest("label") ?? item).getBoundingClientRect();
    return [item.id || item.textContent.trim() || item.value, Math.round(box.width), Math.round(box.height)];
  })
"""


def test_targets_on_a_phone_are_large_enough_for_a_thumb(phone):
    for state in STATES:
        bring(phone, state)
        targets = phone.page.evaluate(TARGETS)
        assert len(targets) > 5
        assert [target for target in targets if target[1] < 44 or target[2] < 44] == [], state


def test_nothing_sticks_out_at_the_side(demo):
    for state in ("intro", "empty", "result"):
        bring(demo, state)
        for width, height in itertools.product((320, 390, 720, 844, 1024, 1440, 2560), (390, 800)):
            demo.page.set_viewport_size({"width": width, "height": height})
            demo.settle()
            assert demo.page.evaluate("() => document.documentElement.scrollWidth") <= width, f"{state} at {width}x{height}"


def focused(demo):
    return demo.page.evaluate("() => document.activeElement.id || document.activeElement.textContent.trim()")


def tab_to(demo, wanted, key="Tab"):
    for _ in range(60):
        demo.page.keyboard.press(key)
        if focused(demo) == wanted:
            ring = demo.page.evaluate("() => document.activeElement.matches(':focus-visible')")
            assert ring, f"{wanted} shows no focus"
            return
    raise AssertionError(f"{wanted} is not reached by {key}; the focus is on {focused(demo)}")


def test_everything_can_be_done_with_the_keyboard(demo):
    keyboard = demo.page.keyboard
    expect(demo.page.locator(".sample")).to_have_count(7)
    keyboard.press("Tab")
    assert focused(demo) == "Skip to the picture"
    street = demo.page.locator(".sample", has=demo.page.locator("img[src$='/street.jpg']"))
    tab_to(demo, street.inner_text().strip())
    keyboard.press("Enter")
    demo.wait_for_result("street.jpg")

    tab_to(demo, "picture", "Shift+Tab")
    keyboard.press("ArrowLeft")
    expect(demo.readout).to_be_visible()
    expect(demo.page.locator("#crosshair")).to_be_visible()
    expect(demo.page.locator("#cursor-status")).to_contain_text("%")
    for _ in range(20):
        keyboard.press("ArrowLeft")
    for _ in range(10):
        keyboard.press("ArrowUp")
    expect(demo.readout.locator(".readout-name")).to_have_text("Building")
    keyboard.press("Enter")
    expect(demo.entry("Building")).to_have_attribute("aria-pressed", "true")
    keyboard.press("Escape")
    expect(demo.entry("Building")).to_have_attribute("aria-pressed", "false")
    keyboard.press("o")
    expect(demo.page.locator("#opacity")).to_have_value("70")
    keyboard.press("+")
    expect(demo.page.locator("#zoom-whole")).to_have_text("150 %")
    keyboard.press("0")
    expect(demo.page.locator("#zoom-whole")).to_be_hidden()
    keyboard.press("2")
    assert demo.page.locator("input[value=classes]").is_checked()
    keyboard.press("c")
    keyboard.press("Tab")
    assert focused(demo) == "divider"
    keyboard.press("ArrowRight")
    expect(demo.page.locator("#divider")).to_have_attribute("aria-valuenow", "52")

    tab_to(demo, "zoom-in")
    keyboard.press("Tab")
    assert demo.page.evaluate("() => document.activeElement.value") == "classes"
    keyboard.press("ArrowRight")
    assert demo.page.locator("input[value=confidence]").is_checked()
    keyboard.press("Tab")
    assert focused(demo) == "opacity"
    keyboard.press("ArrowLeft")
    expect(demo.page.locator("#opacity")).to_have_value("84")


def test_the_focus_on_a_class_isolates_it(demo):
    demo.drop_sample()
    demo.set_opacity(100)
    demo.page.locator("#data-colors").focus()
    demo.page.keyboard.press("Tab")
    assert focused(demo).startswith("Building")
    demo.settle()
    assert len(set(demo.pixel(0.5, 0.85))) == 1
    demo.page.keyboard.press("Shift+Tab")
    demo.settle()
    assert len(set(demo.pixel(0.5, 0.85))) > 1


def test_the_sweep_is_left_out_where_motion_is_unwanted(open_page):
    demo = open_page(reduced_motion="reduce")
    demo.drop_sample()
    assert demo.page.evaluate("() => document.getAnimations().length") == 0


def test_the_skip_link_leads_to_the_picture(demo):
    demo.page.keyboard.press("Tab")
    demo.page.keyboard.press("Enter")
    assert focused(demo) == "stage"


def test_forced_colours_keep_swatches_marks_and_sliders(open_page):
    demo = open_page(forced_colors="active", reduced_motion="reduce")
    demo.drop_sample()
    style = "(item, name) => getComputedStyle(item)[name]"
    swatch = demo.entry("Building").locator(".swatch")
    assert swatch.evaluate(style, "backgroundColor") == "rgb(107, 75, 60)"
    chosen, other = (demo.page.locator(f"input[value={view}] + span") for view in ("overlay", "classes"))
    assert chosen.evaluate(style, "backgroundColor") != other.evaluate(style, "backgroundColor")
    pressed, free = demo.page.locator("#names-toggle"), demo.page.locator("#compare")
    assert pressed.evaluate(style, "backgroundColor") != free.evaluate(style, "backgroundColor")
    current = demo.page.locator(".sample[aria-current=true] :first-child")
    assert current.evaluate(style, "outlineStyle") == "solid"
    track = demo.page.locator("#opacity").screenshot()
    colors = Image.open(io.BytesIO(track)).convert("RGB").getcolors(10_000)
    assert len(colors) > 3, "track, thumb and ground"


def test_beside_each_other_on_a_phone_that_lies_and_at_200_percent(open_page):
    for width, height in ((844, 390), (720, 450)):
        demo = open_page(viewport={"width": width, "height": height})
        demo.drop_sample()
        picture = demo.page.locator("#picture").bounding_box()
        views = demo.page.locator("#views").bounding_box()
        assert picture["y"] + picture["height"] <= height, "the whole picture is seen"
        assert views["x"] >= picture["x"] + picture["width"] and views["y"] + views["height"] <= height
