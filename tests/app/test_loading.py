"""What the app keeps: corpora and runs that changed on disk are noticed, and what causes are told from beside them."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.app.test_pages import opened
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.analysis.causes.related import related_to
from workbench.analysis.domains import domain_overview
from workbench.app import loading
from workbench.core.files import write_table
from workbench.evaluation.runs.outdated import ranks_outdated
from workbench.evaluation.runs.run import Run

pytestmark = pytest.mark.filterwarnings("default")


def kept_is_fresh() -> pd.DataFrame:
    """Failures and domains as the app has them, which are those computed now."""
    run = loading.run_named("one")
    kept, fresh = loading.failures(run, 1, "t2v"), analysis.failures(wb.open_run("one"))
    pd.testing.assert_frame_equal(kept, fresh)
    corpus = loading.corpus_of(run)
    pd.testing.assert_frame_equal(loading.overview(corpus, run, "t2v"), domain_overview(corpus, fresh))
    return fresh


def test_causes_notice_new_seeds_and_a_shuffled_run(home):
    corpus = made_corpus(24)
    wb.save_run(made_similarity(corpus, 4.0), corpus=corpus, name="one", group="g", seed=0)
    alone, key = kept_is_fresh(), loading.key_of_causes(loading.run_named("one"))
    made = wb.save_run(made_similarity(corpus, 4.0, seed=1), corpus=corpus, name="two", group="g", seed=1)
    wb.save_run(made_similarity(corpus, 4.0, seed=2), corpus=corpus, name="three", group="g", seed=2)
    seeds = kept_is_fresh()
    assert "coin_flip" in set(seeds["causes"].explode()) - set(alone["causes"].explode())
    similarity = made_similarity(corpus, 4.0)
    wb.save_run(similarity, corpus=corpus, name="other", parent="two", ablation="frames shuffled")
    before = loading.key_of_causes(loading.run_named("one"))  # neither its seed nor its shuffled run: nothing changes
    wb.save_run(similarity, corpus=corpus, name="mixed", parent="one", ablation="frames shuffled")
    after = loading.key_of_causes(loading.run_named("one"))
    assert len({key, before, after}) == 3 and len(after[2]) == len(before[2]) + 1
    kept_is_fresh()
    shutil.rmtree(made.path)
    kept_is_fresh()
    assert loading.key_of_causes(loading.run_named("one")) != after


def test_a_run_that_was_written_again_is_noticed_by_every_table(home):
    corpus = made_corpus(24)
    for name in ("one", "two"):
        wb.save_run(made_similarity(corpus, 0.5), corpus=corpus, name=name)

    def tables() -> list[str]:
        run, other = loading.run_named("one"), loading.key_of(loading.run_named("two"))
        key = loading.key_of(run)
        return [str(one) for one in (
            loading.comparison(key, other, "r1", "t2v").verdict, loading.by_domain(key, "r1", "t2v")["value"].to_list(),
            loading.scores(key, "v2t", divided=True)["value"].to_list(), loading.ranks(key, "t2v"),
            loading.verdict((key, other)), loading.board((key, other), ("r1",), False)["t2v_r1"].to_list(),
            len(loading.failures(run, 1, "t2v")),
            loading.matrix_view("one").key,
        )]  # fmt: skip

    before = tables()
    assert tables() == before
    wb.save_run(made_similarity(corpus, 6.0, seed=3), corpus=corpus, name="one", overwrite=True)
    assert all(old != new for old, new in zip(before, tables(), strict=True))


def test_a_matrix_that_was_replaced_in_place_is_noticed_and_told(home):
    corpus = made_corpus(24)
    made = wb.save_run(made_similarity(corpus, 0.5), corpus=corpus, name="one")
    run = loading.run_named("one")
    before = loading.key_of(run), loading.stamps_of_runs()
    copy = shutil.copytree(made.path, home / "runs" / "copy", copy_function=shutil.copyfile)
    assert not loading.outdated(run) and not ranks_outdated(Run(copy))
    (copy / "similarity.npy").touch()  # newer, and the same
    assert not ranks_outdated(Run(copy))
    np.save(made.path / "similarity.npy", -np.asarray(made.similarity))
    again = loading.run_named("one")
    assert loading.key_of(again) != before[0] and loading.stamps_of_runs() != before[1] and loading.outdated(again)
    np.testing.assert_array_equal(again.similarity, np.load(made.path / "similarity.npy"))
    app = opened("matrix", run="one")
    assert ["Scores of one changed after" in one.value for one in app.warning] == [True]
    np.save(made.path / "similarity.npy", np.full((2, 3), np.nan, np.float32))
    assert loading.outdated(loading.run_named("one"))


def test_texts_that_were_replaced_in_place_are_noticed(home):
    corpus = made_corpus(24)
    wb.save_run(made_similarity(corpus), corpus=corpus, name="one")
    before = loading.key_of_causes(loading.run_named("one"))
    (corpus.path / "texts.parquet").unlink(missing_ok=True)
    corpus.texts.to_parquet(corpus.path / "texts.parquet")
    assert loading.key_of_causes(loading.run_named("one")) != before


def test_a_corpus_that_was_written_again_is_noticed(home):
    corpus = made_corpus(24)
    wb.save_run(made_similarity(corpus), corpus=corpus, name="one")
    run = loading.run_named("one")
    assert loading.corpus_of(run) is not None and len(loading.corpus_named("made").videos) == 24
    shutil.rmtree(wb.open_corpus("made").path)
    made_corpus(32)
    assert loading.corpus_of(run) is None  # no longer the one that the run was made on
    assert len(loading.corpus_named("made").videos) == len(loading.corpus_at("made/test").videos) == 32


def test_causes_notice_a_run_without_ocr_word_effects_and_a_modality_written_in_place(home):
    corpus = made_corpus(24)
    scores = made_similarity(corpus, 4.0)
    parts = {"ocr": scores, "vision": scores}
    made = wb.save_run(scores, corpus=corpus, name="one", model="m", modalities=parts)
    keys = [loading.key_of_causes(loading.run_named("one"))]
    other = made_similarity(corpus, 4.0, seed=1)
    wb.save_run(other, corpus=corpus, name="silent", parent="one", ablation="without ocr")
    keys.append(loading.key_of_causes(loading.run_named("one")))
    words = wb.save_run(scores, corpus=corpus, name="words", model="m")
    effects = pd.DataFrame({"caption_id": corpus.captions["caption_id"][:1], "video_id": corpus.videos["video_id"][:1],
                            "word": ["no"], "score": [1.0], "score_without": [0.0], "rank_without": [1.0]})  # fmt: skip
    write_table(words.path / "word_effects.parquet", effects)
    keys.append(loading.key_of_causes(loading.run_named("one")))
    np.save(made.path / "modalities" / "ocr.npy", scores[::-1])
    keys.append(loading.key_of_causes(loading.run_named("one")))
    assert len(set(keys)) == 4 and [len(key[2]) for key in keys] == [1, 2, 3, 3]
    found = related_to(wb.open_run("one"))
    assert (found.without_ocr.name, found.words.name) == ("silent", "words")
    assert related_to(wb.open_run("one"), ()).runs == []
    kept_is_fresh()
