"""The demo's model: a score depends on its pair alone, parts add up, weights come back, wrong input is named."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.errors import DataError, UnknownNameError
from workbench.core.seeds import generator
from workbench.models import Gallery, Words, build_model
from workbench.models.families import load

pytest.importorskip("torch", reason="needs torch, which make setup installs")
CAPTIONS = ["a red bus", "the sign says NOMEK 42 and ΦΩΣ", "", "“ДОЖДЬ” 雨 🙂 " + "word " * 60]


def gallery(n: int = 5, model=None) -> Gallery:
    draw = generator(0, "gallery")
    options = model.options
    frames = draw.integers(0, 256, (n, options.n_frames, options.height, options.width_px, 3), np.uint8)
    read = [("NOMEK", "42"), (), ("ΦΩΣ",), tuple(f"w{i}" for i in range(60)), ("雨", "🙂", "TEA")]
    words = [Words(one, draw.random((len(one), 6)).astype(np.float32)) for one in read[:n]]
    return Gallery(tuple(f"v{i}" for i in range(n)), frames, tuple(words))


def tiny(modality: str = "fusion", **options):
    return build_model("textvr_fusion", preset="tiny", modality=modality, **options)


def similarity(model, captions, videos) -> np.ndarray:
    return model.similarity(captions, model.encode(videos))


@pytest.mark.parametrize("modality", ["vision", "ocr", "fusion"])
def test_a_pair_scores_the_same_in_any_company_and_order(modality):
    model = tiny(modality)
    videos = gallery(model=model)
    whole = similarity(model, CAPTIONS, videos)
    assert whole.shape == (4, 5) and whole.dtype == np.float32 and np.isfinite(whole).all()
    for row, caption in enumerate(CAPTIONS):
        for column in range(5):
            alone = similarity(model, [caption], videos.take([column]))
            np.testing.assert_allclose(alone[0, 0], whole[row, column], rtol=1e-4, atol=1e-5)
    turned = similarity(model, CAPTIONS[::-1], videos.take([4, 3, 2, 1, 0]))
    np.testing.assert_allclose(turned[::-1, ::-1], whole, rtol=1e-4, atol=1e-5)


def test_parts_add_up_and_each_modality_has_its_own():
    model = tiny()
    encoded = model.encode(gallery(model=model))
    parts = model.parts(CAPTIONS, encoded)
    assert set(parts) == {"vision", "ocr"}
    np.testing.assert_allclose(sum(parts.values()), model.similarity(CAPTIONS, encoded), rtol=1e-6)
    assert tiny("ocr").needs == {"ocr"} and tiny("vision").needs == {"frames"}
    for modality in ("vision", "ocr"):
        one = tiny(modality)
        assert set(one.parts(CAPTIONS, one.encode(gallery(model=one)))) == {modality}


def test_the_seed_decides_the_weights_and_nothing_else_does():
    torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    model, again, other = tiny(seed=3), tiny(seed=3), tiny(seed=4)
    assert torch.equal(before, torch.random.get_rng_state())
    videos = gallery(model=model)
    assert np.array_equal(similarity(model, CAPTIONS, videos), similarity(again, CAPTIONS, videos))
    assert not np.array_equal(similarity(model, CAPTIONS, videos), similarity(other, CAPTIONS, videos))


def test_weights_come_back_bit_by_bit(tmp_path):
    model = tiny(seed=7)
    model.save(tmp_path)
    back = load(tmp_path)
    assert back.options == model.options
    videos = gallery(model=model)
    assert np.array_equal(similarity(model, CAPTIONS, videos), similarity(back, CAPTIONS, videos))


def test_equal_words_meet_before_any_training():
    model = tiny("ocr")
    videos = gallery(model=model)
    scores = similarity(model, ["NOMEK", "tea", "ΦΩΣ"], videos)
    assert scores.argmax(1).tolist() == [0, 4, 2]


def test_what_is_wrong_is_named(tmp_path):
    model = tiny()
    short = gallery(model=model)
    with pytest.raises(DataError, match="reads frames"):
        model.encode(Gallery(short.video_ids, short.frames[:, :1], short.words))
    with pytest.raises(DataError, match="no option 'widht'.*width"):
        tiny(widht=3)
    with pytest.raises(UnknownNameError, match="'smell'"):
        tiny("smell")
    with pytest.raises(UnknownNameError, match="'huge'"):
        build_model("textvr_fusion", preset="huge")
    with pytest.raises(DataError, match="holds no model.safetensors"):
        load(tmp_path)
