"""The first five seconds: a real result, what it is, how fast, on what, and what to do next."""

import re

from playwright.sync_api import expect

import pictures


def test_the_page_opens_with_a_street_that_the_default_model_has_segmented(demo):
    expect(demo.page.locator("#picture")).to_have_attribute("aria-label", re.compile("^Segmented photo london.jpg: "))
    expect(demo.page.get_by_role("heading", name="Every pixel of your street, named")).to_be_visible()
    facts = demo.page.locator(".facts")
    expect(facts).to_contain_text(re.compile(r"\d (ms|s) on this machine’s CPU, in Swift\. Nothing leaves this machine\."))
    expect(facts.get_by_role("link", name="The paper")).to_have_attribute("href", "https://arxiv.org/abs/1511.00561")
    expect(demo.page.get_by_role("button", name="Choose your photo")).to_be_visible()
    expect(demo.page.locator(".sample[aria-current=true]")).to_have_text("London (Pexels)")
    facts.get_by_role("button", name="The project").click()
    expect(demo.page.get_by_role("dialog")).to_contain_text("SegNet for Swift")


def divider(demo):
    return int(demo.page.locator("#divider").get_attribute("aria-valuenow"))


def test_the_divider_sweeps_once_and_rests_where_both_are_seen(demo):
    # Under a clock that the test moves, since a busy machine draws too few frames to see every place.
    demo.page.clock.install(time=0)
    demo.page.clock.pause_at(1000)
    demo.page.reload()
    expect(demo.page.locator("#divider")).to_be_visible()
    places = []
    for _ in range(60):
        places.append(divider(demo))
        demo.page.clock.run_for(50)
    left = places.index(min(places))
    assert places[0] == 100, "it starts at the right edge, over the bare photo"
    assert places[left] < 10, "it comes to the left edge"
    assert places[: left + 1] == sorted(places[: left + 1], reverse=True), "leftwards"
    assert places[left:] == sorted(places[left:]), "and back, once"
    assert places[-1] == 45
    expect(demo.page.locator(".name-tag", has_text="Car")).to_be_visible()


def test_where_motion_is_unwanted_the_divider_stands_there_at_once(open_page):
    demo = open_page(reduced_motion="reduce")
    expect(demo.page.locator("#divider")).to_be_visible()
    assert divider(demo) == 45


def test_ones_own_photo_takes_the_place_of_the_introduction(demo):
    demo.drop_sample()
    expect(demo.page.locator("#intro")).to_be_hidden()
    expect(demo.page.locator("#divider")).to_be_hidden()
    expect(demo.page.locator(".sample.own[aria-current=true]")).to_have_text("street.jpg")


def test_a_photo_that_is_dropped_during_the_first_request_wins(open_page):
    demo = open_page()
    held = []
    demo.page.route("**/v1/segment*", lambda route: held.append(route) if not held else route.continue_())
    demo.page.reload()
    demo.page.wait_for_selector("#picture[aria-label='Photo london.jpg']")
    demo.drop_sample()
    assert demo.page.locator("#picture").get_attribute("aria-label").startswith("Segmented photo street.jpg")
    expect(demo.notice).to_be_hidden()


def test_a_server_that_is_busy_or_wants_a_token_is_not_complained_about_before_anybody_asked(open_page, server_with_token):
    demo = open_page(server_with_token[0], expects=("Failed to load resource",))
    expect(demo.page.locator("#app")).to_have_attribute("data-state", "empty")
    expect(demo.notice).to_be_hidden()
    expect(demo.page.get_by_role("dialog")).to_be_hidden()
    expect(demo.page.locator("#stage").get_by_role("button", name="Choose a photo")).to_be_visible()


def test_files_that_come_together_are_segmented_one_after_the_other(demo):
    files = [(name, "image/jpeg", pictures.encoded(pictures.sample(name), "JPEG")) for name in ("street.jpg", "overcast.jpg")]
    demo.drop(*files)
    expect(demo.page.locator(".sample.own")).to_have_count(2)
    demo.page.wait_for_selector("#picture[aria-label^='Segmented photo overcast.jpg']")
    demo.wait_for_result()
    asked = []
    demo.page.on("request", lambda request: "/v1/segment" in request.url and asked.append(request))
    demo.page.locator(".sample.own", has_text="street.jpg").click()
    demo.wait_for_result()
    assert demo.page.locator("#picture").get_attribute("aria-label").startswith("Segmented photo street.jpg")
    assert list(demo.shares())[0] == "Building"
    assert asked == [], "the result is still there"


def test_a_bad_file_among_others_is_told_at_the_end(demo):
    photo = pictures.encoded(pictures.sample(), "JPEG")
    demo.drop(("notes.txt", "text/plain", b"hello"), ("street.jpg", "image/jpeg", photo))
    demo.page.wait_for_selector("#picture[aria-label^='Segmented photo street.jpg']")
    expect(demo.notice.locator("h2")).to_have_text("“notes.txt” is not a picture")


def test_total_unfolds_into_its_parts(demo):
    parts = demo.page.locator("#timing-parts")
    expect(parts).to_be_hidden()
    demo.page.locator("#timing summary").click()
    expect(parts).to_contain_text("Network")
