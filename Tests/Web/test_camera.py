"""Live mode on Chromium's fake video device."""

import json

from PIL import Image
from playwright.sync_api import expect


def start(demo):
    demo.page.locator("[data-action=camera]:visible").first.click()
    demo.page.wait_for_selector("#app[data-state=live]")


def rate(demo):
    return float(demo.page.locator("#fps").inner_text())


def test_the_camera_runs_with_a_rate_above_zero(demo):
    start(demo)
    expect(demo.page.locator("#live-badge")).to_be_visible()
    demo.eventually("a rate", lambda: rate(demo) > 0)
    assert demo.page.locator("#picture").evaluate("canvas => canvas.width") > 100
    assert len(demo.shares()) == 11


def test_one_frame_is_on_its_way_at_a_time_and_not_larger_than_the_network(demo):
    open_requests, most, sizes = set(), [0], []

    def sent(request):
        if "/v1/segment" in request.url:
            open_requests.add(request)
            most[0] = max(most[0], len(open_requests))
            sizes.append(len(request.post_data_buffer or b""))

    demo.page.on("request", sent)
    demo.page.on("requestfinished", lambda request: open_requests.discard(request))
    demo.page.on("requestfailed", lambda request: open_requests.discard(request))
    start(demo)
    demo.eventually("ten frames are sent", lambda: len(sizes) >= 10)
    assert most[0] == 1
    assert max(sizes) < 100_000


def test_stop_ends_it_and_frees_the_camera(demo):
    demo.page.evaluate(
        """() => {
          const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = async (wish) => (window.stream = await ask(wish));
        }"""
    )
    start(demo)
    demo.page.get_by_role("button", name="Stop").click()
    expect(demo.page.locator("#live-badge")).to_be_hidden()
    assert demo.page.evaluate("() => window.stream.getTracks().map((track) => track.readyState)") == ["ended"]
    expect(demo.page.locator("#app")).to_have_attribute("data-state", "result")


def test_a_frame_can_be_kept_at_the_size_of_the_camera(demo, tmp_path):
    start(demo)
    demo.page.get_by_role("button", name="Keep this picture").click()
    demo.wait_for_result()
    expect(demo.page.locator("#live-badge")).to_be_hidden()
    mask = Image.open(demo.download("Mask", tmp_path))
    assert mask.size[0] > 480


def test_a_photo_ends_live_mode(demo):
    start(demo)
    demo.drop_sample()
    expect(demo.page.locator("#live-badge")).to_be_hidden()
    assert list(demo.shares())[0] == "Building"


def test_a_refused_camera_says_where_to_allow_it(open_page):
    demo = open_page()
    demo.page.evaluate(
        """() => {
          navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", "NotAllowedError"); };
        }"""
    )
    demo.page.locator("[data-action=camera]:visible").first.click()
    expect(demo.notice).to_contain_text("The camera is not allowed")
    expect(demo.notice).to_contain_text("Allow it for this page in the browser's address bar")


def test_a_busy_server_only_slows_it_down(open_page):
    demo = open_page(expects=("Failed to load resource",))
    asked = []

    def busy_once(route):
        asked.append(1)
        if len(asked) == 1:
            return route.fulfill(
                status=503,
                content_type="application/problem+json",
                headers={"Retry-After": "1"},
                body=json.dumps({"detail": "The queue is full."}),
            )
        route.continue_()

    demo.page.route("**/v1/segment*", busy_once)
    start(demo)
    expect(demo.notice).to_be_hidden()


def test_confidence_is_shown_live(demo):
    start(demo)
    demo.choose_view("Confidence")
    with demo.page.expect_response(lambda response: "confidence" in response.url):
        pass
    expect(demo.page.locator("#scale")).to_be_visible()
    demo.point_at(0.5, 0.5)
    expect(demo.readout.locator(".readout-value")).to_contain_text("%")
    demo.page.get_by_role("button", name="Stop").click()
    expect(demo.page.locator("#live-badge")).to_be_hidden()
    assert demo.page.locator("input[value=confidence]").is_checked()


def test_the_confidence_of_a_stopped_frame_is_asked_for(demo):
    start(demo)
    demo.page.get_by_role("button", name="Stop").click()
    expect(demo.page.locator("#live-badge")).to_be_hidden()
    with demo.page.expect_response(lambda response: "confidence" in response.url):
        demo.choose_view("Confidence")
    expect(demo.page.locator("#scale")).to_be_visible()
