"""Counterfactuals: inputs with one thing changed, and what each read word does, against scoring it anew by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.core.errors import StateError, UnknownNameError
from workbench.corpus import save_corpus
from workbench.evaluation import open_run, rank_bounds, save_run
from workbench.models import Gallery, Words
from workbench.pipelines.checkpoints import score_checkpoint
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.inputs import Inputs
from workbench.pipelines.word_effects import word_effects

READ = [("MIRA", "CAFE"), (), ("CAFE", "OPEN", "CAFE"), ("EXIT",), ("MIRA", "EXIT")]
ASKED = ["the mira cafe is open", "nothing", "open cafe", "an exit", "mira at the exit"]


def inputs(n_frames: int = 4) -> Inputs:
    ids = tuple(f"v{i}" for i in range(5))
    frames = np.arange(5 * n_frames, dtype=np.uint8).reshape(5, n_frames, 1, 1, 1) * np.ones((1, 1, 2, 2, 3), np.uint8)
    words = tuple(Words(text, np.full((len(text), 6), i, np.float32)) for i, text in enumerate(READ))
    table = pd.DataFrame(
        {
            "video_id": ids, "frames": [list(range(n_frames))] * 5, "times_s": [[i / 2 for i in range(n_frames)]] * 5,
            "words": [list(text) for text in READ], "n_words_read": 9, "n_words_dropped": 9,
        }
    )  # fmt: skip
    return Inputs(Gallery(ids, frames, words), table)


class Counting:
    """Scores a pair by how many of the read words stand in the caption; some pairs tie."""

    needs = frozenset({"frames", "ocr"})
    reads: dict[str, int] = {}

    def encode(self, gallery):
        return [one.text for one in gallery.words]

    def similarity(self, captions, encoded):
        return np.asarray([[sum(w.lower() in c for w in words) for words in encoded] for c in captions], np.float32)


def test_words_are_taken_away_and_what_was_given_stays():
    given = inputs()
    changed = Change(without="ocr").apply(given)
    assert [one.text for one in changed.gallery.words] == [()] * 5 and given.gallery.words[0].text == READ[0]
    assert changed.table["words"].tolist() == [[]] * 5 and changed.table["n_words_dropped"].eq(9).all()
    assert np.array_equal(changed.gallery.frames, given.gallery.frames)
    assert Change(without="ocr", frames="shuffled").names == ["without ocr", "frames shuffled"]


def test_frames_are_shuffled_inside_a_video_and_the_table_says_how():
    given = inputs(8)
    changed = Change(frames="shuffled").apply(given)
    again = Change(frames="shuffled").apply(given)
    assert np.array_equal(changed.gallery.frames, again.gallery.frames)
    assert not np.array_equal(changed.gallery.frames, given.gallery.frames)
    for before, after, order in zip(given.gallery.frames, changed.gallery.frames, changed.table["frames"], strict=True):
        assert np.array_equal(after, before[order]) and sorted(order) == list(range(8))
    assert len({tuple(order) for order in changed.table["frames"]}) > 1


@pytest.mark.parametrize(
    ("change", "needs", "said"),
    [
        (Change(without="ocr"), {"ocr"}, "looks at ocr, so it cannot do without ocr"),
        (Change(without="ocr"), {"frames"}, "looks at frames"),
        (Change(frames="shuffled"), {"ocr"}, "looks at no frames"),
    ],
)
def test_a_change_that_changes_nothing_is_refused(change, needs, said):
    with pytest.raises(StateError, match=said):
        change.check(needs)


def test_unknown_changes_name_the_nearest():
    with pytest.raises(UnknownNameError, match="shuffled"):
        Change(frames="shufled").check({"frames"})
    with pytest.raises(UnknownNameError, match="ocr"):
        Change(without="ocrr").check({"frames", "ocr"})


def asked_corpus():
    ids = [f"v{i}" for i in range(5)]
    videos = pd.DataFrame({"video_id": ids, "split": "test", "status": "not_kept"})
    captions = pd.DataFrame(
        {"caption_id": [f"{one}#0" for one in ids], "video_id": ids, "text": ASKED, "split": "test"}
    ).assign(role="original", language="en")
    return save_corpus("asked", {"videos": videos, "captions": captions}).with_split("test")


def test_word_effects_are_those_of_scoring_anew(home):
    corpus, given, model = asked_corpus(), inputs(), Counting()
    scores = model.similarity(ASKED, model.encode(given.gallery))
    run = save_run(scores, corpus=corpus, name="counted")
    found = word_effects(model, corpus, given, run)
    ids = corpus.captions["caption_id"].tolist()
    assert {"v0", "v2"} <= set(found["video_id"])
    for one in found.itertuples():
        row, column = ids.index(one.caption_id), int(one.video_id[1:])
        assert one.score == scores[row, column] and one.word in READ[column]
        changed = scores.copy()
        changed[row, column] = one.score_without
        assert one.score_without == scores[row, column] - (one.word.lower() in ASKED[row])
        assert one.rank_without == rank_bounds(changed).expected[row]
    own = found[(found["caption_id"] == ids[0]) & (found["video_id"] == "v0")]
    assert own["word"].tolist() == ["MIRA", "CAFE"] and own["rank_without"].min() > rank_bounds(scores).expected[0]


def test_a_model_that_reads_nothing_has_no_word_effects(home):
    corpus, given, model = asked_corpus(), inputs(), Counting()
    run = save_run(model.similarity(ASKED, model.encode(given.gallery)), corpus=corpus, name="counted")
    model.needs = frozenset({"frames"})
    with pytest.raises(StateError, match="reads no words"):
        word_effects(model, corpus, given, run)


@pytest.mark.slow
def test_counterfactual_runs_of_the_demo(own_demo):
    options = {"corpus": "demo", "split": "test"}
    without = score_checkpoint("demo-fusion", name="no-ocr", without="ocr", explain=None, **options)
    shuffled = score_checkpoint("demo-fusion", name="shuffled", frames="shuffled", explain="words", **options)
    fusion = open_run("demo-fusion")
    assert without.info["ablation"] == "without ocr" and without.info["parent"] == "demo-fusion"
    assert (
        set(np.unique(without.modalities["ocr"])) <= {-np.inf, 0.0} and shuffled.info["ablation"] == "frames shuffled"
    )
    np.testing.assert_allclose(without.modalities["vision"], fusion.modalities["vision"], rtol=1e-4, atol=1e-4)
    assert without.metrics["t2v"]["r1"] < fusion.metrics["t2v"]["r1"] - 15
    effects = shuffled.word_effects
    assert len(effects) and (effects["rank_without"] >= 1).all() and fusion.word_effects is None
    with pytest.raises(StateError, match="cannot do without ocr"):
        score_checkpoint("demo-ocr", name="x", without="ocr", **options)
