"""Tokens of a dual encoder: those of its tokenizer, made once for each text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.models.dual_folders import write_dual

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
TEXTS = ["A red bus", "", "the dog of the taxi stop 42 the dog of the taxi stop 42", "a red bus", "nothing known"]


@pytest.mark.parametrize("family", ["clip", "siglip"])
@pytest.mark.parametrize("side", ["right", "left"])
def test_texts_are_tokenised_once_and_padded_as_the_tokenizer_pads(tmp_path, family, side):
    from workbench.models.towers.dual.opened import opened

    folder = opened(write_dual(tmp_path / family, family))
    folder.tokenizer.padding_side = side
    longest = folder.model.config.text_config.max_position_embeddings
    expected = folder.tokenizer(
        [text.lower() for text in TEXTS], padding=folder.family.padding, truncation=True, max_length=longest,
        return_tensors="pt",
    )  # fmt: skip
    asked = Asked(folder.tokenizer)
    watched = replace(folder, tokenizer=asked)
    for _ in range(2):
        found = watched.tokens(TEXTS, torch.device("cpu"))
        assert torch.equal(found["ids"], expected["input_ids"])
        assert torch.equal(found["mask"], expected["attention_mask"])
    assert asked.texts == ["a red bus", "", TEXTS[2], "nothing known"]
    most = " ".join(["dog"] * folder.caption_words)
    cut = [len(folder.tokenizer(one)["input_ids"]) > longest for one in (most, most + " dog")]
    assert cut == [False, True]


class Asked:
    """A tokenizer that remembers what it was asked for."""

    def __init__(self, tokenizer) -> None:
        self._tokenizer, self.texts = tokenizer, []

    def __getattr__(self, name: str):
        return getattr(self._tokenizer, name)

    def __call__(self, texts, **how):
        self.texts += texts
        return self._tokenizer(texts, **how)
