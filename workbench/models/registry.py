"""The list of models: what each is, what it needs, who builds it; torch comes in with the builder that needs it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from workbench.core.errors import DataError, UnknownNameError
from workbench.core.lookup import pick
from workbench.evaluation.rescoring.protocol import ScoringProtocol
from workbench.models.gallery import Gallery


class RetrievalModel(Protocol):
    """What scoring needs of a model, trained or not.

    Attributes:
        needs: Inputs it looks at: ``frames``, ``ocr``, or both.
        reads: How it wants them: ``n_frames``, and fields of ``pipelines.inputs.InputRules``: ``height`` and ``width``
            in pixels, ``max_words``, ...; what is absent is left to the defaults there.
    """

    needs: frozenset[str]
    reads: Mapping[str, Any]

    def encode(self, gallery: Gallery) -> Any:
        """The videos in the model's own form, once for many captions."""

    def similarity(self, captions: Sequence[str], encoded: Any) -> np.ndarray:
        """float32 [captions, videos], higher is better."""

    def parts(self, captions: Sequence[str], encoded: Any) -> dict[str, np.ndarray]:
        """The similarities that ``similarity`` is made of, by modality; empty where there is one only.

        It is their sum, unless the model says otherwise as ``FusesParts``.
        """


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


@runtime_checkable
class FusesParts(Protocol):
    """A ``RetrievalModel`` whose similarity is not the sum of its parts.

    Attributes:
        protocol: How its scores are made of the parts, as its runs state it; ``parameters["of"]`` names them.
    """

    @property
    def protocol(self) -> ScoringProtocol: ...

    def fuse(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        """The similarity, float32 [captions, videos]; a row depends on its own row of the parts alone."""


@runtime_checkable
class StatesItself(Protocol):
    """A ``RetrievalModel`` without training that says what it computes with, for ``run.json``."""

    def stated(self) -> Mapping[str, Any]:
        """Every option as it was resolved, and what tells its weights from others."""


def fused(model: RetrievalModel, parts: Mapping[str, np.ndarray]) -> np.ndarray:
    """A model's similarity out of its parts, float32 [captions, videos]."""
    return model.fuse(parts) if isinstance(model, FusesParts) else np.asarray(sum(parts.values()), np.float32)


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
    "dual_encoder": ModelCard(
        "CLIP, SigLIP or SigLIP 2 from a local folder, as it is: captions against the mean of the frames, against "
        "sentences of read text, or both",
        "Radford et al. 2021; Zhai et al. 2023; Tschannen et al. 2025; mean pooling as in CLIP4Clip (Luo et al., 2022)",
        "workbench.models.towers.dual:build",
        trains=False,
    ),
    "textvr_zeroshot_ocr": ModelCard(
        "BM25 over read words, read text and frames by a dual encoder, fused by reciprocal ranks; nothing is learned",
        "reciprocal rank fusion of Cormack et al. 2009 over bm25_ocr and dual_encoder",
        "workbench.models.zeroshot_ocr:build",
        trains=False,
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
