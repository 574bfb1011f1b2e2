"""The page Matrix: what it says, what its routes give and refuse, and what a browser does with them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

import workbench as wb
from tests.app.test_pages import headings, opened, words
from tests.made import made_corpus, made_runs, made_similarity
from tests.sites import WAIT, served, shows
from workbench.app.loading import matrix_view
from workbench.app.routes import ROUTES
from workbench.core.workspace import workspace
from workbench.corpus import save_corpus

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's harness and caches warn about themselves
MOST_WEBSOCKET = 2_000_000
IN_SHADOW = "[...document.querySelectorAll('*')].map(n => n.shadowRoot?.querySelector('.frame')).find(Boolean)"


@pytest.fixture(scope="module")
def made_home(tmp_path_factory) -> Path:
    """A workspace with three runs, made once; tests only read it."""
    folder = tmp_path_factory.mktemp("matrix-workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(folder))
        made_runs(made_corpus(80))
    return folder


@pytest.fixture
def made(made_home, monkeypatch) -> Path:
    monkeypatch.setenv("WORKBENCH_HOME", str(made_home))
    return made_home


@pytest.fixture
def client(made):
    with TestClient(Starlette(routes=ROUTES)) as client:
        yield client


# What the page says -----------------------------------------------------------------------------------------------


def test_the_address_says_all_of_it(made):
    app = opened("matrix", run="good", minus="poor", order="hubness", pool="mean", at="40.0_40.0_12.00_2_p")
    said = words(app).replace("\\", "")
    assert not app.exception and not app.error and "Every pair: good − poor" in said and "good minus poor" in said
    assert "Means of good − poor: for videos of their own domain captions of" in said
    assert [app.query_params[key] for key in ("run", "minus", "order", "pool", "at")] == [
        "good", "poor", "hubness", "mean", "40.0_40.0_12.00_2_p",
    ]  # fmt: skip


def test_another_order_forgets_the_place(made):
    app = opened("matrix", order="domain", at="40.0_40.0_12.00_2_p")
    app.selectbox(key="choose order").select("stored").run()
    assert app.query_params["order"] == "stored" and "at" not in app.query_params


def test_without_domains_every_pair_is_still_shown(home):
    corpus = made_corpus(20)
    tables = {"videos": corpus.videos.assign(domain=None), "captions": corpus.captions}
    plain = save_corpus("plain", tables, {"title": "Plain", "protocol": "A test."}).with_split("test")
    wb.save_run(made_similarity(plain), corpus=plain, name="one")
    app = opened("matrix")
    assert not app.exception and not app.error and "states no domains" in words(app)
    assert headings(app) == ["Every pair"]


def test_videos_without_a_domain_are_counted(home):
    corpus = made_corpus(20)
    domains = corpus.videos["domain"].mask(np.arange(len(corpus.videos)) < 3)
    tables = {"videos": corpus.videos.assign(domain=domains), "captions": corpus.captions}
    partly = save_corpus("partly", tables, {"title": "Partly", "protocol": "A test."}).with_split("test")
    wb.save_run(made_similarity(partly), corpus=partly, name="one")
    app = opened("matrix")
    assert "Mean scores: for videos of their own domain captions of" in words(app).replace("\\", "")
    assert not app.exception and "Left out here: 3 videos whose domain is not stated." in words(app)


# Routes -----------------------------------------------------------------------------------------------------------


def test_a_tile_is_the_bytes_of_the_view(client):
    view = matrix_view("good", "poor")
    for pool in ("max", "mean"):
        answer = client.get(f"/matrix/tile/good/0/0/0?other=poor&pool={pool}&stamp={view.key}")
        assert answer.status_code == 200 and answer.headers["content-encoding"] == "gzip"
        assert "immutable" in answer.headers["cache-control"]
        assert np.array_equal(np.frombuffer(answer.content, np.uint8).reshape(80, 80), view.tile(0, 0, 0, pool))
    again = client.get(
        f"/matrix/tile/good/0/0/0?other=poor&stamp={view.key}", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" not in client.get("/matrix/tile/good/0/0/0").headers["cache-control"]


def test_a_cell_and_the_marks(client):
    cell = client.get("/matrix/cell/good/3/3").json()
    assert cell["right"] and cell["caption_id"].startswith(cell["video"]) and "<b>no</b>" in cell["text"]
    marks = client.get("/matrix/marks/good?order=stored").json()
    assert marks["pairs"] == [number for one in range(80) for number in (one, one)] and len(marks["columns"]) == 20


def test_a_matrix_that_changed_is_told_and_served_anew(home, client, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(home))  # one of its own, to write into
    corpus = made_corpus(20)
    wb.save_run(made_similarity(corpus), corpus=corpus, name="good")
    before = matrix_view("good").key
    wb.save_run(made_similarity(corpus, noise=9.0), corpus=corpus, name="good", overwrite=True)
    for path in ("tile/good/0/0/0", "cell/good/0/0", "marks/good"):
        answer = client.get(f"/matrix/{path}?stamp={before}")
        assert answer.status_code == 404 and "has changed since the page was made. Reload" in answer.json()["error"]
    similarity = workspace().runs / "good" / "similarity.npy"
    now = matrix_view("good").key
    assert now != before
    os.utime(similarity, (1, 1))  # written in place
    assert matrix_view("good").key != now


@pytest.mark.parametrize(
    "path",
    [
        "tile/nope/0/0/0", "tile/..%2F..%2Fetc/0/0/0", "tile/good/7/0/0", "tile/good/0/1/0", "tile/good/-1/0/0",
        "tile/good/0/0/0?pool=median", "tile/good/0/0/0?order=..%2F", "tile/good/0/0/0?other=%2Fetc%2Fpasswd",
        "tile/good/0/0/0?stamp=..%2F..%2Fruns", "tile/good/0/0/99999999999999999999", "cell/good/999/0",
        "cell/good/0/-1", "cell/nope/0/0", "marks/nope", "marks/%2e%2e", "marks/good?other=totals",
    ],
)  # fmt: skip
def test_routes_take_names_and_numbers_only(client, made, path):
    answer = client.get(f"/matrix/{path}")
    assert answer.status_code == 404 and str(made) not in answer.text and "passwd:" not in answer.text


@pytest.mark.parametrize("path", ["tile/{}/0/0/0?other={}", "cell/{}/0/0?other={}", "marks/{}?other={}"])
def test_a_run_outside_the_workspace_is_not_served(client, made, tmp_path, monkeypatch, path):
    outside = tmp_path / "outside" / "secret"
    shutil.copytree(made / "runs" / "good", outside)
    monkeypatch.chdir(tmp_path)
    for where in (str(outside), "outside/secret", os.path.relpath(outside, made / "runs")):
        name = quote(where, safe="")
        for address in (path.format("good", name), path.format(name, "")):
            answer = client.get(f"/matrix/{address}")
            assert answer.status_code == 404 and str(tmp_path) not in answer.text, address


# In a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory, browser):
    """The app on a corpus of two captions per video, one of them hostile."""
    home = tmp_path_factory.mktemp("hostile-workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(home))
        corpus = made_corpus(100, per_video=2)
        hostile = "<img src=x onerror=alert(1)> **b** \u202eright to left\u202c 🙂\nnext line " + "long " * 2_000
        texts = corpus.captions["text"].where(corpus.captions.index % 2 == 0, hostile)
        tables = {"videos": corpus.videos, "captions": corpus.captions.assign(text=texts)}
        corpus = save_corpus("hostile", tables, {"title": "Hostile", "protocol": "A test."}).with_split("test")
        for seed, name in enumerate(("good", "poor")):
            wb.save_run(made_similarity(corpus, 0.5 + 2 * seed, seed), corpus=corpus, name=name)
    yield from served(home, browser, "matrix")


@pytest.fixture
def site(running):
    running.complaints.clear()
    return running


def drawn(site) -> dict:
    """Wait until every tile in sight is drawn; what the frame says of itself."""
    site.page.wait_for_function(f"{IN_SHADOW}?.dataset.ready === 'true'", timeout=WAIT)
    return site.page.evaluate(f"({{...{IN_SHADOW}.dataset}})")


@pytest.mark.browser
def test_pan_zoom_keys_and_the_link(site):
    sizes: list[int] = []
    site.page.on("websocket", lambda socket: socket.on("framereceived", lambda data: sizes.append(len(data))))
    site.open("matrix?run=good&minus=poor")
    assert drawn(site)["level"] == "0" or drawn(site)["level"] == "1"
    canvas = site.page.locator("canvas.canvas")
    assert "good minus poor" in canvas.get_attribute("aria-label") and "200 captions" in canvas.get_attribute(
        "aria-label"
    )
    canvas.focus()
    for key in ("+", "+", "+", "ArrowRight", "ArrowDown", "["):
        site.page.keyboard.press(key)
    shows_tip = f"{IN_SHADOW}.querySelector('.tip').innerText.includes('sd (difference)')"
    site.page.wait_for_function(shows_tip, timeout=WAIT)
    seen = []
    for _ in range(4):  # every other caption is hostile
        site.page.keyboard.press("ArrowDown")
        site.page.wait_for_timeout(600)
        seen.append(site.page.locator(".tip").inner_text())
    assert any("<img src=x" in one for one in seen) and site.page.locator(".tip img").count() == 0
    site.page.wait_for_function("location.search.includes('at=')", timeout=WAIT)
    at = site.page.evaluate("new URLSearchParams(location.search).get('at')")
    assert drawn(site)["level"] == "0" and float(at.split("_")[2]) > 2
    site.page.reload()
    drawn(site)
    assert site.page.evaluate("new URLSearchParams(location.search).get('at')") == at
    site.page.locator("canvas.canvas").focus()
    site.page.keyboard.press("Enter")
    site.page.wait_for_selector("h1:has-text('Query')", timeout=WAIT)
    shows(site, "of 200")
    assert site.complaints == [] and max(sizes) < MOST_WEBSOCKET


@pytest.mark.browser
def test_wheel_drag_pinch_and_a_new_tab(site):
    site.open("matrix?run=good")
    drawn(site)
    canvas = site.page.locator("canvas.canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    site.page.mouse.move(*middle)
    for _ in range(4):
        site.page.mouse.wheel(0, -200)
    site.page.mouse.down()
    site.page.mouse.move(middle[0] - 90, middle[1] - 60, steps=4)
    site.page.mouse.up()
    assert drawn(site)["level"] == "0"
    site.page.wait_for_function("location.search.includes('at=')", timeout=WAIT)
    pinch = f"""([x, y]) => {{
      const canvas = {IN_SHADOW}.querySelector('canvas');
      const send = (type, id, dx) => canvas.dispatchEvent(new PointerEvent(type,
        {{pointerId: id, clientX: x + dx, clientY: y, pointerType: 'touch', bubbles: true}}));
      canvas.setPointerCapture = () => {{}};
      send('pointerdown', 11, -40); send('pointerdown', 12, 40);
      send('pointermove', 11, -160); send('pointermove', 12, 160);
      send('pointerup', 11, -160); send('pointerup', 12, 160);
    }}"""
    scale = "Number(new URLSearchParams(location.search).get('at').split('_')[2])"
    site.settle()
    site.page.wait_for_timeout(1_000)
    before = site.page.evaluate(scale)
    site.page.evaluate(pinch, list(middle))
    site.page.wait_for_function(f"{scale} > {1.5 * before}", timeout=WAIT)
    with site.page.context.expect_page(timeout=WAIT) as tab:
        site.page.mouse.move(*middle)
        site.page.keyboard.down("Control")
        site.page.mouse.down()
        site.page.mouse.up()
        site.page.keyboard.up("Control")
    assert "/query?" in tab.value.url and "run=good" in tab.value.url and "q=" in tab.value.url
    tab.value.close()
    assert site.page.inner_text("h1") == "Matrix" and site.complaints == []


@pytest.mark.browser
def test_back_leads_to_where_one_was_and_not_through_what_a_page_wrote(site):
    site.open("matrix?run=good")  # the page adds all else to its address
    drawn(site)
    steps = site.page.evaluate("history.length")
    site.page.locator("canvas.canvas").focus()
    for key in ("+", "+", "ArrowRight"):
        site.page.keyboard.press(key)
        site.page.wait_for_timeout(700)
    site.page.wait_for_function("location.search.includes('at=')", timeout=WAIT)
    site.settle()
    place = site.asked()
    assert site.page.evaluate("history.length") == steps and {"minus", "order", "pool", "at"} <= place.keys()
    site.page.get_by_role("link", name="Data").first.click()
    site.page.wait_for_selector("h1:has-text('Data')", timeout=WAIT)
    site.settle()
    assert site.page.evaluate("history.length") == steps + 1
    site.page.go_back()
    site.page.wait_for_selector("h1:has-text('Matrix')", timeout=WAIT)
    drawn(site)
    assert site.asked() == place
