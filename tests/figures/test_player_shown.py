"""The player in a browser: boxes stand on the presented frame, and it can be moved by everything it offers."""

from __future__ import annotations

import random
import sys

import pytest

from tests.figures.players import CONSTANT, FRAMES, HOSTILE, MOVES, VARIABLE, Seen, made_data, write_video
from workbench.app.components.assets import with_player
from workbench.figures.player import player_html

TWO = """() => [...document.querySelectorAll(".wbp")].map((one) => [
  Number(one.dataset.frame), readBarcode(one.querySelector("video")), one.dataset.playing === "true"])"""


@pytest.mark.browser
@pytest.mark.parametrize("ticks", [CONSTANT, VARIABLE], ids=["constant", "variable"])
def test_seeks_present_and_draw_the_frame_that_was_asked_for(shown, ticks):
    times = write_video(shown.folder / "video.mp4", ticks)
    shown.open(made_data(shown.sources("video.mp4", times=times), times))
    right = 0
    asked = random.Random(7).sample(range(FRAMES), 20)
    for frame in asked:
        shown.scrub(frame)
        right += shown.barcode() == int(shown.state()["frame"]) == frame
        assert shown.box() == (frame if frame <= MOVES else None)
    sys.stdout.write(f"seeks: {right} of {len(asked)} exact\n")
    assert right == len(asked)


@pytest.mark.browser
@pytest.mark.parametrize("ticks", [CONSTANT, VARIABLE], ids=["constant", "variable"])
def test_boxes_follow_the_presented_frame_while_it_plays(shown, ticks):
    times = write_video(shown.folder / "video.mp4", ticks)
    shown.open(made_data(shown.sources("video.mp4", times=times), times, autoplay=True))
    shown.page.wait_for_function("window.seen.length >= 110", timeout=60_000)
    assert shown.state()["playing"] == "true"
    found = Seen.of(shown.page.evaluate("window.seen"))
    sys.stdout.write(f"playing: {found.exact} of {found.counted} exact, most {found.farthest} off\n")
    assert found.counted >= 60 and found.exact >= 0.99 * found.counted and found.farthest <= 1
    assert found.prompt >= 0.95
    assert found.misplaced == []


@pytest.mark.browser
def test_a_source_that_does_not_play_gives_way_to_the_next(shown):
    (shown.folder / "broken.mp4").write_bytes(b"no video at all " * 200)
    times = write_video(shown.folder / "video.mp4", CONSTANT)
    shown.open(made_data(shown.sources("broken.mp4", "video.mp4", times=times), times))
    assert shown.state()["rendition"] == "proxy"
    assert "original" in shown.page.inner_text(".wbp-note")
    shown.scrub(33)
    assert shown.barcode() == int(shown.state()["frame"]) == 33


@pytest.mark.browser
def test_no_source_that_plays_ends_in_a_sentence(shown):
    (shown.folder / "broken.mp4").write_bytes(b"no video at all " * 200)
    html = player_html(made_data(shown.sources("broken.mp4", "missing.mp4", times=[0.0]), [0.0]))
    (shown.folder / "page.html").write_text(f"<!doctype html><body>{html}</body>", encoding="utf-8")
    shown.page.goto(f"{shown.base}/page.html")
    shown.page.wait_for_selector(".wbp[data-failed=true]")
    assert "This browser cannot play the video: " in shown.page.inner_text(".wbp-failure")


@pytest.mark.browser
def test_a_proxy_with_other_frames_draws_those_of_the_original(shown):
    times = write_video(shown.folder / "whole.mp4", CONSTANT)
    # The proxy keeps every third frame, on its own clock; its frame 5 shows what the original shows in frame 15.
    proxy = write_video(shown.folder / "proxy.mp4", CONSTANT[::3])
    (shown.folder / "broken.mp4").write_bytes(b"no")
    sources = shown.sources("broken.mp4", "proxy.mp4", times=times)
    sources[1]["times"] = [round(time, 3) for time in proxy]
    shown.open(made_data(sources, times))
    for asked, own in ((15, 5), (16, 5), (17, 5), (18, 6), (59, 19), (0, 0)):
        shown.scrub(asked)
        assert (shown.barcode(), int(shown.state()["frame"])) == (own, 3 * own)
    shown.page.focus(".wbp")
    shown.page.keyboard.press("ArrowRight")
    shown.settle()
    assert int(shown.state()["frame"]) == 3


@pytest.mark.browser
def test_keys_chips_and_ticks_move_by_frames(shown):
    times = write_video(shown.folder / "video.mp4", VARIABLE)
    shown.open(
        made_data(shown.sources("video.mp4", times=times), times, start=times[7] - 0.0008)
    )  # a stamp in whole ms
    shown.settle()
    page = shown.page
    assert int(shown.state()["frame"]) == shown.barcode() == 7
    page.focus(".wbp")
    for key, frame in (("ArrowRight", 8), ("ArrowRight", 9), ("ArrowLeft", 8), ("End", FRAMES - 1), ("Home", 0)):
        page.keyboard.press(key)
        shown.settle()
        assert int(shown.state()["frame"]) == shown.barcode() == frame
    for _ in range(5):  # faster than seeks end: no press is lost
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(".wbp[data-frame='5']")
    shown.settle()
    assert shown.barcode() == 5
    page.keyboard.press("Space")
    page.wait_for_selector(".wbp[data-playing=true]")
    page.click("button[aria-label='One frame forward']")
    page.wait_for_selector(".wbp[data-playing=false]")
    page.keyboard.press("b")
    assert page.get_attribute("button[aria-label^=Boxes]", "aria-pressed") == "false"
    page.click(".wbp-all summary")
    page.click(".wbp-words button:has-text('onerror')")
    shown.settle()
    assert int(shown.state()["frame"]) == shown.barcode() == 3
    assert "MIRA CAFE" in page.inner_text(".wbp-now") and "★" in page.inner_text(".wbp-now")
    page.click(".wbp-tick >> nth=2")
    shown.settle()
    assert int(shown.state()["frame"]) == shown.barcode() == 41
    assert HOSTILE in page.inner_text(".wbp-title") and page.locator(".wbp img:not(.wbp-poster)").count() == 0


@pytest.mark.browser
def test_a_rerun_with_the_same_data_keeps_the_video_playing(shown):
    times = write_video(shown.folder / "video.mp4", CONSTANT)
    data = made_data(shown.sources("video.mp4", times=times), times, autoplay=True)
    js, css = with_player("address.js", "player.js")
    module = js.replace("export default function (component)", "window.component = function (component)")
    page = f"<!doctype html><div id=host></div><style>{css}</style><script type=module>{module}</script>"
    (shown.folder / "page.html").write_text(page, encoding="utf-8")
    shown.page.goto(f"{shown.base}/page.html")
    run = """(data) => {
      component({ data: { ...data, names: {} }, parentElement: document.getElementById("host"), setTriggerValue() {} });
      window.first ??= document.querySelector("video");
    }"""
    shown.page.evaluate(run, data)
    shown.page.wait_for_selector(".wbp[data-playing=true][data-ready=true]")
    shown.page.wait_for_function("first.currentTime > 0.3")
    shown.page.evaluate(run, data)
    shown.page.evaluate(run, {**data, "title": "another title"})
    assert shown.page.evaluate("document.querySelectorAll('video').length") == 1
    assert shown.page.evaluate("first.isConnected && !first.paused && first.currentTime > 0.3")
    assert shown.page.inner_text(".wbp-title") == "another title"


@pytest.mark.browser
def test_without_frame_callbacks_it_says_so_and_still_seeks(shown):
    times = write_video(shown.folder / "video.mp4", VARIABLE)
    shown.page.add_init_script("delete HTMLVideoElement.prototype.requestVideoFrameCallback")
    shown.open(made_data(shown.sources("video.mp4", times=times), times))
    assert "one frame off" in shown.page.inner_text(".wbp-note")
    for frame in (12, 40, 3):
        shown.scrub(frame)
        assert int(shown.state()["frame"]) == shown.barcode() == frame


@pytest.mark.browser
def test_two_videos_move_together_each_exact_to_its_own_frames(shown):
    """The second one is half as long: a share is half as many frames, a second is as many."""
    long = write_video(shown.folder / "long.mp4", CONSTANT)
    short = write_video(shown.folder / "short.mp4", CONSTANT[:31])
    shown.open(
        *(made_data(shown.sources(name, times=times), times, group="pair", key=name)
          for name, times in (("long.mp4", long), ("short.mp4", short)))
    )  # fmt: skip
    page = shown.page

    def stand(*frames: int) -> None:
        page.wait_for_function(f"({TWO})().every(([drawn, read], i) => drawn === {list(frames)}[i] && read === drawn)")

    first, second = page.locator(".wbp").all()
    shown.scrub(20)
    stand(20, 0)  # not yet together
    first.get_by_label("Move the videos together (t)").click()
    stand(20, 10)
    assert second.get_by_label("Move the videos together (t)").get_attribute("aria-pressed") == "true"
    shown.scrub(41)
    stand(41, 20)
    second.focus()
    page.keyboard.press("End")
    stand(59, 30)
    page.keyboard.press("ArrowLeft")
    stand(57, 29)  # the frame of the first that stands at 29/30 of its length
    first.get_by_label("together by seconds from the start").click()
    shown.scrub(25)
    stand(25, 25)
    shown.scrub(50)
    stand(50, 30)  # the second one holds its last frame
    second.get_by_label("0.25 times speed").click()
    assert page.evaluate("[...document.querySelectorAll('video')].every((one) => one.playbackRate === 0.25)")
    shown.scrub(2)
    stand(2, 2)
    second.focus()
    page.keyboard.press("Space")
    page.wait_for_function(f"({TWO})().every(([drawn, , playing]) => playing && drawn > 5)")
    page.keyboard.press("Space")
    page.wait_for_function(f"({TWO})().every(([, , playing]) => !playing)")
    alike = "(two) => two[0][0] === two[1][0] && two.every(([drawn, read]) => drawn === read)"
    page.wait_for_function(f"({alike})(({TWO})())")


@pytest.mark.browser
def test_another_file_goes_on_at_the_same_frame(shown):
    times = write_video(shown.folder / "whole.mp4", CONSTANT)
    proxy = write_video(shown.folder / "proxy.mp4", CONSTANT[::3])
    sources = shown.sources("whole.mp4", "proxy.mp4", times=times)
    sources[1]["times"] = proxy
    shown.open(made_data(sources, times))
    shown.scrub(31)
    for rendition, read, frame in (("proxy", 10, 30), ("original", 30, 30)):
        shown.page.get_by_role("button", name=rendition, exact=True).click()
        shown.page.wait_for_selector(f".wbp[data-ready=true][data-rendition={rendition}][data-frame='{frame}']")
        shown.settle()
        assert shown.barcode() == read and shown.page.inner_text(".wbp-note") == ""


@pytest.mark.browser
def test_the_page_asks_a_player_for_a_second(shown):
    times = write_video(shown.folder / "video.mp4", VARIABLE)
    shown.open(made_data(shown.sources("video.mp4", times=times), times))
    for key, frame in (("k", 33), ("another", 33), ("k", 12)):
        detail = {"key": key, "seconds": times[33 if key == "another" else frame]}
        shown.page.evaluate("(detail) => document.dispatchEvent(new CustomEvent('workbench:seek', { detail }))", detail)
        shown.settle()
        assert int(shown.state()["frame"]) == shown.barcode() == frame
