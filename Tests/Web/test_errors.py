"""What goes wrong is said in words that help, and the page goes on."""

import json
import time

import pytest
from playwright.sync_api import expect

import pictures

# Chromium's own console messages for a response that is an error, or for none.
FAILED_REQUEST = ("Failed to load resource",)


def text(demo, name, content):
    demo.drop((name, "text/plain", content))


def test_a_text_file_is_refused_by_name(demo):
    text(demo, "notes.txt", b"hello, these are notes\nand more")
    expect(demo.notice).to_be_visible()
    expect(demo.notice.locator("h2")).to_have_text("“notes.txt” is not a picture")
    expect(demo.notice.locator("p").first).to_have_text(
        "It begins with “hello, these are notes…”. Choose a PNG or JPEG photo."
    )
    expect(demo.page.locator("#notice")).to_have_attribute("role", "alert")
    demo.notice.get_by_role("button", name="Close").click()
    demo.drop_sample()
    assert list(demo.shares())[0] == "Building"


def test_a_text_file_leaves_the_result_in_place(demo):
    demo.drop_sample()
    text(demo, "notes.txt", b"hello")
    expect(demo.notice).to_be_visible()
    expect(demo.entry("Building").locator(".share")).not_to_be_empty()
    demo.page.keyboard.press("Escape")
    expect(demo.notice).to_be_hidden()


def test_a_picture_that_the_browser_cannot_read(demo):
    heif = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
    demo.drop(("photo.heic", "image/heic", heif))
    expect(demo.notice).to_contain_text("This browser cannot read “photo.heic”")
    expect(demo.notice).to_contain_text("Save it as PNG or JPEG, and choose that.")


@pytest.mark.parametrize(
    ("name", "content", "title", "detail"),
    [
        ("empty.png", b"", "“empty.png” is empty", "Choose a PNG or JPEG photo."),
        ("data.bin", bytes(range(128, 256)), "“data.bin” is not a picture", "Choose a PNG or JPEG photo."),
        (
            "cut.jpg",
            pictures.encoded(pictures.sample(), "JPEG")[:200],
            "“cut.jpg” is damaged",
            "Its 1 kB begin like a photo, but cannot be read. Save or download it again, or choose another.",
        ),
    ],
)
def test_files_that_are_no_photos(demo, name, content, title, detail):
    demo.drop((name, "application/octet-stream", content))
    expect(demo.notice.locator("h2")).to_have_text(title)
    expect(demo.notice.locator("p").first).to_have_text(detail)


def answer(demo, status, detail, headers=None):
    """Answers the next request with a problem."""
    demo.asked = []

    def fulfil(route):
        demo.asked.append(route.request)
        if len(demo.asked) > 1:
            return route.continue_()
        body = json.dumps({"type": "about:blank", "title": "x", "status": status, "detail": detail, "requestId": "r"})
        route.fulfill(status=status, content_type="application/problem+json", headers=headers or {}, body=body)

    demo.page.route("**/v1/segment*", fulfil)
    demo.drop(("street.jpg", "image/jpeg", pictures.encoded(pictures.sample(), "JPEG")))


def test_the_detail_of_a_problem_is_shown(open_page):
    demo = open_page(expects=FAILED_REQUEST)
    answer(demo, 400, "The JPEG ends too early.")
    expect(demo.notice).to_contain_text("The server could not read this request")
    expect(demo.notice).to_contain_text("The JPEG ends too early.")


def test_a_busy_server_is_asked_again_after_the_time_it_names(open_page):
    demo = open_page(expects=FAILED_REQUEST)
    # Under a clock that the test moves: on a busy machine the seconds would pass before they are seen.
    demo.page.clock.install()
    demo.page.clock.pause_at(time.time() + 3600)
    answer(demo, 503, "The queue is full.", {"Retry-After": "2"})
    again = demo.notice.get_by_role("button").first
    expect(demo.notice).to_contain_text("The server is busy")
    expect(again).to_have_text("Try now (automatically in 2 s)")
    demo.page.clock.run_for(1000)
    expect(again).to_have_text("Try now (automatically in 1 s)")
    assert len(demo.asked) == 1
    demo.page.clock.run_for(1000)
    demo.page.clock.resume()
    demo.wait_for_result()
    assert len(demo.asked) == 2
    expect(demo.notice).to_be_hidden()


def test_a_busy_server_can_be_asked_at_once(open_page):
    demo = open_page(expects=FAILED_REQUEST)
    answer(demo, 503, "The queue is full.", {"Retry-After": "600"})
    demo.notice.get_by_role("button", name="Try now").click()
    demo.wait_for_result()


def test_after_a_deadline_a_smaller_copy_can_be_sent(open_page):
    demo = open_page(expects=FAILED_REQUEST)
    sizes = []

    def refuse_large(route):
        body = route.request.post_data_buffer
        sizes.append(len(body))
        if len(sizes) == 1:
            return route.fulfill(
                status=413,
                content_type="application/problem+json",
                body=json.dumps({"detail": "4000 x 3000 are 12000000 pixels; at most 4000000 are taken."}),
            )
        route.continue_()

    demo.page.route("**/v1/segment*", refuse_large)
    large = pictures.sample("overcast.jpg").resize((2400, 1800))
    demo.drop(("large.jpg", "image/jpeg", pictures.encoded(large, "JPEG", quality=90)))
    expect(demo.notice).to_contain_text("at most 4000000 are taken")
    demo.notice.get_by_role("button", name="Send a smaller copy").click()
    demo.wait_for_result()
    assert sizes[1] < sizes[0]
    assert list(demo.shares())[0] == "Road"


def test_a_server_that_does_not_answer(open_page):
    demo = open_page(expects=FAILED_REQUEST)
    demo.page.route("**/v1/segment*", lambda route: route.abort("connectionrefused"))
    demo.drop(("street.jpg", "image/jpeg", pictures.encoded(pictures.sample(), "JPEG")))
    expect(demo.notice).to_contain_text("The server does not answer")
    expect(demo.notice).to_contain_text("Check that segnet-server still runs at http://")
    demo.page.unroute("**/v1/segment*")
    demo.notice.get_by_role("button", name="Try again").click()
    demo.wait_for_result()


def test_an_answer_that_is_no_picture(open_page):
    demo = open_page()
    broken = json.dumps({"model": "m", "classes": [], "images": {"mask": "aGVsbG8="}})
    demo.page.route("**/v1/segment*", lambda route: route.fulfill(status=200, content_type="application/json", body=broken))
    demo.drop(("street.jpg", "image/jpeg", pictures.encoded(pictures.sample(), "JPEG")))
    expect(demo.notice).to_contain_text("The server's answer could not be read")
    expect(demo.notice).to_contain_text("the answer is not a PNG")


def test_a_photo_that_comes_before_the_models_waits_for_them(open_page):
    demo = open_page()
    held = []
    demo.page.route("**/v1/models", lambda route: held.append(route))
    demo.page.reload()
    demo.page.wait_for_selector("#app[data-state=loading]")
    demo.eventually("the page asks for the models", lambda: len(held) == 1)
    demo.drop(("street.jpg", "image/jpeg", pictures.encoded(pictures.sample(), "JPEG")))
    demo.eventually("the photo has been read, and wants them, too", lambda: len(held) == 2)
    for route in held:
        route.continue_()
    demo.wait_for_result()


@pytest.fixture
def without_models(open_page):
    """A page whose models did not load; from now on they would."""
    demo = open_page(expects=FAILED_REQUEST)
    demo.page.route("**/v1/*s", lambda route: route.abort("connectionrefused"))
    demo.page.route("**/v1/samples", lambda route: route.continue_())
    demo.page.reload()
    expect(demo.notice).to_contain_text("The server does not answer")
    demo.page.unroute("**/v1/*s")
    return demo


def test_models_that_do_not_load_can_be_asked_for_again(without_models):
    without_models.notice.get_by_role("button", name="Try again").click()
    expect(without_models.page.locator("#model")).to_be_enabled()


def test_the_camera_asks_for_models_that_did_not_load(without_models):
    # The notice lies over the button.
    without_models.notice.get_by_role("button", name="Close").click()
    without_models.page.locator("[data-action=camera]:visible").first.click()
    without_models.page.wait_for_selector("#app[data-state=live]")
    expect(without_models.notice).to_be_hidden()


def test_a_sample_asks_for_models_that_did_not_load(without_models):
    without_models.page.locator(".sample", has=without_models.page.locator("img[src$='/street.jpg']")).click()
    without_models.wait_for_result("street.jpg")
    expect(without_models.notice).to_be_hidden()


def test_a_video_asks_for_models_that_did_not_load(without_models):
    limits = {"isAvailable": True, "maximumBytes": 1000, "maximumSeconds": 60, "maximumFrames": 100}
    without_models.page.route("**/v1/videos", lambda route: route.fulfill(json=limits))
    without_models.drop(("clip.mp4", "video/mp4", b"x"))
    expect(without_models.page.locator("#video")).to_be_visible()
    expect(without_models.page.locator("#model")).to_be_enabled()
    expect(without_models.notice).to_be_hidden()


def test_a_video_for_a_server_that_does_not_answer_can_be_sent_again(without_models):
    without_models.page.route("**/v1/videos", lambda route: route.abort("connectionrefused"))
    without_models.drop(("clip.mp4", "video/mp4", b"x"))
    expect(without_models.notice).to_contain_text("The server does not answer")
    expect(without_models.notice.get_by_role("button", name="Try again")).to_be_visible()


def test_a_server_with_a_token_is_given_it(open_page, server_with_token):
    url, token = server_with_token
    demo = open_page(url, expects=FAILED_REQUEST)
    demo.drop(("street.jpg", "image/jpeg", pictures.encoded(pictures.sample(), "JPEG")))
    dialog = demo.page.get_by_role("dialog", name="This server asks for a token")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Token", exact=True).fill("wrong-token-0123456789")
    dialog.get_by_role("button", name="Use this token").click()
    expect(dialog).to_be_visible()
    dialog.get_by_label("Token", exact=True).fill(token)
    dialog.get_by_role("button", name="Use this token").click()
    demo.wait_for_result()
    demo.drop_sample("overcast.jpg")
    expect(dialog).to_be_hidden()


def test_without_the_token_the_page_says_how_to_go_on(open_page, server_with_token):
    demo = open_page(server_with_token[0], expects=FAILED_REQUEST)
    demo.drop(("street.jpg", "image/jpeg", pictures.encoded(pictures.sample(), "JPEG")))
    demo.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(demo.notice.get_by_role("button", name="Enter the token")).to_be_visible()
