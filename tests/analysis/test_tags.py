"""Human tags: what is stored, samples, agreement, corrected relevance; and lists of failures made shorter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from tests.made import made_corpus, made_runs
from tests.texts import read_corpus, run_on
from workbench.analysis import failures
from workbench.analysis.agreements import COMPUTED, agreement, agreement_table, class_agreement
from workbench.analysis.causes.catalogue import CAUSES
from workbench.analysis.narrowing import by_gap, narrowed, said, with_read
from workbench.analysis.tags import (
    BLIND,
    LABELS,
    OPEN,
    as_label,
    corrected,
    corrected_metrics,
    draw_sample,
    false_negatives,
    fitting,
    label_for,
    standing,
    tag_pairs,
)  # fmt: skip
from workbench.core.errors import DataError, UnknownNameError
from workbench.evaluation import open_run, save_run
from workbench.evaluation.runs import notes


def tag(query: str, label: str | None, who: str = "ana", video: str = "b", **more: object) -> dict:
    about = {"annotator": who, "direction": "t2v", "query_id": query, "caption_id": query, "video_id": video}
    rest = {"split": "test", "run": "r", "sample": "", "cause": "hub", "evidence": "x"}
    return {"kind": notes.TAG, **about, **rest, "label": label, **more}


def test_the_latest_tag_of_a_person_stands_and_can_be_taken_back(home):
    notes.add_notes("c", [tag("q0", "other"), tag("q1", "other", who="ben"), tag("q0", "ambiguous")])
    assert notes.read_tags("c")[["annotator", "label"]].to_numpy().tolist() == [["ben", "other"], ["ana", "ambiguous"]]
    notes.add_notes("c", [tag("q0", None)])
    assert notes.read_tags("c")["annotator"].to_list() == ["ben"]
    assert notes.read_tags("nothing").empty


def test_two_at_once_lose_nothing(home):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: notes.add_notes("c", [tag(f"q{i}", "other")]), range(40)))
    assert sorted(notes.read_tags("c")["query_id"]) == sorted(f"q{i}" for i in range(40))


def test_bookmarks_are_ones_own(home):
    mark = {"kind": notes.BOOKMARK, "annotator": "ana", "direction": "t2v", "query_id": "q1"}
    notes.add_notes("c", [{**mark, "on": True}, {**mark, "query_id": "q2", "on": True}, {**mark, "on": False}])
    assert notes.read_bookmarks("c", "ana", "t2v") == ["q2"]
    assert notes.read_bookmarks("c", "ben", "t2v") == [] == notes.read_bookmarks("c", "ana", "v2t")


def test_a_torn_line_and_a_bad_name_are_told(home):
    notes.add_notes("c", [tag("q0", "other")])
    with notes.notes_file("c").open("a") as stream:
        stream.write('{"kind": "tag"')
    assert notes.read_tags("c")["query_id"].to_list() == ["q0"]
    (torn,) = notes.damaged_notes("c")
    assert "Line 2 of" in str(torn) and "mend or delete" in torn.remedy
    with pytest.raises(DataError, match="cannot name a corpus"):
        notes.notes_file("../c")
    with pytest.raises(UnknownNameError, match="no sample called 'x'"):
        notes.read_sample("d", "x")


def failed_in(sizes: dict[str, int]) -> pd.DataFrame:
    domains = [domain for domain, n in sizes.items() for _ in range(n)]
    n = len(domains)
    return pd.DataFrame({
        "query_id": [f"q{i}" for i in range(n)], "caption_id": [f"q{i}" for i in range(n)], "domain": domains,
        "text": "a dog", "right_video_id": "a", "top_video_id": "b", "top_caption_id": None, "cause": "hub",
        "evidence": "x",
    })  # fmt: skip


def test_a_sample_gives_every_domain_its_share_and_depends_on_the_seed_only():
    failed = failed_in({"A": 80, "B": 15, "C": 5, "D": 1})
    drawn = draw_sample(failed, 20, 3)
    assert drawn["domain"].value_counts().to_dict() == {"A": 14, "B": 3, "C": 2, "D": 1}
    assert drawn["query_id"].is_unique
    assert drawn.equals(draw_sample(failed.sample(frac=1, random_state=1), 20, 3))
    assert set(drawn["query_id"]) != set(draw_sample(failed, 20, 4)["query_id"])
    assert len(draw_sample(failed, 500, 0)) == 101 and len(draw_sample(failed, 2, 0)) == 2
    with pytest.raises(DataError, match="0 of 101"):
        draw_sample(failed, 0, 0)


def test_kappa_and_its_interval_on_a_worked_table():
    """By hand: observed 0.7, chance 0.5, kappa 0.4."""
    first = pd.Series(["ambiguous"] * 25 + ["other"] * 25)
    second = pd.Series(["ambiguous"] * 20 + ["other"] * 5 + ["ambiguous"] * 10 + ["other"] * 15)
    found = agreement(first, second)
    assert (found.observed, found.n) == (0.7, 50) and found.kappa == pytest.approx(0.4)
    assert found.table.to_numpy().tolist() == [[20, 5], [10, 15]]
    variance = (0.4 * 0.34**2 + 0.3 * 0.46**2 + 0.36 * (0.1 * 1.1**2 + 0.2 * 0.9**2) - 0.01) / (50 * 0.25)
    assert found.high - found.kappa == pytest.approx(1.959964 * variance**0.5, rel=1e-6)
    assert np.isnan(agreement(first[:3], first[:3]).kappa)
    assert agreement(first, first).kappa == 1.0
    with pytest.raises(DataError, match="share no item"):
        agreement(first[:3], first[10:])


def test_every_computed_cause_falls_into_a_label():
    assert {as_label(cause) for cause in CAUSES} == set(BLIND)


def test_naming_a_cause_gives_the_label_that_it_stands_for():
    assert label_for("hub", "hub", OPEN) == "confirmed"
    assert label_for("ocr_missed", "hub", OPEN) == "other" and label_for("ocr_missed", "", BLIND) == "scene_text"
    assert label_for("false_negative", "hub", OPEN) == label_for("false_negative", "", BLIND) == "false_negative"
    assert label_for("duplicate_caption", "hub", OPEN) == "ambiguous"
    with pytest.raises(UnknownNameError, match="No cause is called 'hubb'. Did you mean hub"):
        label_for("hubb", "hub", OPEN)


def test_named_causes_are_kept_and_a_confirmed_one_is_named(home):
    notes.add_notes("c", [tag("q0", "other", named_cause="tied"), tag("q1", "other"), tag("q2", "confirmed")])
    assert notes.read_tags("c")["named_cause"].to_list() == ["tied", "", "hub"]
    notes.add_notes(
        "c", [tag("q3", "confirmed", cause="false_negative"), tag("q4", "other", named_cause="false_negative")]
    )
    assert false_negatives(notes.read_tags("c"))["caption_id"].to_list() == ["q3", "q4"]  # both say so


def test_named_causes_agree_with_the_computed_ones_as_counted(home):
    """Four of six named as computed, by hand: each cause half of the time, so chance is 0.5 and kappa 1/3."""
    named = ["hub", "hub", "tied", "tied", "hub", "tied"]
    computed = ["hub", "hub", "hub", "tied", "tied", "tied"]
    rows = zip(range(6), named, computed, strict=True)
    notes.add_notes("c", [tag(f"q{i}", "other", named_cause=a, cause=b) for i, a, b in rows])
    notes.add_notes("c", [tag("q0", "other", who="ben", named_cause="hub"), tag("q9", "other", named_cause="")])
    tags = notes.read_tags("c")
    table = agreement_table(tags).set_index(["of", "first", "second"])
    assert table.index.to_list() == [("cause", "ana", "ben"), ("cause", "ana", COMPUTED), ("cause", "ben", COMPUTED)]
    own = table.loc[("cause", "ana", COMPUTED)]
    assert own["n"] == 6 and own["equal"] == pytest.approx(100 * 4 / 6) and own["kappa"] == pytest.approx(1 / 3)
    causes = class_agreement(tags[tags["annotator"] == "ana"]).set_index("class")
    assert causes[["n_first", "n_second", "n_both"]].to_numpy().tolist() == [[3, 3, 2], [3, 3, 2]]
    assert causes.loc["hub", "kappa"] == pytest.approx(1 / 3) and causes.index.to_list() == ["tied", "hub"]
    assert agreement_table(tags[:0]).empty and class_agreement(tags[:0]).empty


def test_every_label_has_its_own_kappa_against_the_rest(home):
    """By hand; of "other" they say 2 and 3 of 4, the same of 3: observed 3/4, chance 1/2, kappa 1/2."""
    said = {"ana": ["ambiguous", "other", "other", "label_wrong"], "ben": ["ambiguous", "other", "other", "other"]}
    for who, labels in said.items():
        notes.add_notes("c", [tag(f"q{i}", one, who=who, sample="s1") for i, one in enumerate(labels)])
    table = class_agreement(notes.read_tags("c"))
    people = table[(table["first"] == "ana") & (table["second"] == "ben")].set_index("class")
    assert people.index.to_list() == ["ambiguous", "label_wrong", "other"] and set(people["of"]) == {"label"}
    assert people[["n_first", "n_second", "n_both"]].to_numpy().tolist() == [[1, 1, 1], [1, 0, 0], [2, 3, 2]]
    assert people["kappa"].to_list() == pytest.approx([1.0, 0.0, 0.5])
    computed = table[(table["first"] == "ana") & (table["second"] == COMPUTED)].set_index("class")
    assert computed.loc["other", "n_second"] == 4  # a hub falls into it


def test_a_tag_knows_what_it_was_made_with_and_tells_when_that_is_gone(home):
    run = run_on(read_corpus())
    made = notes.made_with(run, "near=0.8")
    now = {"test": run.fingerprint}
    notes.add_notes("c", [
        tag("q0", "false_negative", run=run.name, **made), tag("q1", "other", run=run.name),
        tag("q2", "other", run=run.name, **{**made, "fingerprint": "before"}), tag("q3", "other", run="r0", **made),
        tag("q4", "other", run=run.name, **{**made, "run_created": "before"}),
    ])  # fmt: skip
    tags = notes.read_tags("c")
    assert tags["thresholds"].to_list() == ["near=0.8", "", "near=0.8", "near=0.8", "near=0.8"]
    assert standing(tags, now, {run.name: run.info["created"]}).to_list() == [
        "fits", "not stated", "corpus changed", "run is gone", "run made again",
    ]  # fmt: skip
    assert fitting(tags, now).to_list() == [True, True, False, True, True]
    assert fitting(tags, {}).to_list() == [False, True, False, False, False]  # the split is gone
    assert len(corrected(run, tags)) == len(run.relevance) + 1
    changed = tags.assign(fingerprint="before")
    assert corrected(run, changed).equals(run.relevance)


def test_a_false_negative_counts_as_right_where_most_say_so(home):
    run = run_on(read_corpus())
    official = corrected_metrics(run, notes.read_tags("c"))
    assert official["t2v_r1"].to_list() == [75.0, 75.0]
    notes.add_notes("c", [tag("q0", "false_negative"), tag("q1", "false_negative", video="zz")])
    tags = notes.read_tags("c")
    assert false_negatives(tags)["caption_id"].to_list() == ["q0", "q1"]
    more = corrected(run, tags)
    assert len(more) == len(run.relevance) + 1 and more.iloc[-1][["caption_id", "video_id"]].to_list() == ["q0", "b"]
    assert corrected_metrics(run, tags)[["n_added", "t2v_r1"]].to_numpy().tolist() == [[0, 75.0], [1, 100.0]]
    notes.add_notes("c", [tag("q0", "other", who="ben")])
    assert corrected(run, notes.read_tags("c")).equals(run.relevance)


def test_the_pair_of_the_other_direction_is_the_wrong_caption(home):
    made_runs(made_corpus(40), ("good", "r"))
    failed = failures(open_run("r"), direction="v2t")
    pairs = tag_pairs(failed)
    assert len(failed) and (pairs["video_id"] == failed["right_video_id"]).all()
    assert (pairs["caption_id"] == failed["top_caption_id"]).all()


def test_a_sample_of_videos_shows_the_wrong_caption(home):
    made_runs(made_corpus(40), ("good", "r"))
    run = open_run("r")
    texts = dict(zip(run.queries["caption_id"], run.queries["text"], strict=True))
    drawn = draw_sample(failures(run, direction="v2t"), 5, 0, texts)
    assert (drawn["query_id"] == drawn["video_id"]).all() and (drawn["video_id"] == drawn["right_video_id"]).all()
    assert drawn["other_text"].to_list() == [texts[one] for one in drawn["caption_id"]]
    own = run.relevance.set_index("caption_id")["video_id"]
    assert (own[drawn["caption_id"]].to_numpy() != drawn["video_id"]).all()
    assert LABELS["false_negative"].said("v2t").startswith("The caption that the model put first")
    assert LABELS["other"].said("v2t") == LABELS["other"].sentence


@pytest.mark.parametrize("per_video", [1, 2])
def test_a_tag_on_a_video_corrects_both_directions(home, per_video):
    """The wrong caption that the model put first for a video counts as right: that video is a hit then."""
    corpus = made_corpus(40, per_video=per_video)
    _, run = made_runs(corpus, ("good", "r"))
    failed = failures(run, direction="v2t").assign(**tag_pairs(failures(run, direction="v2t"))).head(3)
    said = [tag(row.query_id, "false_negative", direction="v2t", caption_id=row.caption_id, video=row.video_id)
            for row in failed.itertuples()]  # fmt: skip
    notes.add_notes("made", said)
    table = corrected_metrics(run, notes.read_tags("made")).set_index("relevance")
    official, better = table.loc["official"], table.loc["corrected by tags"]
    assert better["n_added"] == 3 and official["v2t_r1"] == pytest.approx(run.metrics["v2t"]["r1"])
    assert better["v2t_r1"] == pytest.approx(official["v2t_r1"] + 100 * 3 / 40)
    assert better["t2v_r1"] >= official["t2v_r1"]


def test_a_corrected_pair_leaves_the_groups_of_captions_as_they_are(home):
    """A caption of video 1 fits video 0 too; that makes no caption of video 0 right for video 1."""
    corpus = made_corpus(4, per_video=2)
    similarity = np.kron(np.eye(4), np.ones((2, 1))).astype(np.float32)
    similarity[0, 1] = 2.0  # for video 1 a caption of video 0 stands first, which is and stays wrong
    similarity[2, 0] = 3.0  # for video 0 a caption of video 1 does, which is tagged as right
    run = save_run(similarity, corpus=corpus, name="r")
    said = {"direction": "v2t", "caption_id": run.queries["caption_id"][2], "video": run.gallery["video_id"][0]}
    notes.add_notes("made", [tag(run.gallery["video_id"][0], "false_negative", **said)])
    assert corrected_metrics(run, notes.read_tags("made"))["v2t_r1"].to_list() == [50.0, 75.0]


def test_lists_are_narrowed_by_all_that_is_asked(home):
    run = run_on(read_corpus('It reads "Sloane".', rapidocr={"a": ["SL0ANE", "PLATFORM 9"]}), given={})
    failed = with_read(failures(run), run, read_corpus_of(run))
    assert failed["read"].to_list() == ["SL0ANE\nPLATFORM 9"] and failed["scene_text"].to_list() == [True]
    held = {"cause": "ocr_misread", "band": "2-5", "scene_text": "yes", "words": "reads platform"}
    assert len(narrowed(failed, **held)) == 1
    for other in ({"cause": "tied"}, {"band": "6-10"}, {"scene_text": "no"}, {"words": "boat"}, {"domain": "X"}):
        assert narrowed(failed, **{**held, **other}).empty
    assert len(narrowed(failed, words=r"platform \d$", expression=True)) == 1


def read_corpus_of(run):
    from workbench.app.loading import corpus_of

    return corpus_of(run)


def test_a_bad_or_costly_expression_is_no_trouble():
    texts = pd.Series(["a" * 5000 + "!", None])
    assert said(texts, r"(a+)+$", expression=True).tolist() == [False, False]
    with pytest.raises(DataError, match="regular expression cannot be read"):
        said(texts, "(", expression=True)
    assert said(pd.Series([], dtype="str"), "a b").tolist() == []


def test_order_by_the_gap_to_another_run():
    failed = pd.DataFrame({"query_id": ["x", "y", "z"], "rank": [9.0, 5.0, 3.0]})
    found = by_gap(failed, pd.Series({"x": 8.0, "y": 1.0}))
    assert found["query_id"].to_list() == ["y", "x", "z"] and found["gap"].to_list()[:2] == [4.0, 1.0]
