"""The list of models: what each is, what it needs, who builds it; torch comes in with the builder that needs it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from workbench.core.lookup import imported, pick
from workbench.evaluation.rescoring.protocol import ScoringProtocol
from workbench.models.gallery import Gallery
from workbench.models.options import check_names


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


@runtime_checkable
class TrainableModel(Protocol):
    """What training needs of a model beside ``RetrievalModel``; ``NetworkModel`` brings all but three of it.

    Training makes inputs ahead, in a thread of its own: they are a function of what is given, without random numbers.

    Its builder takes ``modality`` and ``seed`` by keyword (and ``preset`` where a recipe names one), beside options of
    its own: the recipe's ``options``. What it builds is decided by these alone, so that a checkpoint can be opened
    again from ``run.json``.

    Attributes:
        network: A torch module with ``caption(packed)`` and ``videos(*inputs)``, which give dicts of tensors with rows
            first, and ``parts(caption, videos)``, the similarities [captions, videos] by modality, divided by the
            temperature, whose sum is trained. A parameter ``scale`` is the logarithm of one over the temperature.
        device: Where the network lies; training moves it.
    """

    network: Any

    @property
    def device(self) -> Any: ...

    def caption_inputs(self, captions: Sequence[str]) -> dict[str, Any]:
        """Captions as tensors on the device: what the network's ``caption`` takes."""

    def video_inputs(self, gallery: Gallery) -> tuple[Any, ...]:
        """Videos as tensors on the device: what the network's ``videos`` takes."""

    def save(self, folder: Path) -> None:
        """Write ``model.safetensors``: the network's ``state_dict``."""


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
        ready: Whether it scores without training.
        options: ``module:function`` that names the options of a preset; None = the builder's own arguments.
    """

    sentence: str
    source: str
    builder: str
    trains: bool
    ready: bool = True
    options: str | None = None


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
        ready=False,
        options="workbench.models.textvr_fusion:option_names",
    ),
    "dual_encoder": ModelCard(
        "CLIP, SigLIP or SigLIP 2 from a local folder, as it is: captions against the mean of the frames, against "
        "sentences of read text, or both",
        "Radford et al. 2021; Zhai et al. 2023; Tschannen et al. 2025; mean pooling as in CLIP4Clip (Luo et al., 2022)",
        "workbench.models.towers.dual:build",
        trains=True,
        options="workbench.models.towers.dual:option_names",
    ),
    "clip_ocr_window": ModelCard(
        "CLIP or SigLIP with a sentence of read text for every frame, or with read words: mean of captions against "
        "frames, against texts, and against both fused",
        "TCD (AAAI 2026, doi 10.1609/aaai.v40i16.38335) as far as it is published; Radford et al. 2021",
        "workbench.models.clip_ocr_window:build",
        trains=True,
        ready=False,
        options="workbench.models.clip_ocr_window:option_names",
    ),
    "textvr_zeroshot_ocr": ModelCard(
        "BM25 over read words, read text and frames by a dual encoder, fused by reciprocal ranks; nothing is learned",
        "reciprocal rank fusion of Cormack et al. 2009 over bm25_ocr and dual_encoder",
        "workbench.models.zeroshot_ocr:build",
        trains=False,
        options="workbench.models.zeroshot_ocr:option_names",
    ),
}


def is_ready(name: str) -> bool:
    """Whether a name is that of a model that scores without training; a builder from outside the tree says it is."""
    return ":" in name or (name in MODELS and MODELS[name].ready)


def check_options(name: str, options: Mapping[str, Any], *, preset: str | None = None) -> None:
    """Refuse an option that a model does not have, before anything is built.

    Args:
        name: As of ``build_model``.
        options: By name.
        preset: As of ``build_model``.

    Raises:
        UnknownNameError: No such model or preset.
        DataError: An option that it does not know; the sentence names the nearest.
    """
    card = None if ":" in name else pick(MODELS, name, "model")
    if card is not None and card.options is not None:
        known = imported(card.options, "model")(preset)
    else:
        known = _arguments(_builder(name))
    if known is not None:
        check_names(options, known, f"The model {name}")


def _arguments(builder: Callable[..., Any]) -> set[str] | None:
    """Names of a builder's arguments; None where it takes any."""
    found = inspect.signature(builder).parameters.values()
    return None if any(one.kind is one.VAR_KEYWORD for one in found) else {one.name for one in found}


def _builder(name: str) -> Callable[..., RetrievalModel]:
    builder: Callable[..., RetrievalModel] = imported(
        name if ":" in name else pick(MODELS, name, "model").builder, "model"
    )
    return builder


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
    builder = _builder(name)
    if preset is not None:
        options["preset"] = preset
    check_options(name, {key: value for key, value in options.items() if key != "preset"}, preset=preset)
    return builder(**options)
