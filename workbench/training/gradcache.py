"""Gradients of a large batch in the memory of a small one: embeddings first, their gradients, then chunk by chunk.

Source: Gao et al. 2021 (GradCache, arXiv 2101.06983); here the similarity is cut into tiles in the same way, as
token-wise interaction needs more memory than the embeddings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from workbench.core.optional import need

Tensors = dict[str, Any]
"""Tensors by name, rows first."""


@dataclass
class _Cached:
    """A computation that is made twice with the same random numbers: without its graph, then with it.

    Attributes:
        make: Makes the tensors.
        device: Where it draws random numbers beside the CPU.
        leaves: Its results, cut off from their graph; gradients gather in them.
        state: Of the random numbers before the first time.
    """

    make: Callable[[], Tensors]
    device: Any
    leaves: Tensors = field(init=False)
    state: tuple[Any, Any] = field(init=False)

    def __post_init__(self) -> None:
        torch = need("torch", "Training")
        on_gpu = self.device.type == "cuda"
        self.state = (torch.get_rng_state(), torch.cuda.get_rng_state(self.device) if on_gpu else None)
        with torch.no_grad():
            made = self.make()
        self.leaves = {name: one.detach().requires_grad_(one.is_floating_point()) for name, one in made.items()}

    def backward(self) -> None:
        """Make it again with its graph and send the gathered gradients on."""
        torch = need("torch", "Training")
        with self._replayed():
            made = self.make()
        pairs = [(made[name], leaf.grad) for name, leaf in self.leaves.items() if leaf.grad is not None]
        pairs = [(one, gradient) for one, gradient in pairs if one.requires_grad]
        if pairs:
            torch.autograd.backward([one for one, _ in pairs], [gradient for _, gradient in pairs])

    @contextmanager
    def _replayed(self) -> Iterator[None]:
        torch = need("torch", "Training")
        cpu, gpu = self.state
        with torch.random.fork_rng(devices=[] if gpu is None else [self.device]):
            torch.set_rng_state(cpu)
            if gpu is not None:
                torch.cuda.set_rng_state(gpu, self.device)
            yield


def cached_backward(model: Any, batch: Any, micro_batch: int, loss_of: Callable[[list[Any]], Any]) -> Any:
    """Add the gradients of a whole batch's loss to the parameters, holding the graph of one chunk or tile at a time.

    Layers whose output depends on the other rows of the batch (batch normalisation) are outside of what this can equal.

    Args:
        model: With ``caption_inputs``, ``video_inputs``, ``device`` and a ``network`` of ``caption``, ``videos`` and
            ``parts``.
        batch: A ``Batch`` of n captions and videos.
        micro_batch: Videos, and captions, per chunk.
        loss_of: From the similarities [n, n] of each modality to the loss.

    Returns:
        The loss, a tensor without graph.
    """
    network, device = model.network, model.device
    spans = [slice(at, at + micro_batch) for at in range(0, len(batch.captions), micro_batch)]
    captions = [_Cached(lambda span=span: _captions(model, batch, span), device) for span in spans]  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    videos = [_Cached(lambda span=span: _videos(model, batch, span), device) for span in spans]  # type: ignore[misc]  # as above
    tiles = [
        [_Cached(lambda one=one, two=two: network.parts(one.leaves, two.leaves), device) for two in videos]  # type: ignore[misc]  # as above
        for one in captions
    ]
    loss = loss_of([_joined(tiles, name) for name in tiles[0][0].leaves])
    loss.backward()
    for row in tiles:
        for tile in row:
            tile.backward()
    for chunk in (*captions, *videos):
        chunk.backward()
    return loss.detach()


def _joined(tiles: list[list[_Cached]], name: str) -> Any:
    torch = need("torch", "Training")
    return torch.cat([torch.cat([tile.leaves[name] for tile in row], 1) for row in tiles])


def _captions(model: Any, batch: Any, span: slice) -> Tensors:
    found: Tensors = model.network.caption(model.caption_inputs(batch.captions[span]))
    return found


def _videos(model: Any, batch: Any, span: slice) -> Tensors:
    rows = range(len(batch.captions))[span]
    found: Tensors = model.network.videos(*model.video_inputs(batch.gallery.take(rows)))
    return found
