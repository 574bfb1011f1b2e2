"""Every list of captions and videos is filtered by words, or an expression, of captions and of what was read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.app.test_pages import opened, words
from tests.captioned import captioned_corpus, captioned_runs
from tests.filmed import with_text
from workbench.analysis.narrowing import Sieve, spoken
from workbench.core.errors import DataError
from workbench.corpus import Corpus

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with five clips, two runs, and two engines of which kwai alone read ZEBRA."""
    folder = tmp_path_factory.mktemp("sieve")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(folder / "workspace"))
        (folder / "workspace").mkdir()
        captioned_runs(with_text(captioned_corpus(folder / "films"), "two.mp4", "kwai", ["ZEBRA"]))
    return folder / "workspace"


@pytest.fixture
def shown(place: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    monkeypatch.setenv("WORKBENCH_HOME", str(place))
    return wb.open_corpus("shown", split="test")


def test_words_are_looked_for_in_captions_and_in_what_was_read(shown):
    by_first, by_kwai = (spoken(shown.captions, shown, engine) for engine in (None, "kwai"))
    ids, videos = shown.captions["caption_id"], shown.captions["video_id"]
    bank = Sieve("BANK", texts=by_first).passes(ids)
    assert list(bank) == [video == "two.mp4" for video in videos]  # read there, or said in the caption
    assert not Sieve("zebra", texts=by_first).passes(ids).any()
    assert list(Sieve("zebra", texts=by_kwai).passes(ids)) == list(bank)
    assert list(Sieve("^Z.B", True, by_kwai).passes(pd.Series(["one.mp4", "two.mp4", "unheard"]))) == [0, 1, 0]
    assert list(Sieve("zebra", texts=by_kwai).passes(pd.Series([["one.mp4", "two.mp4"], ["one.mp4"], []]))) == [1, 0, 0]
    assert Sieve().passes(ids).all() and not len(Sieve("a").passes(ids[:0]))
    with pytest.raises(DataError, match="cannot be read"):
        Sieve("(", True).passes(ids)


LISTS = {
    "wins": ("compare", {"part": "queries", "run": "wrong", "other": "right"}),
    "fixed": ("compare", {"part": "causes", "run": "wrong", "other": "right"}),
    "solved by exactly": ("compare", {"part": "runs", "run": "wrong", "other": "right"}),
    "taken": ("hubs", {"run": "wrong", "k": "10"}),
    "videos of a domain": ("domains", {"domain": "Sports"}),
    "failures": ("failures", {"run": "wrong"}),
}


@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_filtered_from_the_link(shown, name):
    page, values = LISTS[name]
    app = opened(page, corpus="shown/test", words="zebra", engine="kwai", **values)
    said = words(app)
    assert not app.exception and not app.error, said
    held = "2 of 8 failed queries" if name == "failures" else "have these words"
    assert held in said, said
    counts = [one.value for one in app.caption if "have these words" in str(one.value)]
    assert name == "failures" or any(not one.startswith("0 of") for one in counts), counts
    other = opened(page, corpus="shown/test", words="zebra", engine="rapidocr", **values)
    found = [one.value for one in other.caption if "have these words" in str(one.value)]
    assert all(one.startswith("0 of") for one in found), found
    assert name != "failures" or "0 of 8 failed queries" in words(other), words(other)


def test_a_filtered_row_opens_its_own_query(shown, monkeypatch):
    app = opened("hubs", corpus="shown/test", run="wrong", k="10", words="bank")
    table = app.dataframe[-1].value
    assert 0 < len(table) < 6 and all("bank" in text.lower() or "long" in text for text in table["Query"])


def test_a_bad_expression_is_said_and_nothing_is_left_out(shown):
    app = opened("hubs", corpus="shown/test", run="wrong", k="10", words="(", **{"as": "expression"})
    assert not app.exception and "Nothing is filtered" in words(app) and len(app.dataframe[-1].value) > 1


def test_twins_and_splits_have_the_line(shown):
    for part in ("captions", "videos", "splits"):
        app = opened("hubs", corpus="shown/test", run="wrong", part=part, words="zebra")
        assert not app.exception and not app.error, words(app)
        assert part == "splits" or app.text_input(key="write words").value == "zebra"


def test_a_large_list_is_looked_through_fast(shown):
    n = 20_000
    texts = {str(one): f"caption {one}\nread {one % 7}" for one in range(n)}
    held = Sieve(r"read 3$", True, texts).passes(pd.Series(np.arange(n).astype(str)))
    assert held.sum() == len([one for one in range(n) if one % 7 == 3])
