"""The player while its file is being made: it says so over the video's picture, and forgets it when the file stands."""

from __future__ import annotations

import av
import pytest

from tests.figures.players import CONSTANT, barcode, made_data, write_video


@pytest.mark.browser
def test_a_slow_small_file_is_told_over_the_picture(shown):
    times = write_video(shown.folder / "small.mp4", CONSTANT)
    with av.open(str(shown.folder / "poster.png"), "w", format="image2") as file:
        stream = file.add_stream("png", 1)
        frame = av.VideoFrame.from_ndarray(barcode(9), format="rgb24")
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "rgb24"
        file.mux(stream.encode(frame))
    held = []
    shown.page.route("**/small.mp4", lambda route: held.append(route))  # the server is still at it
    data = made_data(shown.sources("small.mp4", times=times), times, poster=f"{shown.base}/poster.png")
    data["sources"][0]["rendition"] = "proxy"
    shown.open(data, ready=False)
    shown.page.wait_for_selector(".wbp-poster:not([hidden])", timeout=15_000)
    note, poster = shown.page.locator(".wbp-note"), shown.page.locator(".wbp-poster")
    assert note.inner_text().startswith("The small file is being made") and poster.is_visible()
    assert shown.page.evaluate("document.querySelector('.wbp-poster').naturalWidth") == 160
    for route in held:
        route.continue_()
    shown.page.wait_for_selector(".wbp[data-ready=true]", timeout=15_000)
    assert note.inner_text() == "" and not poster.is_visible()
    shown.page.get_by_label("2 times speed").click()
    assert shown.page.evaluate("document.querySelector('video').playbackRate") == 2


@pytest.mark.browser
def test_nothing_is_told_of_a_file_that_comes_at_once(shown):
    times = write_video(shown.folder / "small.mp4", CONSTANT)
    shown.open(made_data(shown.sources("small.mp4", times=times), times, poster=f"{shown.base}/none.png"))
    shown.page.wait_for_timeout(800)
    assert shown.page.locator(".wbp-note").inner_text() == "" and not shown.page.locator(".wbp-poster").is_visible()
