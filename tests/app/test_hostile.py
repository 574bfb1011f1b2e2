"""One walk over every page in a browser, light and dark: no axe violation, hostile text is text, broken runs are told.

The workspace is as bad as users make them: markup in names, captions, read words and notes, 10,000 characters, right to
left, emoji and line breaks; a broken video; one run whose description is damaged and one whose matrix was cut.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from starlette.applications import Starlette
from starlette.testclient import TestClient

import workbench as wb
from tests.app.test_browser import WAIT, Site, served
from tests.app.test_pages import opened, words
from tests.captioned import EVIL, VIDEOS, captioned_corpus, captioned_runs
from tests.filmed import HOSTILE
from tests.made import made_corpus, made_similarity
from workbench.app.links import address
from workbench.app.navigation import TITLES, UNLISTED
from workbench.app.routes import ROUTES
from workbench.core.workspace import workspace
from workbench.corpus import save_corpus, video_key

pytestmark = pytest.mark.filterwarnings("default")
PATHS = ["..", "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "%2e%2e%5Cx", "C:%5Cx", "~", "a%00b", "right%2F..%2Fright"]
PAGES = {**TITLES, **UNLISTED}
LONG = "long " * 2_000
HEBREW = "\u202eשלום עולם\u202c 🙂\nnext line"
NASTY = f"{HOSTILE} {HEBREW} $x^2$ :red[r] :material/home: `c` <b>bold</b> {LONG}"
CHOSEN = {"v": "1", "corpus": "shown/test", "run": "wrong", "other": "right"}
DEEPER = {  # pages with what opens on them
    "domains": {"domain": EVIL}, "query": {"q": "three.mp4#0"}, "search": {"q": "mira"},
    "hubs": {"part": "duplicates"}, "matrix": {"minus": "right"},
}  # fmt: skip
OF_STREAMLIT = {"presentation-role-conflict": "stFileUploaderDropzone"}
"""Violations in elements that Streamlit 1.67 makes and no option changes: rule, and what stands in the element."""
ACTING = "script, iframe, a[href^=javascript], img[src=x], b:has-text('bold'), .katex"


def made(home: Path, patch: pytest.MonkeyPatch) -> None:
    """The workspace."""
    patch.setenv("WORKBENCH_HOME", str(home))
    patch.setitem(VIDEOS, "three.mp4", (EVIL, [NASTY, "مرحبا MIRA"], ["MIRA", NASTY[:300]]))
    corpus = captioned_corpus(home / "films")
    captioned_runs(corpus)
    for name in ("damaged", "cut"):
        shutil.copytree(workspace().runs / "right", workspace().runs / name)
    (workspace().runs / "damaged" / "run.json").write_text('{"name": "<img src=x onerror=alert(1)>', encoding="utf8")
    (workspace().runs / "cut" / "similarity.npy").write_bytes(b"\x93NUMPY")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, browser) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        made(home, patch)
    yield from served(home, browser, home)


@pytest.fixture
def site(running: Site) -> Site:
    running.complaints.clear()
    return running


def violations(site: Site, **options: object) -> list[str]:
    """What axe finds on the page as it is now."""
    found = Axe().run(site.page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        for node in one["nodes"]
        if OF_STREAMLIT.get(one["id"], "\0") not in node["html"]
    ]


def troubles(site: Site, page: str) -> list[str]:
    """What is wrong with one page, in both themes."""
    site.page.emulate_media(color_scheme="light")
    site.open(address(page, **{**CHOSEN, **DEEPER.get(page, {})})[1:])
    found = violations(site)
    site.page.emulate_media(color_scheme="dark")
    site.page.wait_for_function(
        "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === 'rgb(16, 22, 29)'"
    )
    found += [f"in the dark, {one}" for one in violations(site, runOnly=["color-contrast"])]
    acting = site.page.locator("[data-testid=stMain]").locator(ACTING)  # looks into components too
    found += acting.evaluate_all("all => all.map(one => 'acts: ' + one.outerHTML.slice(0, 200))")
    if (title := site.page.inner_text("h1")) != PAGES[page][0]:
        found.append(f"the title is {title!r}")
    found += [f"red box: {one}" for one in site.page.locator("[data-testid=stException]").all_inner_texts()]
    return found


@pytest.mark.browser
def test_every_page_is_accessible_and_shows_hostile_text_as_text(site):
    found = {page: troubles(site, page) for page in PAGES}
    assert not any(found.values()), json.dumps(found, indent=1)
    assert site.complaints == []


@pytest.mark.browser
def test_two_sessions_do_not_disturb_each_other(site):
    """Each keeps its own run while both go from page to page, by links that name no run."""
    other = site.page.context.browser.new_context().new_page()
    sessions = {"wrong": site.page, "right": other}
    for run, page in sessions.items():
        page.goto(f"{site.base}/{address('query', **{**CHOSEN, 'run': run})[1:]}")
    for title, path in (("Query", "query"), ("Failures", "failures"), ("Domains", "domains"), ("Failures", "failures")):
        for page in sessions.values():
            page.get_by_role("link", name=title, exact=True).click()
        for run, page in sessions.items():
            page.wait_for_url(f"**/{path}?*run={run}*", timeout=WAIT)
            page.wait_for_selector(f"h1:has-text('{title}')", timeout=WAIT)
    other.context.close()
    assert site.complaints == []


# Without a browser ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bad_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("bad")
    with pytest.MonkeyPatch.context() as patch:
        made(home, patch)
    return home


@pytest.fixture
def bad(bad_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_HOME", str(bad_home))
    return bad_home


@pytest.mark.parametrize("page", ["compare", "matrix", "failures", "query", "domains"])
def test_a_broken_run_is_told_and_the_rest_works(bad, page):
    for run in ("damaged", "cut"):
        assert not opened(page, run=run, other="right").exception, run
    works = opened(page, run="right", other="wrong")
    assert not works.exception and not works.error


def test_the_error_of_a_broken_run_is_a_sentence_with_a_remedy(bad):
    table = opened("data").dataframe[-1].value.set_index("Run")
    assert table.loc["damaged", "State"] == "unreadable" and "is not valid JSON" in table.loc["damaged", "Note"]
    said = words(opened("matrix", run="cut")).replace("\\", "")
    assert "similarity.npy" in said


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_routes_refuse_every_path(bad, route):
    """What a route answers to its right values it refuses as soon as one of them is a path, and tells none."""
    right = {"run": "right", "corpus": "shown", "key": video_key("one.mp4"), "rendition": "original"}
    right = {name: right.get(name, "0") for name in route.param_convertors}
    with TestClient(Starlette(routes=ROUTES)) as client:
        assert client.get(route.path_format.format(**right)).status_code == 200
        for name, kind in route.param_convertors.items():
            for path in PATHS if kind.regex == "[^/]+" else ["-1", "1e9", "%2e%2e"]:
                answer = client.get(route.path_format.format(**{**right, name: path}))
                assert answer.status_code in (400, 404), (name, path)
                assert "root:" not in answer.text and str(bad) not in answer.text


def test_what_changes_on_disk_is_noticed(home):
    corpus = made_corpus(20)
    wb.save_run(made_similarity(corpus, noise=9.0), corpus=corpus, name="mine")
    app = opened()
    before = app.dataframe[0].value["R@1 ↑"][0]
    wb.save_run(made_similarity(corpus, noise=0.1), corpus=corpus, name="mine", overwrite=True)
    assert app.run().dataframe[0].value["R@1 ↑"][0] > before + 20
    text = corpus.captions.assign(text="other words")
    tables = {"videos": corpus.videos, "captions": text}
    shutil.rmtree(workspace().corpora / "made")
    save_corpus("made", tables, {"title": "Made anew", "protocol": "A test."})
    assert "Made anew" in words(opened("data"))
    refused = opened("query", run="mine")
    assert not refused.exception and "other words" not in words(refused)
