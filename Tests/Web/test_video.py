"""Videos: offered where the server takes them, followed to their end, shown, saved, given up."""

import json
import shutil
import subprocess
import urllib.request

import pytest
from playwright.sync_api import expect

from conftest import MILLISECONDS

pytestmark = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("ffprobe")), reason="ffmpeg and ffprobe are not installed"
)


def clip(folder, frames=12, size="160x120"):
    file = folder / "clip.mp4"
    source = f"testsrc2=size={size}:rate=25"
    command = ["ffmpeg", "-y", "-loglevel", "error", "-nostdin", "-f", "lavfi", "-i", source, "-frames:v", str(frames)]
    subprocess.run([*command, "-c:v", "libx264", "-pix_fmt", "yuv420p", str(file)], check=True)
    return file.read_bytes()


def drop(demo, video):
    demo.drop(("clip.mp4", "video/mp4", video))
    expect(demo.page.locator("#video")).to_be_visible()


def test_a_video_is_sent_followed_shown_and_saved(demo, tmp_path):
    drop(demo, clip(tmp_path))
    page = demo.page
    expect(page.locator("#video-name")).to_have_text("clip.mp4, " + page.locator("#video-name").inner_text().split(", ")[1])
    expect(page.locator("#video-limits")).to_contain_text("At most")
    page.get_by_role("button", name="Segment the video").click()
    expect(page.locator("#video-result")).to_be_visible(timeout=4 * MILLISECONDS)
    expect(page.locator("#video-done")).to_contain_text("12 frames")
    player = page.locator("#video-player")
    # Not wait_for_function: where it has to ask twice, the page's policy forbids what it does.
    demo.eventually("the player knows the size", lambda: player.evaluate("player => player.videoWidth") > 0)
    assert player.evaluate("player => [player.videoWidth, player.videoHeight]") == [160, 120]
    assert abs(player.evaluate("player => player.duration") - 0.48) < 0.05
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the result").click()
    assert download.value.suggested_filename == "clip.overlay.mp4"
    saved = tmp_path / "saved.mp4"
    download.value.save_as(saved)
    assert saved.read_bytes()[4:8] == b"ftyp"


def test_a_table_of_shares_has_no_player(demo, tmp_path):
    drop(demo, clip(tmp_path, frames=3))
    page = demo.page
    page.get_by_label("Result").select_option("shares")
    page.get_by_label("Reduce flicker").uncheck()
    page.get_by_role("button", name="Segment the video").click()
    expect(page.locator("#video-result")).to_be_visible(timeout=4 * MILLISECONDS)
    expect(page.locator("#video-player")).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the result").click()
    saved = tmp_path / "saved.csv"
    download.value.save_as(saved)
    assert saved.read_text().startswith("frame,seconds,Sky,")


def test_a_closed_dialog_gives_the_video_up(demo, tmp_path):
    def count():
        with urllib.request.urlopen(demo.url.rstrip("/") + "/v1/videos") as answer:
            return json.load(answer)["count"]

    # Results of tests before are kept for a while.
    before = count()
    drop(demo, clip(tmp_path, frames=500))
    page = demo.page
    page.get_by_role("button", name="Segment the video").click()
    expect(page.locator("#video-text")).to_contain_text("of 500 frames", timeout=2 * MILLISECONDS)
    with page.expect_request(lambda request: request.method == "DELETE"):
        page.keyboard.press("Escape")
    expect(page.locator("#video")).to_be_hidden()
    # The page goes on.
    demo.drop_sample()

    demo.eventually("the video is given up", lambda: count() <= before)


def test_waiting_for_a_video_leaves_nothing_behind(open_page):
    video = {"id": "1", "state": "waiting", "frames": 0}
    asked = []

    def tell(route):
        asked.append(route.request.method)
        state = "waiting" if len(asked) < 6 else "failed"
        route.fulfill(json={**video, "state": state, "error": "It was only a test."})

    demo = open_page()
    demo.page.route("**/v1/videos?*", lambda route: route.fulfill(status=202, json=video))
    demo.page.route("**/v1/videos/1", tell)
    demo.page.evaluate(
        """() => {
          const add = AbortSignal.prototype.addEventListener;
          window.listeners = 0;
          AbortSignal.prototype.addEventListener = function (...parts) {
            window.listeners += 1;
            return add.apply(this, parts);
          };
        }"""
    )
    drop(demo, b"x")
    demo.page.get_by_role("button", name="Segment the video").click()
    expect(demo.notice).to_contain_text("It was only a test.")
    demo.eventually("it is given up", lambda: asked == ["GET"] * 6 + ["DELETE"])
    assert demo.page.evaluate("() => window.listeners") == 1, "that of the upload"


def test_an_answer_that_is_lost_does_not_lose_the_video(open_page):
    video = {"id": "1", "state": "running", "frames": 1, "result": "/v1/videos/1/result"}
    asked, fetched = [], []

    def tell(route):
        asked.append(route.request.method)
        if len(asked) == 1:
            return route.abort("connectionreset")
        if len(asked) == 2:
            return route.fulfill(status=504, body="The proxy gave up.")
        route.fulfill(json={**video, "state": "running" if len(asked) == 3 else "done"})

    def give(route):
        fetched.append(route.request.method)
        if len(fetched) == 1:
            return route.fulfill(status=502, body="The proxy is restarted.")
        route.fulfill(content_type="text/csv", body="frame,seconds,Sky")

    demo = open_page(expects=("Failed to load resource",))
    demo.page.route("**/v1/videos?*", lambda route: route.fulfill(status=202, json=video))
    demo.page.route("**/v1/videos/1", tell)
    demo.page.route("**/v1/videos/1/result", give)
    drop(demo, b"x")
    demo.page.get_by_label("Result").select_option("shares")
    demo.page.get_by_role("button", name="Segment the video").click()
    expect(demo.page.locator("#video-result")).to_be_visible()
    expect(demo.notice).to_be_hidden()
    assert asked == ["GET"] * 4 and fetched == ["GET"] * 2
    demo.page.keyboard.press("Escape")
    demo.eventually("it is given up", lambda: asked == ["GET"] * 4 + ["DELETE"])


def test_a_closed_dialog_asks_no_more_for_answers_that_are_lost(open_page):
    asked = []

    def tell(route):
        asked.append(route.request.method)
        route.abort("connectionreset")

    demo = open_page(expects=("Failed to load resource",))
    video = {"id": "1", "state": "waiting", "frames": 0}
    demo.page.route("**/v1/videos?*", lambda route: route.fulfill(status=202, json=video))
    demo.page.route("**/v1/videos/1", tell)
    drop(demo, b"x")
    demo.page.get_by_role("button", name="Segment the video").click()
    demo.eventually("it is asked for again", lambda: len(asked) >= 2)
    demo.page.keyboard.press("Escape")
    demo.eventually("it is given up", lambda: "DELETE" in asked)
    # Three polls' time.
    demo.page.wait_for_timeout(1500)
    assert asked[-1] == "DELETE"
    expect(demo.notice).to_be_hidden()


def test_what_is_no_video_is_told(open_page):
    demo = open_page(expects=("Failed to load resource",))
    demo.drop(("clip.mp4", "video/mp4", b"only words"))
    demo.page.get_by_role("button", name="Segment the video").click()
    expect(demo.notice).to_contain_text("The video cannot be read as a video")
    expect(demo.page.locator("#video")).to_be_hidden()


def test_a_server_without_videos_says_why(open_page, browser):
    def without(route):
        answer = {"isAvailable": False, "reason": "ffmpeg: is not on PATH."}
        route.fulfill(status=200, content_type="application/json", body=json.dumps(answer))

    demo = open_page()
    demo.page.route("**/v1/videos", without)
    demo.open()
    assert demo.page.locator("#file").get_attribute("accept") == "image/*"
    demo.drop(("clip.mp4", "video/mp4", b"x"))
    expect(demo.notice.locator("h2")).to_have_text("This server takes no videos")
    expect(demo.notice).to_contain_text("ffmpeg: is not on PATH. Send single pictures.")
