"""Keys and players in a real browser: what they write, and that the address follows them without a run of the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.app.test_pages import opened, words
from tests.app.test_video_pages import mounted
from tests.captioned import captioned_corpus, captioned_runs
from tests.sites import WAIT, Site, served
from workbench.app import loading
from workbench.app.parts.triage import MOST_TEXT
from workbench.app.routes import ROUTES
from workbench.corpus import video_key
from workbench.evaluation.runs import notes

pytestmark = [pytest.mark.filterwarnings("default")]
LINK = "failures?v=1&corpus=shown%2Ftest&run=wrong&view=triage"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with five clips and two runs."""
    folder = tmp_path_factory.mktemp("triage")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(folder / "workspace"))
        (folder / "workspace").mkdir()
        captioned_runs(captioned_corpus(folder / "films"))
    yield folder / "workspace"


@pytest.fixture(scope="module")
def site(place, browser) -> Iterator[Site]:
    yield from served(place, browser, "triage")


def fact(site: Site) -> str:
    return site.page.locator(".triage .facts").inner_text()


@pytest.mark.browser
def test_keys_move_tag_play_and_write_once(site, place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(place))
    site.open(LINK)
    site.page.wait_for_selector(".triage .wbp", timeout=WAIT)
    name = site.page.get_by_label("Your name, for tags")
    name.fill("Ana")
    name.press("Enter")
    site.settle()
    name.press("j")  # writes, does not move
    assert fact(site).startswith("1 of") and name.input_value() == "Anaj"
    name.fill("Ana")
    name.press("Enter")
    site.settle()
    site.page.locator("h1").click()
    for key in ("2", "j", "1", "j", "3", "3", "b", "k"):
        site.page.keyboard.press(key)
    assert fact(site).startswith("2 of")
    site.page.wait_for_function(
        "[...document.querySelectorAll('*')].some(n => n.shadowRoot?.textContent.includes('All tags are saved.'))",
        timeout=WAIT,
    )
    tags = notes.read_tags("shown")
    assert sorted(tags["label"]) == ["ambiguous", "false_negative"] and set(tags["annotator"]) == {"Ana"}
    assert len(notes.read_notes("shown", notes.TAG)) == 2 and len(notes.read_bookmarks("shown", "Ana", "t2v")) == 1
    assert site.complaints == []


@pytest.mark.browser
def test_a_cause_is_named_and_own_words_are_said(site, place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(place))
    site.open(LINK)
    site.page.wait_for_selector(".triage .wbp", timeout=WAIT)
    name = site.page.get_by_label("Your name, for tags")
    name.fill("Cy")
    name.press("Enter")
    site.settle()
    site.page.locator("h1").click()
    site.page.keyboard.press("c")
    cause, own = site.page.get_by_label("Which cause is it?"), site.page.get_by_label("In your own words")
    assert cause.evaluate("e => e.getRootNode().activeElement === e") and cause.locator("option").count() > 20
    cause.select_option("hub")
    site.page.keyboard.press("Escape")
    site.page.keyboard.press("j")
    assert fact(site).startswith("2 of") and cause.input_value() == ""
    own.fill("<b>The sign</b> is mirrored.")
    own.press("Escape")  # leaves the field, which says it
    site.page.wait_for_function(
        "[...document.querySelectorAll('*')].some(n => n.shadowRoot?.textContent.includes('All tags are saved.'))",
        timeout=WAIT,
    )
    tags = notes.read_tags("shown").query("annotator == 'Cy'")
    assert list(zip(tags["label"], tags["named_cause"], tags["words"], strict=True)) == [
        ("other", "hub", ""), ("other", "", "<b>The sign</b> is mirrored."),
    ]  # fmt: skip
    site.page.keyboard.press("k")
    assert cause.input_value() == "hub" and own.input_value() == ""
    site.page.get_by_role("button", name="Other cause", exact=True).click()  # takes all of it back
    assert cause.input_value() == "" and site.complaints == []


@pytest.mark.browser
def test_space_and_boxes_reach_the_players_and_a_mouse_does_it_too(site):
    site.open(LINK)
    site.page.wait_for_selector(".triage .wbp", timeout=WAIT)
    site.page.locator("h1").click()
    site.page.keyboard.press("Space")
    site.page.wait_for_selector(".triage .wbp[data-playing=true]", timeout=WAIT)
    site.page.keyboard.press("o")
    assert site.page.locator(".triage .wbp [aria-label^='Boxes'][aria-pressed=false]").count() >= 1
    site.page.get_by_role("button", name="Next", exact=True).click()
    assert fact(site).startswith("2 of")
    assert site.page.get_by_role("button", name="False negative", exact=True).is_disabled()


def asked(site: Site) -> dict[str, str]:
    """What the address says now."""
    return site.page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")


def says(site: Site, **values: str) -> None:
    """Wait until the address says this and Python has written it too, so that another run of the page keeps it."""
    site.page.wait_for_timeout(1500)
    site.settle()
    assert values.items() <= asked(site).items(), asked(site)


@pytest.mark.browser
def test_the_address_follows_the_keys_and_opens_the_same_case(site):
    site.open(LINK)
    site.page.wait_for_selector(".triage .wbp", timeout=WAIT)
    site.page.locator("h1").click()
    before = site.page.evaluate("history.length")
    for key in ("j", "j", "k", "j"):
        site.page.keyboard.press(key)
    at, query = fact(site), asked(site)["q"]  # at once: nothing was waited for
    assert at.startswith("3 of") and query
    site.page.reload()
    site.page.wait_for_selector(".triage .wbp", timeout=WAIT)
    assert fact(site) == at and asked(site)["q"] == query
    site.page.locator("h1").click()
    site.page.keyboard.press("k")
    says(site)
    other = asked(site)["q"]
    site.page.get_by_label("Your name, for tags").fill("Bo")  # the page runs again
    site.page.get_by_label("Your name, for tags").press("Enter")
    says(site, q=other)
    assert other != query and fact(site).startswith("2 of")
    assert site.page.evaluate("history.length") == before and site.complaints == []


@pytest.mark.browser
def test_what_is_set_in_players_is_in_the_link_and_in_the_next_query(site):
    site.open("query?v=1&corpus=shown%2Ftest&run=wrong&other=right&q=one.mp4%230")
    first, second = (site.page.locator(".wbp").nth(at) for at in (0, 1))
    for one in (first, second):
        one.locator("xpath=self::*[@data-ready='true']").wait_for(timeout=WAIT)
    first.locator("video").evaluate("video => { video.currentTime = 0.3; }")  # nobody sought it
    site.page.wait_for_timeout(1000)
    assert not {"t", "speed", "boxes", "together"} & {*asked(site)}
    first.get_by_label("0.5 times speed").click()
    first.get_by_label("Boxes on or off (b)").click()
    first.get_by_label("Move the videos together (t)").click()
    first.get_by_label("together by seconds from the start").click()
    for _ in range(3):
        first.get_by_label("One frame forward").click()
    says(site, speed="0.5", boxes="off", together="seconds")
    shown = [one.get_attribute("data-frame") for one in (first, second)]
    assert shown[0] == shown[1] != "0" and {"t", "t2", "speed2"} <= {*asked(site)}
    address = asked(site)

    def stands() -> None:
        for one in (first, second):
            one.locator("[aria-label='0.5 times speed'][aria-pressed=true]").wait_for(timeout=WAIT)
            one.locator("[aria-label='together by seconds from the start'][aria-pressed=true]").wait_for(timeout=WAIT)
        assert first.get_by_label("Boxes on or off (b)").get_attribute("aria-pressed") == "false"
        assert second.get_by_label("Boxes on or off (b)").get_attribute("aria-pressed") == "true"

    site.page.reload()
    stands()
    site.page.wait_for_function(
        "frame => [...document.querySelectorAll('*')].filter(e => e.shadowRoot?.querySelector('.wbp')"
        "?.dataset.frame === frame).length === 2",
        arg=shown[0], timeout=WAIT,
    )  # fmt: skip
    assert asked(site) == address
    first.get_by_label("2 times speed").click()  # the second of the link stays
    says(site, speed="2", t=address["t"], t2=address["t2"])
    first.get_by_label("0.5 times speed").click()
    says(site, speed="0.5")
    site.page.get_by_role("link", name="Next").click()
    site.page.wait_for_function("location.search.includes('q=one.mp4%231')", timeout=WAIT)
    says(site, speed="0.5", boxes="off", together="seconds")
    stands()
    assert not {"t", "t2"} & {*asked(site)} and site.complaints == []


def test_videos_are_queries_with_both_captions(place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(place))
    for view in ("triage", "list"):
        app = opened("failures", run="wrong", direction="v2t", view=view, q="one.mp4")
        assert not app.exception and not app.error
    assert "Top-1, wrong" in words(app) and "nan" not in words(app)
    (data,) = [own for key, own in mounted(opened("failures", run="wrong", direction="v2t", view="triage")).items()
               if key == "triage"]  # fmt: skip
    assert all(one["text"].startswith("Right caption: ") and "Top-1, wrong: " in one["text"] for one in data["cases"])


def test_the_route_of_the_player_gives_words_and_refuses_the_rest(place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(place))
    with TestClient(Starlette(routes=ROUTES)) as client:
        found = client.get(f"/player/shown/{video_key('one.mp4')}", params={"text": "says MIRA " * (MOST_TEXT // 10)})
        assert found.status_code == 200 and [one["matched"] for one in found.json()["tracks"]] == [True]
        for key in ("..%2F..%2Fetc%2Fpasswd", "0" * 16, video_key("broken.mp4")):
            answer = client.get(f"/player/shown/{key}")
            assert answer.status_code == 404 and str(place.parent) not in answer.text


@pytest.mark.browser
def test_both_videos_of_a_case_move_together_with_ticks(site):
    site.open(f"{LINK}&q=one.mp4%230")
    site.page.wait_for_selector(".triage .wbp >> nth=1", timeout=WAIT)
    players = site.page.locator(".triage .wbp")
    for at in (0, 1):
        players.nth(at).locator("xpath=self::*[@data-ready='true']").wait_for(timeout=WAIT)
    assert players.nth(0).locator(".wbp-tick").count() == 2  # frames 1 and 5, which the model saw
    site.page.locator("h1").click()
    site.page.keyboard.press("t")
    site.page.wait_for_selector(".triage .wbp[data-together=true] >> nth=1", timeout=WAIT)
    players.nth(0).locator(".wbp-tick").nth(1).click()
    moved = "[...document.querySelectorAll('*')].flatMap(e => [...(e.shadowRoot?.querySelectorAll('.wbp') ?? [])])"
    site.page.wait_for_function(f"{moved}.every(one => one.dataset.frame === '5')", timeout=WAIT)
    site.page.locator("h1").click()
    site.page.keyboard.press("Space")
    site.page.wait_for_selector(".triage .wbp[data-playing=true] >> nth=1", timeout=WAIT)
    assert site.complaints == []


def test_the_player_of_a_case_has_the_frames_seen_the_engine_and_the_evidence(place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(place))
    told, run = loading.failures, "wrong"
    proof = json.dumps([{"word": "MIRA", "video_id": "one.mp4", "text_id": "one.mp4#rapidocr#0", "time_s": 0.5}])
    monkeypatch.setattr(loading, "failures", lambda *asked: told(*asked).assign(places=proof))
    app = opened("failures", run=run, k="1", view="triage")
    (data,) = [own for key, own in mounted(app).items() if key == "triage"]
    videos = [(one, video) for one in data["cases"] for video in one["videos"] if "evidence=" in video["src"]]
    place_of = {"word": "MIRA", "player": "shown/one.mp4", "seconds": 0.5}
    assert videos and all(place_of.items() <= one["words"][0].items() for one, _ in videos)
    with TestClient(Starlette(routes=ROUTES)) as client:
        found = client.get(videos[0][1]["src"].replace("text=", "said=")).json()
        assert [one["matched"] for one in found["tracks"]] == [True]
        assert [one["frame"] for one in found["ticks"]] == [1, 5]
        for more in ("run=../../etc", "engine=nobody"):
            answer = client.get(f"/player/shown/{video_key('one.mp4')}?{more}")
            assert answer.status_code == 404 and str(place.parent) not in answer.text
