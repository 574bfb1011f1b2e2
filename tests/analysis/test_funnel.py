"""The OCR funnel: every fate of a word in a made corpus."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.analysis.failing import failing
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.analysis.reading.funnel import FATES, STAGES
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.core.files import write_table
from workbench.corpus import open_corpus, save_corpus
from workbench.evaluation import open_run, save_run

SIGN = 'A sign says "Sloane Square".'
RULES = {"filters": "default", "max_words": 2}


def fates(run, caption="q0", **options):
    table = analysis.ocr_funnel(run, **options).of(caption)
    return dict(zip(table["word"], table["fate"], strict=True))


def box(text_id: str, frame: int, left: float) -> dict[str, object]:
    corners = dict(zip(["x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4"],
                       [left, 0.1, left + 0.2, 0.1, left + 0.2, 0.2, left, 0.2], strict=True))  # fmt: skip
    return {"text_id": text_id, "frame": frame, "time_s": frame / 10, **corners}


@pytest.mark.parametrize(("case", "expected"), [
    ({"read": {"a": ["Harrods"]}}, {"Sloane": "missed", "Square": "missed"}),
    ({"read": {"a": ["SL0ANE square"]}}, {"Sloane": "misread", "Square": "recognised"}),
    ({"read": {"a": ["Sloane Square"]}, "given": {"a": ["Sloane", "Square"]}}, {"Sloane": "kept", "Square": "kept"}),
    ({"read": {"a": ["Sloane Square"]}, "given": {"a": []}}, {"Sloane": "not_given", "Square": "not_given"}),
    ({"read": {"a": ["x1 y1 Sloane Square"]}, "given": {"a": ["x1", "y1"]}, "input_rules": RULES},
     {"Sloane": "cut", "Square": "cut"}),
    ({"read": {"a": ["Sloane Square"]}, "given": {"a": ["x"]}, "spans": {"a": (3.0, 3.5)}, "times": {"a": [0.5]}},
     {"Sloane": "not_seen", "Square": "not_seen"}),
    ({"read": {"a": []}, "truth": {"a": ["Sloane"]}, "spans": {"a": (5, 9)}, "frames": {"a": [2, 12]}},
     {"Sloane": "not_sampled"}),
])  # fmt: skip
def test_where_words_are_lost(home, case, expected):
    assert fates(failing(SIGN, **case)) == expected


def test_a_filter_is_named(home):
    run = failing('It reads "ab Sloane".', read={"a": ["ab Sloane"]}, given={"a": ["sloane"]},
                  input_rules={"filters": "textvr", "max_words": 9})  # fmt: skip
    row = analysis.ocr_funnel(run).of("q0").set_index("word").loc["ab"]
    assert row["fate"] == "filtered" and row["lost_at"] == "kept"
    assert (
        row["evidence"]
        == "Filtered out; filter textvr_min3: TextVR: drops words of one or two characters, numbers included"
    )


@pytest.mark.parametrize(("left", "fate"), [(0.1, "missed"), (0.6, "not_detected")])
def test_text_that_was_found_but_not_recognised(home, left, fate):
    boxes = pd.DataFrame([box("a#truth#0", 4, 0.1), box("a#rapidocr#0", 4, left)])
    case = {"truth": {"a": ["Sloane"]}, "read": {"a": ["7"]}, "spans": {"a": (0, 9)}, "frames": {"a": [4]}}
    funnel = analysis.ocr_funnel(failing(SIGN, **case, boxes=boxes))
    row = funnel.of("q0").iloc[0]
    assert (row["word"], row["fate"]) == ("Sloane", fate) and "sampled" not in funnel.untold
    table = funnel.table().set_index("stage")
    assert table["told"].to_dict() == {**dict.fromkeys(STAGES, True), "kept": False, "used": False}
    assert table.loc["sampled", "n_words"] == 1 and table.loc["recognised", "n_words"] == 0


def test_use_is_told_by_the_effects_of_words(home):
    read = {"a": ["Sloane Square"]}
    run = failing(SIGN, read=read, given=read, name="r")
    assert analysis.ocr_funnel(run).untold["used"] == "No run of this model holds the effects of words."
    row = {"caption_id": "q0", "video_id": "a", "score": 0.2, "rank_without": 2.0}
    effects = [{**row, "word": "Sloane", "score_without": 0.1}, {**row, "word": "Square", "score_without": 0.2}]
    write_table(run.path / "word_effects.parquet", pd.DataFrame(effects))
    funnel = analysis.ocr_funnel(open_run("r"))
    assert dict(zip(funnel.words["word"], funnel.words["fate"], strict=True)) == {"Sloane": "used", "Square": "ignored"}
    assert funnel.words["effect"].to_numpy() == pytest.approx([0.1, 0.0])
    told = funnel.table().set_index("stage")["n_words"]
    assert told.dropna().to_dict() == {"in_frame": 2, "recognised": 2, "kept": 2, "used": 1}
    assert told.isna().sum() == 2
    assert funnel.fates()["n_words"].to_list() == [1, 1] and funnel.fates()["label"][1] == "Used"


def test_evidence_names_the_nearest_word_its_time_and_other_engines(home):
    run = failing(SIGN, read={"a": ["SL0ANE", "milk"]}, spans={"a": (1.5, 2.0)}, name="r")
    row = analysis.ocr_funnel(run).of("q0").set_index("word").loc["Sloane"]
    assert (row["read"], row["engine"], row["time_s"]) == ("SL0ANE", "rapidocr", 1.5)
    assert row["similarity"] == pytest.approx(10 / 12) and row["evidence"] == "Misread; nearest read word: SL0ANE"
    assert fates(run, near=0.9)["Sloane"] == "missed"


def changed(**columns):
    """The corpus c again, with other columns of its texts and coverage in the rows of video a; and their old ones."""
    corpus = open_corpus("c")
    tables = {"videos": corpus.videos, "captions": corpus.captions}
    for name in ("texts", "text_coverage"):
        table = getattr(corpus, name)
        own = {key: value for key, value in columns.items() if key in table.columns}
        tables[name] = pd.concat([table, table[table["video_id"] == "a"].assign(**own)])
    return tables


def test_another_engine_read_it(home):
    run = failing(SIGN, read={"a": ["milk"]})
    save_corpus("c", changed(engine="zz", text_id="a#zz#0", text="SLOANE"), overwrite=True)
    assert "; zz read it" in analysis.ocr_funnel(run).of("q0")["evidence"][0]


def test_counts_by_domain_add_up(home):
    run = failing(SIGN, 'It reads "Milk".', read={"a": ["Sloane"], "b": ["milk"]}, videos={"domain": list("uvuv")})
    funnel = analysis.ocr_funnel(run)
    parts, every = funnel.table("domain"), funnel.table()
    assert (
        parts.groupby("stage")["n_words"].sum()["recognised"] == every.set_index("stage")["n_words"]["recognised"] == 2
    )
    assert parts.loc[parts["stage"] == "in_frame", ["label", "n_words"]].to_numpy().tolist() == [["u", 2], ["v", 1]]
    with pytest.raises(UnknownNameError, match="No grouping"):
        funnel.table("source")


def test_what_cannot_be_followed(home):
    with pytest.raises(StateError, match="No text was read in the videos"):
        analysis.ocr_funnel(failing())
    corpus = made_corpus(40)
    totals = save_run(made_similarity(corpus), corpus=corpus, name="totals", totals_only=True)
    with pytest.raises(StateError, match="totals only"):
        analysis.ocr_funnel(totals)
    with pytest.raises(DataError, match="near is 0"):
        analysis.ocr_funnel(failing(SIGN, read={"a": ["x"]}, corpus="d", name="d"), near=0)


def test_videos_that_nobody_looked_at_are_counted_apart(home):
    run = failing(SIGN, read={"b": ["x"]})
    corpus = open_corpus("c")
    seen = corpus.text_coverage[corpus.text_coverage["video_id"] != "a"]
    tables = {"videos": corpus.videos, "captions": corpus.captions, "texts": corpus.texts, "text_coverage": seen}
    save_corpus("c", tables, overwrite=True)
    funnel = analysis.ocr_funnel(run)
    assert funnel.n_unread == 2 and funnel.words.empty and set(funnel.table()["n_words"].dropna()) == {0}
    assert funnel.table("domain").empty and funnel.fates().empty


def test_every_fate_has_a_stage_and_a_name():
    assert all(stage in {"", *STAGES} and label for stage, label in FATES.values())
