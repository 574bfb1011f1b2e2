"""Reports and their locks: the same numbers as everywhere, and every change since is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus, made_runs, made_similarity
from workbench import analysis
from workbench.analysis.reports import lock as report_lock
from workbench.analysis.reports.data import N_CASES, report_data
from workbench.analysis.reports.lock import check_lock, lock_of, read_lock
from workbench.analysis.reports.sources import SINCE_2, of_corpus, of_run
from workbench.core.errors import DataError, FormatVersionError, StateError, UnknownNameError
from workbench.core.files import write_json
from workbench.corpus import video_key


@pytest.fixture
def runs(home):
    return made_runs(made_corpus(40), ("good", "fair"))


def locked(data) -> dict[str, Any]:
    return json.loads(json.dumps(lock_of(data), allow_nan=False))


def test_numbers_are_those_of_the_analysis(runs):
    good, fair = runs
    data = report_data(fair, good)
    numbers = data.numbers()
    assert numbers["leaderboard / good / t2v_r1"] == good.metrics["t2v"]["r1"]
    comparison = analysis.compare_runs(fair, good)
    assert numbers["comparison / difference / value"] == comparison.test.difference
    domains = analysis.by_domain(good).set_index("domain")
    assert numbers["domains / good / Cooking / value"] == domains.loc["Cooking", "value"]
    failed = analysis.failures(fair)
    for cause, n in failed["cause"].value_counts().items():
        assert numbers[f"causes / fair / {cause} / n"] == n
    gains = [value for place, value in numbers.items() if place.startswith("causes / fair /") and "/ gain" in place]
    assert sum(gains) + fair.metrics["t2v"]["r1"] == pytest.approx(100)
    assert numbers["hubs / good / skewness"] == analysis.hubness(good).skewness
    assert "good is better" in data.verdict and len(data.cases) == data.tables["cases"].shape[0] / 2


def test_the_other_direction_has_its_own_numbers_and_lock(home):
    good, fair = made_runs(made_corpus(40, per_video=2), ("good", "fair"))
    data = report_data(fair, good, direction="v2t")
    numbers = data.numbers()
    assert {"ceiling", "comparison", "differences", "domains", "causes", "hubs", "cases"} < set(data.tables)
    comparison = analysis.compare_runs(fair, good, direction="v2t")
    assert numbers["comparison / difference / value"] == comparison.test.difference
    assert data.verdict == f"Video to text: {comparison.verdict}"
    assert set(comparison.table.set_index("id").loc[list(data.cases), "outcome"]) <= {"win", "loss"} and data.cases
    failed = analysis.failures(fair, direction="v2t").set_index("query_id")
    for cause, n in failed["cause"].value_counts().items():
        assert numbers[f"causes / fair / {cause} / n"] == n
    gains = [value for place, value in numbers.items() if place.startswith("causes / fair /") and "/ gain" in place]
    assert sum(gains) + fair.metrics["v2t"]["r1"] == pytest.approx(100)
    domains = analysis.by_domain(fair, direction="v2t").set_index("domain")
    assert numbers["domains / fair / Cooking / value"] == domains.loc["Cooking", "value"]
    assert numbers["hubs / fair / skewness"] == analysis.hubness(fair, direction="v2t").skewness
    (lost, *_) = (video for video in data.cases if video in failed.index)
    case = data.tables["cases"].loc[(lost, "fair")]
    assert case["rank"] == failed.loc[lost, "rank"] and case["evidence"] == failed.loc[lost, "evidence"]
    assert case["right"] == f"{lost}#0, {lost}#1" and set(case["first"].split(", ")) <= set(fair.queries["caption_id"])
    lock = locked(data)
    assert lock["options"]["direction"] == "v2t" and check_lock(lock) == []
    lock["options"]["thresholds"] = {"near_duplicate": 0.5}
    assert "thresholds / near_duplicate / value" in {one.what for one in check_lock(lock) if one.serious}


def test_one_run_says_what_it_finds_in_its_direction(runs):
    metrics = runs[1].metrics["v2t"]
    verdict = report_data(runs[1], direction="v2t", cases=[]).verdict
    assert verdict.startswith(f"fair finds a right caption first for {metrics['r1']:.1f} % of 40 videos")


def test_cases_are_those_that_changed_most_or_failed_worst(runs):
    good, fair = runs
    table = analysis.compare_runs(fair, good).table.set_index("id")
    both = report_data(fair, good).cases
    assert set(table.loc[list(both), "outcome"]) <= {"win", "loss"} and 0 < len(both) <= N_CASES
    alone = report_data(fair).cases
    failed = analysis.failures(fair)
    assert (
        set(alone) <= set(failed["query_id"]) and failed["rank"].max() == failed.set_index("query_id")["rank"][alone[0]]
    )
    query = fair.queries["caption_id"][3]
    assert report_data(fair, cases=[query, query]).cases == (query,) and report_data(fair, cases=[]).cases == ()


def test_what_cannot_be_said_is_a_note(home):
    corpus = made_corpus(40)
    run = wb.save_run(made_similarity(corpus), corpus=corpus, name="totals", totals_only=True)
    assert report_data(run, direction="v2t").verdict.startswith("totals finds a right caption first for")
    data = report_data(run)
    assert set(data.tables) == {"leaderboard", "hubs", "thresholds"} and data.cases == ()
    assert any("totals only" in note for note in data.notes)
    with pytest.raises(DataError, match="cannot be tied to captions"):
        report_data(run, wb.save_run(made_similarity(corpus), corpus=corpus, name="other"))


def test_wrong_calls(runs, monkeypatch):
    with pytest.raises(UnknownNameError, match="No query is called 'x'"):
        report_data(runs[0], cases=["x"])
    with pytest.raises(UnknownNameError, match="No direction is called 'both'"):
        report_data(runs[0], direction="both")
    with pytest.raises(UnknownNameError, match="No threshold is called 'nearr'"):
        report_data(runs[0], nearr=0.5)
    monkeypatch.setitem(runs[0].info, "state", "failed")
    with pytest.raises(StateError, match="Run good is failed"):
        report_data(runs[0])


def test_an_untouched_report_holds(runs):
    lock = locked(report_data(*runs, k=5, near_duplicate=0.9))
    cases = lock["options"].pop("cases")
    assert lock["options"] == {"direction": "t2v", "k": 5, "thresholds": {"near_duplicate": 0.9}}
    lock["options"] = {"cases": cases, "k": 5, "thresholds": {"near_duplicate": 0.9}}  # as locks without a direction
    assert check_lock(lock) == []


def test_every_change_is_named(runs, home, monkeypatch):
    good, fair = runs
    lock = locked(report_data(fair, good))
    corpus = wb.open_corpus("made", "test")
    wb.save_run(made_similarity(corpus, noise=3.0, seed=5), corpus=corpus, name="good", overwrite=True)
    lock["numbers"]["hubs / fair / skewness"] += 0.5
    monkeypatch.setattr(report_lock, "package_versions", lambda: {**lock["versions"], "numpy": "99"})
    found = check_lock(lock)
    said = {one.what: one for one in found}
    assert said["run good: similarity.npy"].sentence == "similarity.npy of run good has changed."
    now = wb.open_run("good").metrics["t2v"]["r1"]
    assert f"it is {now:.6g}." in said["leaderboard / good / t2v_r1"].sentence
    assert said["hubs / fair / skewness"].kind == "number" and said["software: numpy"].kind == "software"
    assert not any(one.what.startswith(("run fair: sim", "leaderboard / fair")) for one in found)
    shutil.rmtree(home / "runs" / "good")
    (gone, *rest) = check_lock(lock)
    assert gone.what == "good" and "Run good is gone" in gone.sentence and {one.kind for one in rest} == {"software"}


def test_a_byte_of_the_corpus_is_named_and_what_this_machine_holds_is_not(runs, home):
    lock = locked(report_data(runs[0]))
    folder = home / "corpora" / "made"
    videos = folder / "videos.parquet"
    whole, table = videos.read_bytes(), pd.read_parquet(videos)
    table.assign(status="missing").to_parquet(videos, index=False)  # the files went away: not in any number
    assert check_lock(lock) == []
    table.assign(source_id="one").to_parquet(videos, index=False)
    assert "domains and sources of videos of corpus made has changed." in {one.sentence for one in check_lock(lock)}
    videos.write_bytes(b"PAR1 broken")
    assert any(one.kind == "corpus" and "cannot be read any more" in one.sentence for one in check_lock(lock))
    videos.write_bytes(whole)
    relevance = folder / "relevance.parquet"
    held = bytearray(relevance.read_bytes())
    held[len(held) // 2] ^= 1
    relevance.write_bytes(held)
    assert "relevance.parquet of corpus made has changed." in {one.sentence for one in check_lock(lock)}


def test_texts_read_since_are_named(runs, home):
    lock = locked(report_data(runs[0]))
    path = home / "corpora" / "made" / "texts.parquet"
    path.write_bytes(b"changed") if path.exists() else path.write_bytes(b"new")
    (first, *_) = check_lock(lock)
    assert first.kind == "corpus" and "texts.parquet of corpus made" in first.sentence


DAMAGES: tuple[tuple[str, Any], ...] = (
    ("runs", {}), ("runs", ["good"]), ("runs", {"good": 3}), ("corpus", {"name": "made"}), ("numbers", []),
    ("options", {"cases": [], "thresholds": {}}), ("options", {"k": True, "cases": [], "thresholds": {}}),
    ("options", {"k": 0, "cases": [], "thresholds": {}}),
    ("options", {"k": 1, "cases": [], "thresholds": {}, "direction": ["t2v"]}),
    ("options", {"k": 1, "cases": [{}], "thresholds": {}}),
    ("versions", "1"), ("versions", {"files": 1}), ("beside", {"x": 1}), ("related", {}),
    ("related", {"good": {"seeds": ["x"], "shuffled": None, "without_ocr": None, "words": None}}),
)  # fmt: skip


def test_a_damaged_lock_is_told(runs, tmp_path):
    path, whole = tmp_path / "x.lock.json", locked(report_data(runs[0]))
    write_json(path, whole)
    assert read_lock(path) == whole
    for part, value in DAMAGES:
        write_json(path, {**whole, part: value})
        with pytest.raises(DataError, match=f"is damaged: {part} is not as a report writes it"):
            read_lock(path)


def test_a_lock_names_runs_and_no_folders(runs, home, tmp_path):
    lock = locked(report_data(runs[0]))
    outside = tmp_path / "outside"
    shutil.copytree(home / "runs" / "good", outside)
    (gone, *_) = check_lock({**lock, "runs": {str(outside): lock["runs"]["good"]}})
    assert "is gone" in gone.sentence


def test_a_lock_that_is_none(tmp_path):
    path = Path(tmp_path / "x.lock.json")
    write_json(path, {"format_version": 1})
    with pytest.raises(DataError, match="is no lock of a report"):
        read_lock(path)
    whole = {"runs": {}, "corpus": {}, "options": {}, "numbers": {}, "versions": {}}
    write_json(path, {"format_version": 99, **whole})
    with pytest.raises(FormatVersionError, match="format version 99"):
        read_lock(path)


def test_what_a_report_was_told_from_is_held_and_later_runs_change_nothing(runs, home):
    good, _ = runs
    corpus = wb.open_corpus("made", "test")
    scores = np.array(good.similarity)
    seeds = [wb.save_run(made_similarity(corpus, 2.0, seed=at), corpus=corpus, name=f"s{at}", group="g", seed=at)
             for at in (0, 1)]  # fmt: skip
    lock = locked(report_data(seeds[0]))
    assert lock["related"] == {"s0": {"seeds": ["s1"], "shuffled": None, "without_ocr": None, "words": None}}
    wb.save_run(made_similarity(corpus, 2.0, seed=9), corpus=corpus, name="s2", group="g", seed=2)
    wb.save_run(scores, corpus=corpus, name="s0-without-ocr", parent="s0", ablation="without ocr")
    found = check_lock(lock)
    assert {one.what for one in found} == {"run s2", "run s0-without-ocr"} and not any(one.serious for one in found)
    assert "Run s2 is there now, and causes of s0 would be told from it too." in found[0].sentence + found[1].sentence
    changed = json.loads((home / "runs" / "s1" / "run.json").read_text())
    write_json(home / "runs" / "s1" / "run.json", {**changed, "input_rules": {"caption_words": 3}})
    assert [one.what for one in check_lock(lock) if one.serious] == ["run s1: input_rules.caption_words"]
    wb.save_run(made_similarity(made_corpus(24, name="b")), corpus=wb.open_corpus("b"), name="s1", overwrite=True)
    assert any("no longer has the captions" in one.sentence for one in check_lock(lock) if one.serious)
    shutil.rmtree(home / "runs" / "s1")
    assert check_lock(lock)[0].sentence == "Run s1 is gone, so its numbers cannot be computed again."


def test_all_that_causes_read_is_hashed(home):
    corpus = made_corpus(24)
    scores = made_similarity(corpus, 2.0)
    made = wb.save_run(scores, corpus=corpus, name="one", modalities={"ocr": scores, "vision": scores[::-1].copy()})
    lock = locked(report_data(wb.open_run("one")))
    np.save(made.path / "modalities" / "ocr.npy", scores[::-1])
    boxes = corpus.path / "boxes"
    boxes.mkdir(exist_ok=True)
    (boxes / f"{video_key(corpus.videos['video_id'][0])}.parquet").write_bytes(b"new")
    captions = corpus.path / "captions.parquet"
    captions.write_bytes(captions.read_bytes() + b" ")
    said = {one.what for one in check_lock(lock) if one.serious}
    assert {"run one: modalities/ocr.npy", "corpus made: boxes", "corpus made: captions.parquet"} <= said
    assert "run one: modalities/vision.npy" not in said


def test_a_lock_of_an_older_version_is_checked_with_what_it_holds(runs):
    new = locked(report_data(runs[0]))
    old = {name: value for name, value in new.items() if name not in ("related", "beside")} | {"format_version": 1}
    old["runs"] = {"good": json.loads(json.dumps(of_run(runs[0], 1)))}
    old["corpus"] = of_corpus(runs[0], 1)
    (scope,) = check_lock(old)
    assert not scope.serious and f"does not cover {SINCE_2}" in scope.sentence
    old["runs"]["good"]["files"]["similarity.npy"] = "another"
    assert [one.what for one in check_lock(old) if one.serious] == ["run good: similarity.npy"]
