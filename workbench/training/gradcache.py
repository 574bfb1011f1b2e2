"""Gradients of a large batch in the memory of a small one: embeddings first, their gradients, then chunk by chunk.

Source: Gao et al. 2021 (GradCache, arXiv 2101.06983); here the similarity is cut into tiles in the same way, as
token-wise interaction needs more memory than the embeddings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from workbench.core.optional import need
from workbench.models.world import Tensors, World
from workbench.training.engine import Engine
from workbench.training.packing import Chunk


@dataclass
class _Cached:
    """A computation that is made twice with the same random numbers: without its graph, then with it.

    Attributes:
        make: Makes the tensors.
        device: Where it draws random numbers beside the CPU.
        leaves: Its results, cut off from their graph and in float32 at least; gradients gather in them.
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
        self.leaves = {name: _leaf(one) for name, one in made.items()}

    def backward(self) -> None:
        """Make it again with its graph and send the gathered gradients on."""
        torch = need("torch", "Training")
        with self._replayed():
            made = self.make()
        pairs = [(made[name], leaf.grad) for name, leaf in self.leaves.items() if leaf.grad is not None]
        pairs = [(one, gradient.to(one.dtype)) for one, gradient in pairs if one.requires_grad]
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


@dataclass
class _Gallery:
    """The videos of all ranks in chunks, cut off from the chunks of this one, which has encoded its share of them.

    Attributes:
        own: This rank's chunks.
        world: The ranks.
        micro_batch: Videos per chunk.
        chunks: The leaves of all ranks' videos, in their order; one process has its own chunks, as they are.
        whole: With the way back to this rank's chunks; empty with one process.
    """

    own: list[_Cached]
    world: World
    micro_batch: int
    chunks: list[Tensors] = field(init=False)
    whole: Tensors = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.chunks = [one.leaves for one in self.own]
        if self.world.size == 1:
            return
        from workbench.models.collectives import joined_rows

        self.whole = self.world.gather(joined_rows(self.chunks))
        n = len(next(iter(self.whole.values())))
        spans = [slice(at, at + self.micro_batch) for at in range(0, n, self.micro_batch)]
        self.chunks = [{name: _leaf(one[span]) for name, one in self.whole.items()} for span in spans]

    def backward(self) -> None:
        """Send the gradients of all videos to the ranks that encoded them, and there into their chunks."""
        torch = need("torch", "Training")
        for name, one in self.whole.items():
            if one.requires_grad:
                leaves = [chunk[name] for chunk in self.chunks]
                one.backward(torch.cat([torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]))


def cached_backward(
    chunks: Sequence[Chunk], device: Any, micro_batch: int, engine: Engine, send_back: Callable[[Tensors], Any]
) -> Any:  # fmt: skip
    """Add the gradients of a whole batch's loss to the parameters, holding the graph of one chunk or tile at a time.

    Layers whose output depends on the other rows of the batch (batch normalisation) are outside of what this can equal.

    Args:
        chunks: This rank's captions and videos.
        device: That computes.
        micro_batch: Videos, and captions, per chunk.
        engine: How products are made, and the ranks.
        send_back: From the similarities [captions, all videos] of each modality to the loss; gradients gather in them.

    Returns:
        The loss, a tensor without graph.
    """

    def cached(make: Callable[..., Tensors], *inputs: Any) -> _Cached:
        return _Cached(lambda: _made(make, inputs, engine, device), device)

    def read(chunk: Chunk) -> Tensors:
        return engine.calls.caption(chunk.texts())

    def look(chunk: Chunk) -> Tensors:
        return engine.calls.videos(*chunk.looks())

    captions = [cached(read, one) for one in chunks]
    videos = [cached(look, one) for one in chunks]
    gallery = _Gallery(videos, engine.world, micro_batch)
    tiles = [[cached(engine.calls.parts, one.leaves, two) for two in gallery.chunks] for one in captions]
    loss = send_back({name: _joined(tiles, name) for name in tiles[0][0].leaves})
    for row in tiles:
        for tile in row:
            tile.backward()
    gallery.backward()
    for chunk in (*captions, *videos):
        chunk.backward()
    return loss


def _made(make: Callable[..., Tensors], inputs: Sequence[Any], engine: Engine, device: Any) -> Tensors:
    """In the engine's precision, by itself each time: autocast keeps what it has cast, graph or no graph."""
    with engine.products(device):
        return make(*inputs)


def _leaf(tensor: Any) -> Any:
    """A tensor cut off from its graph, in which gradients add up in float32 at least."""
    torch = need("torch", "Training")
    if not tensor.is_floating_point():
        return tensor.detach()
    return tensor.detach().to(torch.promote_types(tensor.dtype, torch.float32)).requires_grad_()


def _joined(tiles: list[list[_Cached]], name: str) -> Any:
    torch = need("torch", "Training")
    return torch.cat([torch.cat([tile.leaves[name] for tile in row], 1) for row in tiles])
