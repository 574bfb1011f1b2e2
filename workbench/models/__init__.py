"""Layer 3: encoders and scorers; the only place, with training, of torch. ``MODELS`` lists what can be built."""

from __future__ import annotations

from workbench.models.base import NetworkModel
from workbench.models.gallery import Gallery, Words
from workbench.models.registry import MODELS, ModelCard, RetrievalModel, TrainableModel, build_model

__all__ = [
    "MODELS",
    "Gallery",
    "ModelCard",
    "NetworkModel",
    "RetrievalModel",
    "TrainableModel",
    "Words",
    "build_model",
]
