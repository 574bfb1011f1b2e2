"""A sentence per frame, and frames that keep their shape, on their way from a corpus into a model."""

from __future__ import annotations

import pytest

from tests.captioned import captioned_corpus
from tests.models.dual_folders import write_dual
from workbench.models import build_model
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.inputs import InputRules, gallery_of
from workbench.pipelines.scoring import rules_for, score
from workbench.video.sampling import Sampler


def test_sentences_come_with_the_frames(home, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="needs torch, which make setup installs")
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    corpus = captioned_corpus(tmp_path / "videos")
    rules = InputRules(Sampler("uniform", 3), 16, 16, windows=4, fit="letterbox")
    inputs = gallery_of(corpus, {"frames", "ocr"}, rules, workers=1)
    sentences = dict(zip(inputs.gallery.video_ids, inputs.gallery.sentences, strict=True))
    assert "MIRA 42" in sentences["one.mp4"] and len(sentences["one.mp4"]) == 3 and sentences["broken.mp4"] == ()
    assert inputs.gallery.take([0]).sentences == (inputs.gallery.sentences[0],)
    silenced = Change(without="ocr").apply(inputs).gallery
    assert {one for of in silenced.sentences for one in of} == {""}
    weights = str(write_dual(tmp_path / "tiny"))
    options = {"weights": weights, "n_frames": 3, "ocr_text": "windows", "preset": "letterbox"}
    model = build_model("textvr_zeroshot_ocr", **options)
    assert rules_for(model).windows == 16 and rules_for(model).fit == "letterbox"
    run = score(model, corpus, name="windows", workers=1)
    assert run.info["input_rules"]["caption_words"] == model.reads["caption_words"] > 0
    assert rules_for(build_model("textvr_fusion")).caption_words == 32
    assert run.info["input_rules"]["windows"] == 16 and set(run.modalities) == {"vision", "ocr", "bm25"}
