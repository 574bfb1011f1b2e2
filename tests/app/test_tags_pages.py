"""Failures, Thresholds and Human tags without a browser: filters, order, tags, samples, changed thresholds."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import workbench as wb
from tests.analysis.test_tags import tag
from tests.app.test_pages import opened, unfolded, words
from tests.made import made_corpus, made_runs
from tests.texts import read_corpus, run_on
from workbench.app import loading
from workbench.app.parts.failure import with_pairs
from workbench.app.parts.tag import Desk, Said
from workbench.core.errors import DataError, UnknownNameError
from workbench.evaluation.runs import notes

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


@pytest.fixture
def runs(home):
    return made_runs(made_corpus(40), ("good", "poor"))


def shown(page: str, **parameters: str):
    app = opened(page, **parameters)
    assert not app.exception and not app.error, words(app)
    return app


def said(app) -> str:
    return words(app).replace("\\", "")


def listed(app) -> pd.DataFrame:
    return app.dataframe[-1].value


def test_filters_and_order_of_a_link(runs):
    failed = wb.analysis.failures(runs[1])
    domain = failed.loc[failed["rank"] <= 5, "domain"].iloc[0]
    app = shown("failures", run="poor", domain=domain, band="2-5")
    kept = failed[(failed["domain"] == domain) & (failed["rank"] <= 5)]
    assert f"{len(kept)} of {len(failed)} failed queries" in said(app) and listed(app)["Rank"].max() <= 5
    app = shown("failures", run="poor", gap="good")
    gaps = listed(app)["Gap"].to_list()
    assert gaps == sorted(gaps, reverse=True) and gaps[0] > 0
    words_of = shown("failures", run="poor", words=r"^a (dog|bus) .*\*0\*$", **{"as": "expression"})
    assert set(listed(words_of)["Caption"].str.split().str[1]) <= {"dog", "bus"}
    assert "No failed query is like this" in said(shown("failures", run="poor", words="zzz"))


def test_a_bad_expression_is_one_sentence(runs):
    app = opened("failures", run="poor", words="(", **{"as": "expression"})
    assert not app.exception and "regular expression cannot be read" in app.error[0].value


def test_the_gains_come_first_and_by_domain(runs):
    table = unfolded(shown("failures", run="poor", by="domain"), "gains").dataframe[0].value
    assert {"Domain", "Cause", "Gain, points", "Ceiling, %"} <= set(table.columns)
    table = unfolded(shown("failures", run="poor"), "gains").dataframe[0].value
    assert "Cause" in table.columns and "Domain" not in table.columns


def test_a_tag_needs_a_name_and_is_found_again(runs):
    app = shown("failures", run="poor")
    query = app.query_params.get("q") or wb.analysis.failures(runs[1])["query_id"].iloc[0]
    assert "Write your name to tag." in said(app)
    app.text_input(key="write annotator").input(" Ana  B ").run()
    app.checkbox(key=f"bookmark {query}").check().run()
    app.button_group(key=f"tag  {query}").set_value("ambiguous").run()
    assert not app.exception and not app.error
    assert notes.read_tags("made")[["annotator", "query_id", "label"]].to_numpy().tolist() == [
        ["Ana B", query, "ambiguous"]
    ]
    assert notes.read_bookmarks("made", "Ana B", "t2v") == [query]
    assert len(listed(shown("failures", run="poor", mark="tagged"))) == 1
    assert "Ambiguous (Ana B)" in listed(shown("failures", run="poor", mark="ambiguous"))["Tags"].to_list()


def test_a_desk_writes_only_what_is_new_and_known(runs):
    rows = with_pairs(wb.analysis.failures(runs[1])).head(3)
    query = rows["query_id"].iloc[0]
    desk = Desk.of(runs[1], "t2v", "ana")
    assert desk.write(rows, {query: "other", "no such query": "other"}, {query: True}) == 2
    assert desk.write(rows, {query: "other"}, {query: True}) == 0
    assert desk.write(rows, {query: None}, {}) == 1 and desk.own() == {}
    with pytest.raises(UnknownNameError, match="No label is called 'othr'"):
        desk.write(rows, {query: "othr"}, {})
    with pytest.raises(UnknownNameError, match="No cause is called 'hubb'"):
        desk.write(rows, {query: "other"}, {}, {query: "hubb"})
    assert desk.write(rows, {query: "other"}, {}, {query: "hub"}) == 1 and desk.said() == {query: Said("other", "hub")}
    assert desk.write(rows, {query: "other"}, {}) == 0 == desk.write(rows, {query: "other"}, {}, {query: "hub"})
    assert desk.write(rows, {query: "confirmed"}, {}) == 1
    assert desk.write(rows, {}, {}, words={query: " a  mirrored sign "}) == 1 == desk.write(rows, {query: "other"}, {})
    assert desk.said() == {query: Said("other", "", "a mirrored sign")}
    assert desk.write(rows, {query: "confirmed"}, {}, words={query: ""}) == 1
    assert desk.said() == {query: Said("confirmed", rows["cause"].iloc[0])}
    with pytest.raises(DataError, match="needs the name"):
        Desk.of(runs[1], "t2v", "").write(rows, {query: "other"}, {})


def test_a_sample_is_labelled_blind_and_agreement_is_told(runs):
    app = shown("tags", run="poor", seed="3")
    app.number_input(key="sample n").set_value(6).run()
    app.button[0].click().run()
    (record,) = notes.read_notes("made", notes.SAMPLE)
    assert len(record["items"]) == 6 and record["seed"] == 3
    blind = shown("tags", corpus="made/test", sample=record["name"])
    assert "0 of 6 labelled" in str(blind.get("progress")[0].proto.text) and "poor" not in said(blind)
    first = [one["query_id"] for one in record["items"]]
    rated = [tag(query, "other", who=who, sample=record["name"]) for who in ("ana", "ben") for query in first]
    notes.add_notes("made", rated[:-1] + [{**rated[-1], "label": "ambiguous"}])
    app = shown("tags", run="poor")
    assert "labelled by ana: 6, ben: 6" in said(app)
    table, classes = (next(one.value for one in app.dataframe if name in one.value) for name in ("Raters", "Class"))
    pairs = ["ana / ben", "ana / computed cause", "ben / computed cause"]
    assert table["Raters"].to_list() == pairs and table["Equal"][0] == pytest.approx(100 * 5 / 6)
    assert set(classes) <= {"Class", *pairs} and {"Ambiguous", "Other cause"} <= set(classes["Class"])
    bad = opened("tags", corpus="made/test", sample="nope")
    assert not bad.exception and "no sample called" in bad.error[0].value.replace("\\", "")


def test_a_sample_of_videos_is_labelled_and_its_cause_named(runs):
    app = shown("tags", run="poor", direction="v2t")
    app.number_input(key="sample n").set_value(4).run()
    app.button[0].click().run()
    (record,) = notes.read_notes("made", notes.SAMPLE)
    assert record["direction"] == "v2t"
    item = record["items"][0]
    blind = shown("tags", corpus="made/test", sample=record["name"], at="1")
    assert "Another caption" in said(blind) and item["query_id"] in said(blind)
    assert item["cause"] not in blind.selectbox[0].value and "poor" not in said(blind)
    blind.text_input(key="write annotator").input("Ana").run()
    blind.selectbox(key=f"cause {record['name']} {item['query_id']}").select("ocr_missed").run()
    tag = notes.read_tags("made").iloc[0]
    assert (tag["direction"], tag["label"], tag["named_cause"]) == ("v2t", "scene_text", "ocr_missed")
    assert (tag["caption_id"], tag["video_id"]) == (item["caption_id"], item["query_id"])
    assert "video → text, 4 queries" in said(shown("tags", run="poor"))


def test_another_cause_is_named_and_taken_back(runs):
    failed = wb.analysis.failures(runs[1])
    query, computed = failed[["query_id", "cause"]].iloc[0]
    other = "hub" if computed != "hub" else "tied"
    app = shown("failures", run="poor")
    app.text_input(key="write annotator").input("Ana").run()
    for named, label in ((other, "other"), (computed, "confirmed")):
        app.selectbox(key=f"cause  {query}").select(named).run()
        tags = notes.read_tags("made")
        assert tags[["label", "cause", "named_cause"]].to_numpy().tolist() == [[label, computed, named]]
    assert "Who named these causes saw the computed one" in said(shown("tags", run="poor"))
    app.selectbox(key=f"cause  {query}").select("").run()
    assert notes.read_tags("made").empty


def test_changed_thresholds_change_causes_and_are_told_on_every_page(home):
    run_on(read_corpus('It reads "Sloane".', rapidocr={"a": ["SL0ANE"]}), given={})
    assert listed(shown("failures"))["Cause"].to_list() == ["Text misread"]
    app = shown("failures", limits="near=0.99")
    assert listed(app)["Cause"].to_list() == ["Text missed by the OCR"]
    for page in ("query", "domains"):
        told = said(shown(page, limits="near=0.99"))
        assert "changed thresholds: near = 0.99 (not 0.67)" in told
    assert "cannot be read; the defaults hold" in said(shown("data", limits="near=2"))


def test_thresholds_are_locked_until_unlocked_and_stand_in_the_link(home):
    run_on(read_corpus())
    app = shown("thresholds")
    assert all(one.disabled for one in app.number_input)
    app.toggle(key="unlock").set_value(True).run()
    app.number_input(key="threshold fits").set_value(0.8).run()
    assert not app.exception and app.query_params["limits"] in ("fits=0.8", ["fits=0.8"])
    assert "changed thresholds: fits = 0.8" in said(app)
    app.button[0].click().run()
    assert "limits" not in app.query_params and "changed thresholds" not in said(app)


def test_the_command_writes_tags(home, workbench, tmp_path):
    made_corpus(40)
    notes.add_notes("made", [tag("q0", "other")])
    notes.add_notes("made", [tag("q0", "other", who="ben", named_cause="tied")])
    assert "ana" in workbench("tags", "made")[1] and "tied" in workbench("tags", "made")[1]
    agreed = json.loads(workbench("tags", "made", "--agreement", "--json")[1])
    assert [(one["of"], one["first"], one["second"], one["equal"]) for one in agreed] == [
        ("cause", "ben", "computed cause", 0.0)
    ]
    out = tmp_path / "tags.parquet"
    assert workbench("tags", "made", "-o", str(out))[0] == 0
    assert pd.read_parquet(out)["named_cause"].to_list() == ["", "tied"]
    code, _, error = workbench("tags", "made", "-o", str(out))
    assert code == 2 and "exists already" in error
    assert workbench("tags", "made", "-o", "tags.xls")[0] == 2


def test_runs_with_filters_keep_their_cached_tables_apart(runs):
    assert len(loading.failures(runs[1], 1, "t2v")) >= len(loading.failures(runs[1], 5, "t2v"))
