"""The list of models: what each is, what it needs, who builds it; torch comes in with the builder that needs it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from workbench.core.errors import DataError, UnknownNameError
from workbench.core.lookup import pick
from workbench.models.gallery import Gallery


class RetrievalModel(Protocol):
    """What scoring needs of a model, trained or not.

    Attributes:
        needs: Inputs it looks at: ``frames``, ``ocr``, or both.
        reads: How it wants them: ``n_frames``, ``height``, ``width`` (pixels), ``max_words``; what is absent is left to
            the defaults of ``pipelines.inputs.InputRules``.
    """

    needs: frozenset[str]
    reads: Mapping[str, int]

    def encode(self, gallery: Gallery) -> Any:
        """The videos in the model's own form, once for many captions."""

    def similarity(self, captions: Sequence[str], encoded: Any) -> np.ndarray:
        """float32 [captions, videos], higher is better."""

    def parts(self, captions: Sequence[str], encoded: Any) -> dict[str, np.ndarray]:
        """The similarities whose sum is ``similarity``, by modality; empty where there is one only."""


@runtime_checkable
class ScoresOnDevice(Protocol):
    """A ``RetrievalModel`` whose scores need not leave the GPU to be counted.

    Attributes:
        device: The torch device it computes on.
    """

    @property
    def device(self) -> Any: ...

    def device_similarity(self, captions: Sequence[str], encoded: Any) -> Any:
        """As ``similarity``, a float32 torch tensor on the device."""


@dataclass(frozen=True)
class ModelCard:
    """One model.

    Attributes:
        sentence: What it does.
        source: The paper or system.
        builder: ``module:function`` taking flat keyword arguments.
        trains: Whether it has weights to train.
    """

    sentence: str
    source: str
    builder: str
    trains: bool


MODELS = {
    "bm25_ocr": ModelCard(
        "BM25 of the caption over the words read in the video; nothing is learned",
        "Robertson & Zaragoza, The Probabilistic Relevance Framework, 2009; library bm25s",
        "workbench.models.bm25_ocr:build",
        trains=False,
    ),
    "textvr_fusion": ModelCard(
        "small from-scratch model: caption words against frames, against words read in the video, or both",
        "token-wise interaction with learned token weights as in DRL (Wang et al., 2022), sub-word hashing as in "
        "fastText (Bojanowski et al., 2017)",
        "workbench.models.textvr_fusion:build",
        trains=True,
    ),
}


def build_model(name: str, *, preset: str | None = None, **options: Any) -> RetrievalModel:
    """Build a model, with random weights where it has any.

    Args:
        name: One of ``MODELS``, or ``package.module:builder`` from outside the tree.
        preset: A named set of options of the model.
        **options: Flat keyword arguments of its builder, e.g. ``modality="fusion"``, ``seed=0``.

    Raises:
        UnknownNameError: No such model or preset; the sentence names the nearest.
        DataError: An option that the builder does not know.
        MissingExtraError: A package that the model needs is not installed.
    """
    target = name if ":" in name else pick(MODELS, name, "model").builder
    module, _, function = target.partition(":")
    try:
        builder: Callable[..., RetrievalModel] = getattr(importlib.import_module(module), function)
    except (ModuleNotFoundError, AttributeError) as error:
        raise UnknownNameError(
            f"The model {name!r} cannot be imported: {error}.", "Write package.module:builder."
        ) from error
    if preset is not None:
        options["preset"] = preset
    try:
        return builder(**options)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise DataError(f"Model {name}: {error}.", "See its builder for the options.") from error
