"""One walk over every page in a browser, light and dark: no axe violation, hostile text is text, broken runs are told.

The workspace is as bad as users make them: markup in names, captions, read words and notes, 10,000 characters, right to
left, emoji and line breaks; a broken video; one run whose description is damaged and one whose matrix was cut.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from starlette.applications import Starlette
from starlette.testclient import TestClient

import workbench as wb
from tests.app.test_pages import opened, words
from tests.captioned import EVIL, VIDEOS, captioned_corpus, captioned_runs
from tests.filmed import HOSTILE
from tests.made import made_corpus, made_runs, made_similarity
from tests.sites import WAIT, Site, served, visited
from tests.trained import ranks_of, training
from workbench.analysis import CAUSES
from workbench.app.links import address
from workbench.app.navigation import TITLES, UNLISTED
from workbench.app.routes import ROUTES
from workbench.core.files import read_json, write_json
from workbench.core.workspace import workspace
from workbench.corpus import save_corpus, video_key
from workbench.evaluation.runs.notes import TAG, add_notes, read_tags

pytestmark = pytest.mark.filterwarnings("default")
PATHS = ["..", "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "%2e%2e%5Cx", "C:%5Cx", "~", "a%00b", "right%2F..%2Fright"]
PAGES = {**TITLES, **UNLISTED}
LONG = "long " * 2_000
HEBREW = "\u202eשלום עולם\u202c 🙂\nnext line"
NASTY = f"{HOSTILE} {HEBREW} $x^2$ :red[r] :material/home: `c` <b>bold</b> {LONG}"
CHOSEN = {"v": "1", "corpus": "shown/test", "run": "wrong", "other": "right"}
WORDS = f"mira {HOSTILE} {HEBREW} $x^2$ :red[r] `c` <b>bold</b>"
DEEPER = {  # pages with what opens on them
    "domains": {"domain": EVIL}, "query": {"q": "three.mp4#0"}, "search": {"q": WORDS}, "matrix": {"minus": "right"},
    "training": {"run": "trained,stopped"}, "failures": {"q": "three.mp4#0"},
}  # fmt: skip
TELL = {"domains", "query", "search", "failures", "training", "tags", "compare", "hubs"}
"""Pages on which markup of the data must be seen, letter by letter."""
OF_STREAMLIT = {"presentation-role-conflict": "stFileUploaderDropzone"}
"""Violations in elements that Streamlit 1.67 makes and no option changes: rule, and what stands in the element."""
PLANTED = ("stopped failed.", "cut/similarity.npy cannot be read")
"""Errors that are told, as they should be: of the training that failed, and of the run whose matrix was cut."""
ICON = "[data-testid=stIconMaterial]:text-is('home')"
ACTING = f"{ICON}, script, iframe, a[href^=javascript], img[src=x], b:has-text('bold'), .katex"


def made(home: Path, patch: pytest.MonkeyPatch) -> None:
    """The workspace."""
    patch.setenv("WORKBENCH_HOME", str(home))
    patch.setitem(VIDEOS, "three.mp4", (EVIL, [NASTY, "مرحبا MIRA"], ["MIRA", NASTY]))
    corpus = captioned_corpus(home / "films")
    captioned_runs(corpus)
    for name in ("damaged", "cut"):
        shutil.copytree(workspace().runs / "right", workspace().runs / name)
    (workspace().runs / "damaged" / "run.json").write_text('{"name": "<img src=x onerror=alert(1)>', encoding="utf8")
    (workspace().runs / "cut" / "similarity.npy").write_bytes(b"\x93NUMPY")
    noted = workspace().runs / "wrong" / "run.json"
    write_json(noted, {**read_json(noted, "the run"), "notes": NASTY})
    training(corpus, "trained", losses=[3.0] * 10, mrr={10: 0.5}, best=10, end="finished",
             ranks=ranks_of(["three.mp4#0", "one.mp4#0"], {5: [3, 1], 10: [1, 2]}))  # fmt: skip
    training(corpus, "stopped", losses=[3.0], end=NASTY)
    about = {"split": "test", "run": "wrong", "direction": "t2v", "query_id": "three.mp4#0", "sample": ""}
    pair = {"caption_id": "three.mp4#0", "video_id": "two.mp4", "cause": "unexplained", "evidence": NASTY}
    said = {"kind": TAG, **about, **pair, "label": "other", "named_cause": "ocr_missed"}
    add_notes("shown", [{**said, "annotator": NASTY}, {**said, "annotator": HOSTILE}])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        made(home, patch)
        made_runs(made_corpus(20), ("good",))
    return home


@pytest.fixture(scope="module")
def running(place: Path, browser) -> Iterator[Site]:
    yield from served(place, browser, "hostile")


@pytest.fixture
def site(running: Site) -> Site:
    running.complaints.clear()
    return running


def violations(site: Site, within: str | None = None, **options: object) -> list[str]:
    """What axe finds on the page as it is now, or on a part of it."""
    found = Axe().run(site.page, within, {"resultTypes": ["violations"], **options}).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        for node in one["nodes"]
        if OF_STREAMLIT.get(one["id"], "\0") not in node["html"]
    ]


def shine(site: Site, theme: str) -> None:
    """Light or dark, as the browser prefers."""
    site.page.emulate_media(color_scheme=theme)
    dark = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === 'rgb(16, 22, 29)'"
    site.page.wait_for_function(f"({dark}) === {json.dumps(theme == 'dark')}", timeout=WAIT)


def troubles(site: Site, what: str, within: str | None = None) -> list[str]:
    """What is wrong with the page as it is now, unfolded, in both themes; a screenshot of it is kept."""
    site.unfold()
    site.shot(what)
    found = violations(site, within)
    shine(site, "dark")
    found += [f"in the dark, {one}" for one in violations(site, within, runOnly=["color-contrast"])]
    shine(site, "light")
    acting = site.page.locator("[data-testid=stMain]").locator(ACTING)  # looks into components too
    found += acting.evaluate_all("all => all.map(one => 'acts: ' + one.outerHTML.slice(0, 200))")
    return found + [f"red box: {one}" for one in site.errors() if not any(map(one.__contains__, PLANTED))]


def troubles_at_first(site: Site, page: str) -> list[str]:
    """What is wrong with a page as its link opens it; what the link asks for must be there."""
    values = {**CHOSEN, **DEEPER.get(page, {})}
    site.open(address(page, **values)[1:])
    found = troubles(site, page)
    if (title := site.page.inner_text("h1")) != PAGES[page][0]:
        found.append(f"the title is {title!r}")
    if page in TELL and HOSTILE not in site.said():
        found.append("the markup is not there to be seen")
    return found + [f"{key} is gone" for key, value in DEEPER.get(page, {}).items() if site.asked().get(key) != value]


def chosen(site: Site, key: str) -> Iterator[str]:
    """Choose all further options of a switch, one after the other, by its key of the address."""
    options = site.page.locator(f".st-key-choose-{key} button")
    labels = options.all_inner_texts()
    assert len(labels) > 1, f"no switch {key}"
    for at, label in list(enumerate(labels))[1:]:
        before = site.asked()[key]
        options.nth(at).click()
        site.page.wait_for_function(f"new URLSearchParams(location.search).get({key!r}) !== {before!r}", timeout=WAIT)
        site.settle()
        yield label


def clicked(site: Site, button: str, then: str) -> str:
    """Click the first such button and wait for what it makes."""
    site.page.locator(button).first.click()
    site.page.wait_for_selector(then, timeout=WAIT)
    site.settle()
    return f"after {button}"


def named(site: Site, who: str = "Ana") -> None:
    """Write one's name; before, the labels of what cannot be used yet are pale, as they may be."""
    site.page.get_by_label("Your name, for tags").fill(who)
    site.page.keyboard.press("Enter")
    site.settle()


def searched(site: Site) -> str:
    """Search for 10,000 characters."""
    site.page.get_by_label("Words", exact=True).fill(NASTY.replace("\n", " "))
    site.page.keyboard.press("Enter")
    site.page.wait_for_function("location.search.length > 10_000", timeout=WAIT)
    site.settle()
    return "long words"


MORE: dict[str, Callable[[Site], Iterable[str]]] = {  # page: brings it from one further state to the next, named
    "leaderboard": lambda site: [clicked(site, "[data-testid=stPopoverButton]", "[data-testid=stPopoverBody] button")],
    "compare": lambda site: chosen(site, "part"),
    "failures": lambda site: (label for key in ("view", "direction") for label in chosen(site, key)),
    "query": lambda site: chosen(site, "direction"),
    "hubs": lambda site: (label for key in ("part", "direction") for label in chosen(site, key)),
    "report": lambda site: [clicked(site, "button:has-text('Make the report')", ".st-key-report-html")],
    "search": lambda site: [searched(site)],
    "tags": lambda site: [named(site), clicked(site, "button:has-text('Draw a sample')", "[data-testid=stProgress]")][
        1:
    ],
}


@pytest.mark.browser
def test_every_page_is_accessible_and_shows_hostile_text_as_text(site):
    found: dict[str, list[str]] = {}
    for page in PAGES:
        found[page] = troubles_at_first(site, page)
        for what in MORE.get(page, lambda _: [])(site):
            found[f"{page} {what}"] = troubles(site, f"{page} {what}", "[data-testid=stMain]")
    assert not any(found.values()), json.dumps(found, indent=1)
    assert site.complaints == []


@pytest.fixture
def other(site: Site) -> Iterator[Site]:
    """Another session at the same app."""
    yield from visited(site.base, site.page.context.browser, "hostile other")


@pytest.mark.browser
def test_two_sessions_keep_their_runs_and_corpora(site, other):
    """Each keeps its own while both go from page to page, by links that name neither."""
    sessions = [(site, "shown/test", "wrong"), (other, "made/test", "good")]
    for one, corpus, run in sessions:
        one.open(address("failures", v="1", corpus=corpus, run=run)[1:])
    for title, path in (("Domains", "domains"), ("Hubs & duplicates", "hubs"), ("Failures", "failures")):
        for one, *_ in sessions:
            one.page.get_by_role("link", name=title, exact=True).click()
        for one, corpus, run in sessions:
            one.page.wait_for_url(f"**/{path}?*run={run}*", timeout=WAIT)
            one.page.wait_for_selector(f"h1:has-text('{title}')", timeout=WAIT)
            one.settle()
            assert {"corpus": corpus, "run": run}.items() <= one.asked().items()
    assert "of 8 queries fail" in site.text() and "of 20 queries fail" in other.text()
    assert site.complaints == other.complaints == []


@pytest.mark.browser
def test_two_sessions_keep_their_thresholds_and_tags(site, other, place, monkeypatch):
    """A threshold changed in one leaves the causes of the other; two people say different things of one query."""
    query = "three.mp4#1"
    link = address("failures", **CHOSEN, q=query)[1:]
    label = CAUSES["non_english"].label
    other.open(link)
    before = rows(other)
    assert any(label in row for row in before), before
    site.open(f"{link}&limits=foreign%3D1")
    assert not any(label in row for row in rows(site)) and "foreign = 1" in site.text()
    assert rows(other) == before
    for one, who, said in ((site, "Ana", "Ambiguous"), (other, "Bo", "False negative")):
        named(one, who)
        one.page.get_by_role("radio", name=said, exact=True).click()
        one.settle()
    assert rows(other) != rows(site) and "foreign = 1" not in other.text()
    monkeypatch.setenv("WORKBENCH_HOME", str(place))
    tags = read_tags("shown")
    tags = tags[tags["query_id"] == query].set_index("annotator")["label"]
    assert tags.to_dict() == {"Ana": "ambiguous", "Bo": "false_negative"}
    assert site.complaints == other.complaints == []


def rows(site: Site) -> list[str]:
    """Cells of all tables of a page, row by row, once there are any."""
    site.page.wait_for_selector("canvas td", state="attached", timeout=WAIT)
    return [line for line in site.said().splitlines() if "\t" in line]


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
