"""What some videos do not state, and runs that are not stored: no page fails, or says nan, None or 1 queries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import workbench as wb
from tests.analysis.failing import failing
from tests.app.test_pages import opened
from tests.made import made_similarity
from workbench import analysis
from workbench.analysis.causes.failures import not_computed
from workbench.app.links import parameters
from workbench.corpus import domain_label, open_corpus, save_corpus
from workbench.corpus.text import NO_DOMAIN

pytestmark = pytest.mark.filterwarnings("default")
LINK = re.compile(r'query_string: "([^"]*)"|href\W{1,6}\?([^"\\]*)|\]\((/[^)]*)\)')
HOLLOW = re.compile(r"=(nan|None|<NA>)(&|$)", re.I)
SAID = re.compile(r"\b(nan|inf|<NA>)\b|\b1 (\w+ )?(queries|videos|sources|captions|words|losses|domains|runs)\b")


@pytest.fixture
def partial(home):
    """Eight videos in four domains, of which two state none; two runs, one of modalities that can be fused again."""
    domains = ["Cooking", "Cooking", "Sports", "Sports", None, "News_Movie", "Driving", None]
    ids = [f"v{at}.mp4" for at in range(8)]
    videos = pd.DataFrame({"video_id": ids, "domain": domains, "source_id": ids, "split": "test", "status": "not_kept"})
    texts = [f'a sign that says "{word}"' for word in "one two three four five six seven eight".split()]
    captions = pd.DataFrame({"caption_id": [f"{one}#0" for one in ids], "video_id": ids, "text": texts,
                             "role": "original", "split": "test"})  # fmt: skip
    save_corpus("partial", {"videos": videos, "captions": captions}, {"title": "Partial", "protocol": "A test."})
    corpus = open_corpus("partial", "test")
    for name, noise in (("near", 1.0), ("far", 5.0)):
        parts = {part: made_similarity(corpus, noise, seed) for seed, part in enumerate(("vision", "ocr"))}
        run = wb.save_run(parts["vision"] + parts["ocr"], corpus=corpus, name=name, modalities=parts)
        info = json.loads((run.path / "run.json").read_text())
        info["fusion"] = {"method": "sum", "weights": {"vision": 1.0, "ocr": 1.0}}
        (run.path / "run.json").write_text(json.dumps(info))
    return corpus


def parts_of(node: Any) -> Iterator[Any]:
    for child in node.children.values():
        if hasattr(child, "children"):
            yield from parts_of(child)
        yield child


def links(app: AppTest) -> list[str]:
    protos = (str(one.proto) for one in parts_of(app._tree) if getattr(one, "proto", None) is not None)
    return [next(part for part in found.groups() if part) for text in protos for found in LINK.finditer(text)]


def hollow(app: AppTest) -> list[str]:
    """Links to nothing, and sentences with a number that is none."""
    said = [getattr(one, name, None) for one in parts_of(app._tree) for name in ("value", "label")]
    told = [one for one in said if isinstance(one, str) and SAID.search(one)]
    return [*(link for link in links(app) if HOLLOW.search(link)), *told]


PAGES = [
    ("failures", {"run": "far"}), ("failures", {"run": "far", "by": "domain", "direction": "v2t"}),
    ("query", {"run": "far", "q": "v4.mp4#0"}),
    ("compare", {"run": "near", "other": "far"}), ("compare", {"run": "near", "other": "far", "part": "causes"}),
    ("domains", {"run": "far"}), ("domains", {"run": "far", "domain": "(none)"}), ("matrix", {"run": "far"}),
    ("hubs", {"run": "far"}), ("data", {}), ("report", {"run": "far"}),
]  # fmt: skip


def test_no_page_fails_or_says_nothing(partial):
    n_links = 0
    for page, asked in PAGES:
        app = opened(page, corpus="partial/test", **asked)
        assert not app.exception and not app.error, (page, asked, app.exception, app.error)
        assert hollow(app) == [], (page, asked)
        n_links += len(links(app))
    assert n_links >= 10  # the reader of links sees them


def test_a_list_names_the_domain_that_is_not_stated(partial):
    app = opened("failures", corpus="partial/test", run="far")
    shown = pd.concat([one.value for one in app.dataframe if "Domain" in one.value.columns])
    assert {NO_DOMAIN, "TV Show"} <= set(shown["Domain"])
    assert [domain_label(one) for one in (None, np.nan, pd.NA)] == [NO_DOMAIN] * 3


def test_an_ablation_that_is_not_stored_has_no_run(partial):
    table = analysis.ablations("near").of("v0.mp4#0")
    assert (table["run"].isna() == [one is None for one in table["run"]]).all() and None in table["run"].to_list()
    assert parameters(other=None, run="near", q="") == {"v": "1", "run": "near"}


def test_what_is_missing_to_tell_sampled_words_is_named(home):
    run = failing(read={"a": ["red"]}, spans={"a": (0.0, 1.0)})
    assert "does not list the frames that its model saw" in not_computed(run)["ocr_not_sampled"]
    run = failing(read={"a": ["red"]}, name="listed", corpus="d", input_rules={"filters": "default"})
    assert "has its words from a list" in not_computed(run)["ocr_not_sampled"]
