"""Any query, found or failed, is tagged and bookmarked on the page Query."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.app.test_pages import opened, words
from tests.made import made_corpus, made_runs
from workbench.analysis.agreements import agreement_table
from workbench.app.parts.judged import judged_row
from workbench.app.parts.query import Asked
from workbench.app.parts.tag import WHO
from workbench.evaluation.runs import notes

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


@pytest.fixture
def run(home):
    return made_runs(made_corpus(40), ("good", "poor"))[1]


def lost_and_found(run: wb.Run, direction: str) -> tuple[str, str]:
    failed = wb.analysis.failures(run, direction=direction)["query_id"]
    return failed.iloc[0], next(one for one in run.per(direction)["id"] if one not in set(failed))


def test_a_found_and_a_failed_query_are_tagged_and_bookmarked(run):
    lost, found = lost_and_found(run, "t2v")
    app = opened("query", run="poor", q=lost)
    assert "Write your name to tag" in words(app)
    app.session_state[WHO] = "Ana"
    for query, label in ((lost, "confirmed"), (found, "false_negative")):
        app.query_params["q"] = query
        app.run()
        pills = next(one for one in app.get("button_group") if one.label == "What is it really?")
        assert ("Cause confirmed" in pills.options) == (query == lost)
        app.checkbox(key=f"bookmark {query}").check()
        pills.set_value([label] if isinstance(pills.value, list) else label).run()
        assert not app.exception and not app.error, words(app)
    assert "Tags so far: False negative (Ana)" in words(app).replace("\\", "")
    tags = notes.read_tags(run.corpus_name)
    of = tags.set_index("query_id")
    assert notes.read_bookmarks(run.corpus_name, "Ana", "t2v") == [lost, found]
    assert list(of.loc[[lost, found], "label"]) == ["confirmed", "false_negative"]
    assert of.loc[lost, "named_cause"] == of.loc[lost, "cause"] != "" == of.loc[found, "cause"]
    table = agreement_table(tags.assign(named_cause="label_suspect"))
    assert list(table["n"]) == [1]  # the found query has no computed cause to agree with


@pytest.mark.parametrize("direction", ["t2v", "v2t"])
def test_what_is_judged_is_a_wrong_pair_of_the_query(run, direction, monkeypatch):
    right = set(run.relevance[["caption_id", "video_id"]].itertuples(index=False, name=None))
    monkeypatch.setattr(
        "workbench.app.loading.failures", lambda one, k, way: wb.analysis.failures(one, k=k, direction=way)
    )
    for query in lost_and_found(run, direction):
        row = judged_row(Asked(query, direction, [run], None))
        pair = row["caption_id"], row["video_id"]
        assert query in pair and pair not in right and row["query_id"] == query
