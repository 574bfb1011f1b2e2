"""Every page in a real browser, on the demo, on real clips and on real matrices: first number, reload, local, links."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest

import workbench as wb
from benchmarks.app_pages import FIRST
from tests import real_films
from tests.captioned import captioned_corpus, captioned_runs
from tests.figures.players import READ, Seen, barcode_corpus
from tests.made import made_corpus, made_runs
from tests.sites import LOOK, WAIT, Site, players, served, serving, shows, visited
from workbench.analysis.reading.frequent import frequent_words
from workbench.app.links import address
from workbench.app.navigation import TITLES
from workbench.core.workspace import elsewhere
from workbench.corpus.media import file_of
from workbench.pipelines.datasets import prepare

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]
MSRVTT = {"corpus": "msrvtt-1ka/test", "data_corpus": "msrvtt-1ka", "run": "clip4clip", "other": "internvideo2"}
FILMS = {"corpus": "films/test", "data_corpus": "films", "run": "films-read", "other": "films-truth", "words": "google"}
PRESENTED = """shape => {
  const videos = [...document.querySelectorAll('*')].flatMap(e => [...(e.shadowRoot?.querySelectorAll('video') ?? [])]);
  return videos.some(one => Math.abs(one.videoWidth / one.videoHeight - shape) < 0.02);
}"""


@pytest.fixture(scope="module")
def made_app(tmp_path_factory):
    """The app on a made corpus with domains and sources; tests only read."""
    with elsewhere(tmp_path_factory.mktemp("made")) as home:
        made_runs(made_corpus(160))
    with serving(home) as base:
        yield base


@pytest.fixture(scope="module")
def cinema_app(tmp_path_factory):
    """The app on a small corpus of real videos with read words, two runs and hostile text; tests only read."""
    with elsewhere(tmp_path_factory.mktemp("cinema")) as home:
        captioned_runs(captioned_corpus(tmp_path_factory.mktemp("films")))
        captioned_runs(barcode_corpus(tmp_path_factory.mktemp("codes") / "films"), "codes-")
    with serving(home) as base:
        yield base


@pytest.fixture(scope="module")
def real_app(tmp_path_factory, real_data):
    """The app on real clips with real texts, on real matrices and on real captions of TextVR; tests only read."""
    with elsewhere(tmp_path_factory.mktemp("real")) as home:
        real_films.real_runs(real_films.real_corpus(real_data, tmp_path_factory.mktemp("clips") / "films"))
        real_films.textvr_captions(real_data)
        prepare("msrvtt-1ka", annotations=[real_data / "annotations" / "msrvtt" / "MSRVTT_JSFUSION_test.csv"])
        for name in ("clip4clip", "InternVideo2"):
            wb.import_run(real_data / "sim" / f"{name}_msrvtt.npy", corpus="msrvtt-1ka", name=name.lower())
        source = real_data / "sim" / "GRAM_msrvtt.npy"
        wb.import_run(source, corpus="msrvtt-1ka", name="gram", totals_only=True)
    with serving(home) as base:
        yield base


@pytest.fixture
def site(made_app, browser):
    yield from visited(made_app, browser, "made")


@pytest.fixture
def cinema(cinema_app, browser):
    yield from visited(cinema_app, browser, "cinema")


@pytest.fixture
def real(real_app, browser):
    yield from visited(real_app, browser, "real")


def all_pages_begin(
    site: Site,
    values: dict[str, str],
    silent: Collection[str] = (),
    then: Mapping[str, Callable[[Site], None]] | None = None,
) -> None:
    """Every page shows its first number by its link, and the same at the same address after a reload.

    Args:
        site: The app.
        values: For the links.
        silent: Pages that have nothing to show here and say so.
        then: What more must stand on a page.
    """
    for page in TITLES:
        found = site.begin(page, without=page in silent, **values)
        if then and page in then:
            then[page](site)
        address = site.page.url
        site.page.reload()
        assert (site.number(page, without=page in silent), site.page.url) == (found, address), page
        assert site.errors() == [], page
    assert site.complaints == []


def test_every_page_has_a_first_number():
    assert {*FIRST} == {*TITLES}


def test_a_query_plays_two_videos_and_a_picture_chooses_another(cinema):
    cinema.open("query?corpus=shown/test&run=wrong&other=right&q=one.mp4%230")
    assert len(set(players(cinema, 2))) == 2
    assert cinema.page.locator("mark").inner_text() == "MIRA"
    cinema.page.locator("a.tile.right").first.click()
    cinema.page.wait_for_function("location.search.includes('video=one.mp4')", timeout=WAIT)
    cinema.page.wait_for_selector(".wbp-title:has-text('of wrong, right')", timeout=WAIT)
    assert len(set(players(cinema, 2))) == 1 and cinema.complaints == []


def test_boxes_on_the_page_of_a_query_follow_the_presented_frame(cinema):
    """Two players at once, of constant and of variable rate; see ``tests/figures/test_player_shown.py``."""
    cinema.page.add_init_script(READ)
    cinema.open("query?corpus=barcodes/test&run=codes-wrong&other=codes-right&q=constant.mp4%230")
    players(cinema, 2)
    for at in range(2):
        cinema.page.locator(".wbp").nth(at).get_by_label("Play", exact=True).click()
    both = "keys => keys.every(key => window.seen.filter(one => one.player.endsWith(key)).length >= 110)"
    cinema.page.wait_for_function(both, arg=["constant.mp4", "variable.mp4"], timeout=WAIT, polling=LOOK)
    seen = cinema.page.evaluate("window.seen")
    for video in ("constant.mp4", "variable.mp4"):
        found = Seen.of([one for one in seen if one["player"].endswith(video)])
        assert found.counted >= 60 and found.exact >= 0.99 * found.counted and found.farthest <= 1, found
        assert found.misplaced == []
    assert cinema.complaints == []


def test_a_domain_opens_and_its_video_plays_with_hostile_text_as_text(cinema):
    cinema.open("domains?corpus=shown/test&run=wrong")
    hostile = "<script>alert(1)</script> [a](javascript:alert(1)) $x$"
    shows(cinema, hostile)
    cinema.page.locator("a.tile[href*='domain=%3Cscript']").last.click()
    cinema.page.wait_for_function("location.search.includes('domain=%3Cscript')", timeout=WAIT)
    cinema.page.wait_for_selector(".wbp", timeout=WAIT)
    assert len(players(cinema, 1)) == 1 and "Rank" in cinema.text() and cinema.complaints == []
    assert cinema.page.locator("[data-testid=stMain] script, [data-testid=stMain] a[href^=javascript]").count() == 0


def test_pictures_are_fetched_when_they_come_near(cinema):
    cinema.open("query?corpus=shown/test&run=wrong")
    cinema.page.wait_for_selector("a.tile img", state="attached", timeout=WAIT)
    fetched = "grid => [...grid.querySelectorAll('img')].map(one => one.complete && one.naturalWidth > 0)"
    grid = cinema.page.locator(".grid").last
    assert not any(grid.evaluate(fetched))  # far below what is seen
    grid.scroll_into_view_if_needed()
    cinema.page.wait_for_function(f"grid => ({fetched})(grid).every(Boolean)", arg=grid.element_handle(), timeout=WAIT)
    assert cinema.complaints == []


def test_search_finds_a_video_by_a_word_and_marks_it(cinema):
    cinema.open("search?corpus=shown")
    cinema.page.get_by_label("Words", exact=True).fill("mira")
    cinema.page.keyboard.press("Enter")
    cinema.page.wait_for_selector("a.tile .word:has-text('mira')", timeout=WAIT)
    assert cinema.page.locator("a.tile").count() == 2 and "q=mira" in cinema.page.url
    assert len(players(cinema, 1)) == 1
    assert "★ MIRA" in cinema.page.locator(".wbp-now").inner_text() and cinema.complaints == []
    pictures = (
        "() => [...document.querySelectorAll('*')].flatMap(e => [...(e.shadowRoot?.querySelectorAll('img') ?? [])])"
    )
    assert cinema.page.wait_for_function(
        f"({pictures})().every(one => one.hidden || one.naturalWidth > 0)", timeout=WAIT
    )


def test_the_demo_begins_on_every_page_and_plays(demo, browser):
    word = frequent_words(wb.open_corpus("demo"), "rapidocr")[0]
    values = {"corpus": "demo/test", "data_corpus": "demo", "run": "demo-fusion", "other": "demo-ocr", "words": word}
    for site in served(demo, browser, "demo"):
        then = {"query": plays_both, "domains": shows_domains}
        all_pages_begin(site, {**values, "q": "Street_View_Outdoor/test_00.mp4#0"}, then=then)


def plays_both(site: Site) -> None:
    shows(site, "demo-fusion", "demo-ocr")
    assert len(set(players(site, 2))) == 2


def shows_domains(site: Site) -> None:
    shows(site, "TV Show", "Street View (outdoor)", "Sports", "Cooking")


def test_a_clip_of_ones_own_finds_itself_and_its_link_survives(own_demo, browser):
    clip = "Sports/test_00.mp4"
    source = file_of(wb.open_corpus("demo", "test"), clip)
    for site in served(own_demo, browser, "own"):
        site.open("search?corpus=demo/test&ask=own&by=demo-fusion")
        site.page.locator("input[type=file]").set_input_files(source)
        site.page.wait_for_selector("a.tile", timeout=WAIT)
        site.settle()
        shows(site, "test_00.mp4", "Captions that fit it best")
        assert urlencode({"video": clip}) in str(site.page.locator("a.tile").first.get_attribute("href"))
        site.shot("found")
        address = site.page.url
        site.page.reload()
        site.page.wait_for_selector("a.tile", timeout=WAIT)
        assert site.page.url == address and site.errors() == [] == site.complaints


def test_next_and_the_address_of_a_query(site):
    site.open("query?v=1&run=poor&other=good&q=Sports%2Fclip_0150.mp4%230")
    shows(site, "Query 151 of 160", "poor", "<b>no</b>", "*0*")
    site.page.get_by_role("link", name="Next").click()
    site.page.wait_for_function("document.body.innerText.includes('Query 152 of 160')", timeout=WAIT)
    assert "q=Sports" in site.page.url


def test_matrix_draws_and_a_click_opens_the_query(site):
    site.open("matrix")
    shadow = "[...document.querySelectorAll('*')].some(n => n.shadowRoot?.querySelector"
    site.page.wait_for_function(f"{shadow}('.frame')?.dataset.ready === 'true')", timeout=WAIT)
    canvas = site.page.locator("canvas.canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box and box["height"] > 300
    side = min(box["width"], box["height"])
    left = box["x"] + (box["width"] - side) / 2
    site.page.mouse.move(left + 0.5 * side, box["y"] + 0.5 * side)
    site.page.wait_for_function(f"{shadow}('.tip')?.textContent.includes('sd'))", timeout=10_000)
    site.page.mouse.click(left + 0.5 * side, box["y"] + 0.5 * side)
    site.page.wait_for_selector("h1:has-text('Query')", timeout=WAIT)
    site.settle()
    shows(site, "of 160")
    assert site.complaints == []


def press_row(site: Site, row: int, x: int = 64) -> None:
    """Press the button of a row of the last list, or what else stands ``x`` pixels from its left edge."""
    site.page.wait_for_selector("[data-testid=stDataFrame] canvas", timeout=WAIT)
    table = site.page.locator("[data-testid=stDataFrame]").last
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box
    site.page.mouse.click(box["x"] + x, box["y"] + 36 + 35 * row + 17)


def opened_query(site: Site, after: str = "") -> str:
    """The query that the address opens, once it is another one than ``after``; its row is the selected one."""
    site.page.wait_for_function(
        "after => ![null, after].includes(new URLSearchParams(location.search).get('q'))",
        arg=after or None,
        timeout=WAIT,
    )
    site.settle()
    site.page.wait_for_selector("[data-testid=stDataFrame] tr[aria-selected=true]", state="attached", timeout=WAIT)
    return site.asked()["q"]


def test_a_row_of_the_failures_opens_beside_the_list_and_then_as_a_query(site):
    site.open("failures?run=poor")
    press_row(site, 1)  # its button
    second = opened_query(site)
    press_row(site, 2, 18)  # its box
    third = opened_query(site, second)
    press_row(site, 0, 250)  # a cell, which opens nothing; from there by keyboard
    site.page.keyboard.press("Shift+Space")
    first = opened_query(site, third)
    assert len({first, second, third}) == 3
    site.page.get_by_text("All of this query").click()
    site.page.wait_for_selector("h1:has-text('Query')", timeout=WAIT)


def test_a_row_of_a_list_opens_its_query_once(site):
    site.open("compare?run=poor&other=good")
    press_row(site, 0)
    site.page.wait_for_selector("h1:has-text('Query')", timeout=WAIT)
    site.settle()
    site.page.get_by_role("link", name="Compare", exact=True).click()
    site.page.wait_for_selector("h1:has-text('Compare')", timeout=WAIT)
    site.settle()
    assert "/compare" in site.page.url and site.complaints == []


def test_an_empty_workspace_starts(home: Path, browser):
    for site in served(home, browser, "empty"):
        site.open("")
        shows(site, "What do you have?")
        assert site.complaints == []


def test_real_clips_begin_on_every_page(real):
    all_pages_begin(real, {**FILMS, "q": f"{real_films.STREET}#0"}, silent={"training"})


def test_real_clips_of_every_kind_are_presented(real):
    """Filmed upright, turned, WebM, Matroska, subtitled: in queries and domains."""
    turned, subtitled = "odd/rotation_video_90.mov", real_films.SUBTITLED
    real.begin("query", **FILMS, q=f"{turned}#0")
    presents(real, turned, 2)
    real.open(address("domains", corpus="films/test", run="films-read", domain="Activity")[1:])
    for video, (domain, *_) in real_films.PLAYED.items():
        if domain == "Activity":
            real.page.locator(f"a.tile[href*='{urlencode({'video': video})}']").click()
            real.page.wait_for_function("video => location.search.includes(video)", arg=urlencode({"video": video}))
            presents(real, video, 1)
    domain = real_films.PLAYED[subtitled][0]
    real.open(address("domains", corpus="films/test", run="films-read", domain=domain, video=subtitled)[1:])
    presents(real, subtitled, 1)
    real.page.locator(".wbp-words:has-text('空间里面他绝对赢不了的')").wait_for(state="attached", timeout=WAIT)
    assert real.complaints == []


def presents(site: Site, video: str, n: int) -> None:
    """Wait until one of ``n`` players presents a frame of a real clip, in its shape."""
    _, width, height = real_films.PLAYED[video]
    site.page.wait_for_function(PRESENTED, arg=width / height, timeout=WAIT)
    players(site, n, boxed=False)
    site.shot(f"{site.name} {video}")


def test_real_captions_are_browsed_without_runs(real):
    real.open("domains?corpus=textvr/test")
    shows(real, "Street View (outdoor)", "captions", "None of the videos is on this machine")
    assert real.errors() == [] and real.complaints == []


def test_real_matrices_begin(real):
    """The pages about scores; the others have nothing here that the clips do not have."""
    for page in ("compare", "matrix", "failures", "query", "hubs", "leaderboard"):
        real.begin(page, **MSRVTT)
    shows(real, "internvideo2 is better, beyond noise", "its rows cannot be tied to captions")
    assert real.complaints == []
