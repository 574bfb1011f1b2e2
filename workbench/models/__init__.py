"""Layer 3: encoders and scorers; the only place, with training, of torch. ``MODELS`` lists what can be built."""

from __future__ import annotations

from workbench.models.gallery import Gallery, Words
from workbench.models.registry import MODELS, ModelCard, RetrievalModel, build_model

__all__ = ["MODELS", "Gallery", "ModelCard", "RetrievalModel", "Words", "build_model"]
