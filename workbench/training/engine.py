"""What a step needs beside model, batch and optimiser: the world, the precision, the learned bias, compiled code."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from workbench.core.errors import StateError
from workbench.core.optional import has, need
from workbench.models.encoding import SeesFrameByFrame
from workbench.models.world import Tensors, World
from workbench.training.recipes import Recipe

BIAS = -10.0
"""Where a learned bias of the sigmoid loss starts. Source: Zhai et al. 2023 (SigLIP), section 3.2."""

COMPILE_STEPS = 2000
"""From which on ``compile: auto`` compiles: a minute or two, at some hundredths of a second less per step."""

HALVES = {"bf16": "bfloat16", "fp16": "float16"}
"""torch's names of the precisions below float32."""


@dataclass(frozen=True)
class Calls:
    """The three parts of a network's way forward.

    Attributes:
        caption: From the inputs of captions to their tokens.
        videos: From the inputs of videos to theirs.
        parts: From both to similarities [captions, videos] by modality.
    """

    caption: Callable[..., Tensors]
    videos: Callable[..., Tensors]
    parts: Callable[[Tensors, Tensors], Tensors]


@dataclass(frozen=True)
class Engine:
    """How steps are made; ``engine_of`` makes it once, before the first step.

    Attributes:
        calls: The network's way forward, compiled where the recipe says so.
        world: The processes that share each batch.
        precision: ``float32``, ``bf16`` or ``fp16``: of products; weights, sums and losses stay as they are.
        bias: The learned bias of the sigmoid loss, a parameter; None = the recipe's number.
        scaler: Keeps gradients of fp16 above zero; without fp16 it does nothing.
    """

    calls: Calls
    world: World = field(default_factory=World)
    precision: str = "float32"
    bias: Any = None
    scaler: Any = None

    def products(self, device: Any) -> AbstractContextManager[Any]:
        """Inside, products are made in the engine's precision."""
        if self.precision == "float32":
            return nullcontext()
        torch = need("torch", "Training")
        return torch.autocast(device.type, getattr(torch, HALVES[self.precision]))

    def send_back(self, loss: Any) -> None:
        """Gradients of the loss of the whole batch, of which each rank sends back an equal part."""
        if self.scaler is not None:
            loss = self.scaler.scale(loss)
        (loss / self.world.size if self.world.size > 1 else loss).backward()

    def weights(self, network: Any) -> list[Any]:
        """Everything that has a gradient."""
        return [*network.parameters(), *([] if self.bias is None else [self.bias])]

    def step(self, optimiser: Any, network: Any, clip: float | None) -> None:
        """Change the weights by their gradients; not at all where those of fp16 have overflown.

        Args:
            optimiser: Over the weights.
            network: Whose they are.
            clip: Longest gradient, as a norm over all weights; None = no limit.
        """
        torch = need("torch", "Training")
        if self.scaler is not None:
            self.scaler.unscale_(optimiser)
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(self.weights(network), clip)
        if self.scaler is None:
            optimiser.step()
            return
        self.scaler.step(optimiser)
        self.scaler.update()

    def spread(self, network: Any, optimiser: Any) -> None:
        """Bring all ranks to where the first one is, at the start or after a resume; every rank calls it.

        Raises:
            StateError: Another process ended.
        """
        if self.world.size == 1:
            return
        torch = need("torch", "Training")
        packed = io.BytesIO()
        if self.world.first:
            torch.save((optimiser.state_dict(), self.state()), packed)
        received = io.BytesIO(self.world.told(packed.getvalue()))
        self.world.copy_first([*network.parameters(), *network.buffers()])
        if not self.world.first:
            state, kept = torch.load(received, map_location="cpu", weights_only=True)
            optimiser.load_state_dict(state)
            self.restore(kept)

    def state(self) -> dict[str, Any]:
        """What a checkpoint must keep of it beside network and optimiser, as JSON knows it."""
        kept = {} if self.bias is None else {"bias": float(self.bias.detach())}
        return kept | ({} if self.scaler is None else {"scaler": self.scaler.state_dict()})

    def restore(self, kept: dict[str, Any]) -> None:
        """Put back what ``state`` gave; before ``optimiser.exchange``."""
        torch = need("torch", "Training")
        if self.bias is not None:
            with torch.no_grad():
                self.bias.fill_(kept["bias"])
        if self.scaler is not None:
            self.scaler.load_state_dict(kept["scaler"])


def plain_engine(network: Any, recipe: Recipe) -> Engine:
    """One process and nothing to remember between steps.

    Raises:
        StateError: The recipe asks for something that ``engine_of`` must prepare.
    """
    asked = {
        "precision: fp16": recipe.precision == "fp16",
        "sigmoid_bias: learned": _learns_bias(recipe),
        "compile": recipe.compile is True,
        "activation_checkpointing": recipe.activation_checkpointing,
    }
    if missing := [key for key, is_asked in asked.items() if is_asked]:
        raise StateError(
            f"The recipe's {missing[0]} must be prepared.",
            "Call workbench.training.engine.engine_of before the first step, and give its engine to each step.",
        )
    return Engine(_calls(network), precision=recipe.precision)


def engine_of(model: Any, optimiser: Any, recipe: Recipe, world: World | None = None) -> Engine:
    """What the recipe asks of each step; call it once, after ``optimiser_of`` and before a checkpoint is restored.

    A learned bias becomes a group of the optimiser, without weight decay.

    Args:
        model: Its network lies on the device that trains.
        optimiser: From ``optimiser_of``.
        recipe: Says ``precision``, ``compile``, ``activation_checkpointing`` and ``sigmoid_bias``.
        world: The processes that share each batch; None = this one alone.

    Raises:
        StateError: No tower of the model can compute its activations again.
    """
    torch = need("torch", "Training")
    network, bias = model.network, None
    if recipe.activation_checkpointing and not _recompute(network):
        raise StateError(
            f"No tower of {recipe.model} can compute its activations again.",
            "Take activation_checkpointing out of the recipe.",
        )
    if _learns_bias(recipe):
        like = next(network.parameters())
        bias = torch.nn.Parameter(like.new_tensor(BIAS))
        optimiser.add_param_group({"params": [bias], "weight_decay": 0.0})
    scaler = torch.amp.GradScaler(model.device.type) if recipe.precision == "fp16" else None
    calls = _calls(network)
    if compiles(recipe, model)[0]:
        calls = Calls(torch.compile(calls.caption), torch.compile(calls.videos), torch.compile(calls.parts))
    return Engine(calls, world or World(), recipe.precision, bias, scaler)


def compiles(recipe: Recipe, model: Any) -> tuple[bool, str]:
    """Whether the network is compiled, and why (or why not).

    Args:
        recipe: Says ``compile`` and ``steps``.
        model: Its network lies on the device that trains.
    """
    if recipe.compile != "auto":
        return bool(recipe.compile), "the recipe says so"
    if model.device.type != "cuda":
        return False, "it pays on a GPU only"
    if "frames" not in model.needs or (isinstance(model, SeesFrameByFrame) and model.frozen_frames):
        return False, "no tower of frames is trained"
    if recipe.steps < COMPILE_STEPS:
        return False, f"{recipe.steps:,} steps are over before it pays ({COMPILE_STEPS:,})"
    if not has("triton") or not any(map(shutil.which, ("cc", "gcc", "clang"))):
        return False, "it needs triton and a C compiler, which this machine lacks"
    return True, f"{recipe.steps:,} steps on a GPU repay the minutes that it takes"


def _calls(network: Any) -> Calls:
    return Calls(network.caption, network.videos, network.parts)


def _learns_bias(recipe: Recipe) -> bool:
    return recipe.loss == "sigmoid" and recipe.sigmoid_bias == "learned"


@runtime_checkable
class _Tower(Protocol):
    """One of our towers that can compute its activations again."""

    checkpointing: bool


@runtime_checkable
class _HuggingFaceTower(Protocol):
    """One of transformers' models."""

    supports_gradient_checkpointing: bool

    def gradient_checkpointing_enable(self, kwargs: dict[str, Any]) -> None:
        """Compute the activations of each layer again."""


def _recompute(module: Any) -> int:
    """Have every tower that can do so compute its activations again instead of keeping them; returns how many can."""
    if isinstance(module, _Tower):
        module.checkpointing = True
        return 1
    if isinstance(module, _HuggingFaceTower) and module.supports_gradient_checkpointing:
        new_name = getattr(module, "activation_checkpointing_enable", None)  # of later versions of transformers 5
        (new_name or module.gradient_checkpointing_enable)({"use_reentrant": False})
        return 1
    return sum(_recompute(child) for child in module.children())
