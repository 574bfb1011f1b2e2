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

import workbench as wb
from tests.app.test_browser import WAIT, Site, served, shows
from tests.captioned import EVIL, VIDEOS, captioned_corpus, captioned_runs
from tests.filmed import HOSTILE
from workbench.app.links import address
from workbench.app.navigation import TITLES
from workbench.core.workspace import workspace

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]
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
ACTIVE = "main script, main iframe, main a[href^=javascript], main img[src=x], main b, main .katex, main hr"


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
    found += [f"acts: {one}" for one in site.page.locator(ACTIVE.replace("main", "[data-testid=stMain]")).all()]
    if (title := site.page.inner_text("h1")) != TITLES[page][0]:
        found.append(f"the title is {title!r}")
    found += [f"red box: {one}" for one in site.page.locator("[data-testid=stException]").all_inner_texts()]
    return found


def test_every_page_is_accessible_and_shows_hostile_text_as_text(site):
    found = {page: troubles(site, page) for page in TITLES}
    assert {page: one for page, one in found.items() if one} == {}
    assert site.complaints == []


def test_a_broken_run_shows_its_error_and_the_rest_works(site):
    site.open("data")
    shows(site, "damaged")
