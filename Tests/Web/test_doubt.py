"""How sure the model is: marked by itself where a picture is unlike the training data."""

from playwright.sync_api import expect

import pictures


def unlike():
    """A street that stands on its head."""
    return pictures.encoded(pictures.sample().rotate(180), "PNG")


def test_a_street_is_not_doubted(demo):
    demo.drop_sample()
    expect(demo.page.locator("#doubt")).to_be_hidden()
    expect(demo.page.locator("#doubt-toggle")).to_have_attribute("aria-pressed", "false")


def test_a_picture_unlike_the_training_data_is_striped_and_says_so(demo):
    demo.drop(("turned.png", "image/png", unlike()))
    demo.page.wait_for_selector("#picture[aria-label^='Segmented photo turned.png']")
    demo.wait_for_result()
    expect(demo.page.locator("#doubt")).to_contain_text("the picture may be unlike those that it learnt from")
    toggle = demo.page.locator("#doubt-toggle")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    striped = demo.page.locator("#picture").screenshot()
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    demo.settle()
    assert demo.page.locator("#picture").screenshot() != striped


def test_guesses_of_a_street_can_be_marked_too(demo):
    demo.drop_sample()
    plain = demo.page.locator("#picture").screenshot()
    demo.page.locator("#doubt-toggle").click()
    demo.settle()
    assert demo.page.locator("#picture").screenshot() != plain
