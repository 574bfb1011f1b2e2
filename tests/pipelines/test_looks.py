"""Several looks at each video, and sweeps over frames and sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.models.small_starvr import small
from workbench.core.errors import DataError
from workbench.evaluation import open_run
from workbench.figures import frame_sweep_curves
from workbench.models import build_model
from workbench.models.checkpoints import load_folder
from workbench.pipelines.checkpoints import can_encode, model_of, open_with, score_checkpoint
from workbench.pipelines.scoring import rules_for, score
from workbench.pipelines.sweeps import sweep_frames
from workbench.video.sampling import clips_of

pytest.importorskip("torch", reason="needs torch, which make setup installs")


@pytest.mark.parametrize("kind", ["fusion", "zeroshot"])
def test_clips_are_the_mean_over_other_frames(tiny_home, shown, kind):
    options = {"weights": str(tiny_home / "dual"), "n_frames": 2} if kind == "zeroshot" else None
    checkpoint = "textvr_zeroshot_ocr" if kind == "zeroshot" else str(tiny_home / kind)
    plain, one, three = (
        score_checkpoint(checkpoint, "shown", name=f"clips{n}", options=options, **how)
        for n, how in enumerate(({}, {"clips": 1}, {"clips": 3}))
    )
    assert np.array_equal(plain.similarity, one.similarity) and "clips" not in one.info and three.info["clips"] == 3
    model, _ = model_of(plain)
    rules = replace(rules_for(model), sampler=rules_for(model).sampler)
    looks = [
        score(model, shown, name=f"look{n}", rules=replace(rules, sampler=sampler))
        for n, sampler in enumerate(clips_of(rules.sampler, 3))
    ]
    assert np.array_equal(looks[1].similarity, plain.similarity)  # the middle look is the usual one
    for name, part in three.modalities.items():
        every = np.stack([np.where(np.isfinite(own), own, 0) for own in (run.modalities[name] for run in looks)])
        np.testing.assert_allclose(np.where(np.isfinite(part), part, 0), every.mean(0), rtol=1e-6, atol=1e-6)
    assert not np.array_equal(three.modalities["vision"], plain.modalities["vision"])
    for column in ("frames", "times_s"):
        for all_seen, *each in zip(three.inputs[column], *(run.inputs[column] for run in looks), strict=True):
            assert list(all_seen) == [item for own in each for item in own]
    counted = score_checkpoint(checkpoint, "shown", name="counted", options=options, clips=3, keep_matrix=False)
    assert counted.per_query.equals(three.per_query[three.per_query["modality"] == ""].reset_index(drop=True))


def test_clips_that_change_nothing_are_refused(tiny_home, shown):
    with pytest.raises(DataError, match="looks at no frames"):
        score_checkpoint(str(tiny_home / "ocr"), "shown", name="x", clips=2)
    with pytest.raises(DataError, match="0 clips"):
        score_checkpoint(str(tiny_home / "fusion"), "shown", name="x", clips=0)


def test_a_sweep_scores_every_number_and_size(tiny_home, shown):
    checkpoint = str(tiny_home / "fusion")
    found = sweep_frames(checkpoint, "shown", name="s", n_frames=[1, 3], heights=[12, 24])
    assert found["run"].tolist() == ["s-1f-12px", "s-1f-24px", "s-3f-12px", "s-3f-24px"]
    assert found[["n_frames", "height", "width"]].to_numpy().tolist() == [
        [1, 12, 16],
        [1, 24, 32],
        [3, 12, 16],
        [3, 24, 32],
    ]
    assert (found["seconds_per_100"] > 0).all() and found["timed_on"].eq("cpu").all()
    usual = score(load_folder(tiny_home / "fusion"), shown, name="usual", keep_matrix=False)
    same, other = open_run("s-3f-24px"), open_run("s-1f-12px")
    assert same.per_query.equals(usual.per_query) and same.info["ablation"] is None and same.similarity is None
    assert other.info["ablation"] == "frames 1 of 16 x 12" and other.info["parent"] == checkpoint
    assert other.info["input_rules"]["sampler"]["n"] == 1 and not other.per_query.equals(usual.per_query)
    assert found.set_index("run")["t2v_r1"]["s-1f-12px"] == other.metrics["t2v"]["r1"]
    model, rules = model_of(other)
    assert can_encode(other) and (model.options.n_frames, rules.sampler.n, model.options.width_px) == (1, 1, 16)
    figure = frame_sweep_curves(found)
    assert [list(line.x) for line in figure.data] == [[1, 3], [1, 3]] and figure.data[0].name == "16 x 12 pixels"


@pytest.mark.parametrize(
    ("checkpoint", "how", "said"),
    [
        ("fusion", {"n_frames": [0]}, "0 frames of 24 pixels are none"),
        ("ocr", {"n_frames": [1]}, "looks at no frames"),
        ("dual_encoder", {"heights": [32]}, "The size of the model's frames is that of its tower"),
    ],
)
def test_sweeps_that_the_model_does_not_allow(tiny_home, shown, checkpoint, how, said, home):
    options = {"weights": str(tiny_home / "dual")} if checkpoint == "dual_encoder" else None
    with pytest.raises(DataError, match=said):
        sweep_frames(checkpoint if options else str(tiny_home / checkpoint), "shown", name="s", options=options, **how)
    assert not list((home / "runs").glob("*"))


def test_tables_of_times_are_fitted_and_other_sizes_refused_before_anything_is_scored(tmp_path, shown, home):
    model = small(tmp_path / "words", "vision")
    model.save(tmp_path / "starvr")
    rows, size = model.options.n_frames, model.options.image_size
    one, more = (open_with(str(tmp_path / "starvr"), None, {"n_frames": n}) for n in (1, rows + 3))
    name = "video_model.temporal_embed"
    was, cut, longer = (each.network.state_dict()[name] for each in (model, one, more))
    assert cut.equal(was[:, :1]) and longer[:, :rows].equal(was) and not longer[:, rows:].any()
    found = sweep_frames(str(tmp_path / "starvr"), "shown", name="s", n_frames=[1, rows + 3])
    assert found["n_frames"].tolist() == [1, rows + 3]
    with pytest.raises(DataError, match=r"are for other inputs: video_model.pos_embed is \[1, .*Leave that number"):
        sweep_frames(str(tmp_path / "starvr"), "shown", name="t", heights=[size, size // 2])
    assert not list((home / "runs").glob("t*"))


def test_times_of_windows_are_fitted(tiny_home, tmp_path):
    model = build_model("clip_ocr_window", preset="tiny", weights=str(tiny_home / "dual"), n_frames=2)
    model.save(tmp_path)
    was = model.network.state_dict()["time.weight"]
    one, four = (open_with(str(tmp_path), None, {"n_frames": n}).network.state_dict()["time.weight"] for n in (1, 4))
    assert one.equal(was[:1]) and four[0].equal(was[0]) and four[3].equal(was[1])
    assert (four[1] - (0.75 * was[0] + 0.25 * was[1])).abs().max() < 1e-6


def test_the_command_writes_table_and_chart(tiny_home, shown, workbench, tmp_path):
    code, said, _ = workbench(
        "sweep-frames", str(tiny_home / "vision"), "--corpus", "shown", "--name", "s", "--n-frames", "1,2",
        "--csv", str(tmp_path / "s.csv"), "--chart", str(tmp_path / "s.html"),
    )  # fmt: skip
    assert code == 0 and "s-1f" in said and (tmp_path / "s.html").stat().st_size > 1000
    table = pd.read_csv(tmp_path / "s.csv")
    assert table["run"].tolist() == ["s-1f", "s-2f"] and table["n_frames"].tolist() == [1, 2]
    code, _, error = workbench("sweep-frames", str(tiny_home / "vision"), "--corpus", "shown", "--n-frames", "1,x")
    assert code == 2 and "no list of whole numbers" in error
