"""Counting blocks of scores on the device where a model computed them; only integers and short lists leave it."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.optional import need
from workbench.evaluation.ranks.counters import Part, RunningTops, Two

LEVELS_AT_ONCE = 1 << 26  # scores that are copied to compare them with levels of right pairs: 256 MiB
LAST = (1 << 31) - 1  # positions are stored as LAST - position, so that of equal scores the first one is the largest


class DeviceCounter:
    """A ``Counter`` of torch tensors on one device, GPU or CPU; see ``workbench.evaluation.ranks.counters``."""

    workers = 1
    block_items: int | None = 1 << 24  # 64 MiB of float32

    def __init__(self, device: Any) -> None:
        self._torch = need("torch", "Counting on a GPU")
        self.device = self._torch.device(device)

    def block(self, scores: Any) -> Any:
        return self._torch.as_tensor(scores, dtype=self._torch.float32, device=self.device)

    def pick(self, block: Any, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return block[self._here(rows), self._here(columns)].cpu().numpy()

    def count(
        self, block: Any, part: Part, row_best: np.ndarray, column_best: np.ndarray, columns: np.ndarray
    ) -> tuple[np.ndarray, int]:
        rows = self._beside(block, self._here(row_best)[:, None], 1)
        best = block if part.starts is None else self.without_right(self._best(block, part), part)
        columns += self._beside(best, self._here(column_best)[None, :], 0)
        return rows.astype(np.int32), int((~(block < float("inf"))).sum())

    def row_tops(self, block: Any, size: int) -> Two:
        numbers = self._torch.arange(block.shape[1], device=self.device)[None, :]
        return self.unpacked(self.packed(block, numbers).topk(size, dim=1).values)

    def best_of_groups(self, block: Any, part: Part) -> tuple[Any, Any]:
        torch = self._torch
        numbers = self._here(part.numbers)[:, None]
        if part.starts is None:
            return block, numbers
        group = self._groups(part, block.shape[1])
        best = self._best(block, part)
        origin = torch.full(best.shape, LAST, device=self.device, dtype=torch.int64)
        first = torch.where(block == best.gather(0, group), numbers, LAST)
        return best, origin.scatter_reduce_(0, group, first, "amin")

    def levels(self, block: Any, axis: int, at: np.ndarray, edges: np.ndarray) -> np.ndarray:
        step = max(1, LEVELS_AT_ONCE // block.shape[1 - axis])
        counts = np.zeros((2, len(at)), np.int64)
        for start in range(0, len(at), step):
            some = slice(start, start + step)
            lines = block.index_select(axis, self._here(at[some]))
            edge = self._here(edges[some]).unsqueeze(1 - axis)
            counts[:, some] = self._beside(lines, edge, 1 - axis)
        return counts

    def without_right(self, best: Any, part: Part) -> Any:
        best[self._here(part.groups), self._here(part.columns)] = float("-inf")
        return best

    def running_tops(self, n_columns: int, size: int) -> RunningTops:
        return _DeviceTops(self, n_columns, size)

    def packed(self, scores: Any, numbers: Any) -> Any:
        """int64 keys that order as the scores do, equal scores by falling number; +0 and -0 are equal.

        A float32 orders as its bits do, read as an integer, when those below the sign are turned for negative ones.
        """
        torch = self._torch
        bits = (scores + 0.0).view(torch.int32)
        ordered = bits ^ ((bits >> 31) & LAST)
        return (ordered.to(torch.int64) << 32) | (LAST - numbers)

    def unpacked(self, keys: Any) -> Two:
        """Numbers (int32) and scores (float32) of keys."""
        torch = self._torch
        numbers = LAST - (keys & 0xFFFFFFFF)
        ordered = (keys >> 32).to(torch.int32)
        scores = (ordered ^ ((ordered >> 31) & LAST)).view(torch.float32)
        return numbers.to(torch.int32).cpu().numpy(), scores.cpu().numpy()

    def _groups(self, part: Part, n_columns: int) -> Any:
        """int64 [rows, columns]: the group of every row in the block."""
        sizes = np.diff(part.starts) if part.starts is not None else np.ones(len(part.numbers), int)
        return self._here(np.repeat(np.arange(len(sizes)), sizes))[:, None].expand(-1, n_columns)

    def _best(self, block: Any, part: Part) -> Any:
        group = self._groups(part, block.shape[1])
        best = self._torch.full((int(group[-1, 0]) + 1, block.shape[1]), float("-inf"), device=self.device)
        return best.scatter_reduce_(0, group, block, "amax")

    def _beside(self, block: Any, edges: Any, axis: int) -> np.ndarray:
        return self._torch.stack([(block > edges).sum(axis), (block == edges).sum(axis)]).cpu().numpy()

    def _here(self, values: np.ndarray | None) -> Any:
        return self._torch.as_tensor(values, device=self.device)


class _DeviceTops:
    """Running lists as keys on the device."""

    def __init__(self, counter: DeviceCounter, n_columns: int, size: int) -> None:
        torch = need("torch", "Counting on a GPU")
        empty = torch.full((1, 1), -torch.inf, device=counter.device)
        self._counter, self._torch = counter, torch
        self._keys = counter.packed(empty, torch.full((1, 1), LAST, device=counter.device)).expand(size, n_columns)

    def add(self, best: Any, origin: Any) -> None:
        size = len(self._keys)
        new = self._counter.packed(best, origin)
        if len(new) > size:
            new = new.topk(size, dim=0).values
        self._keys = self._torch.cat([self._keys, new]).topk(size, dim=0).values

    def found(self) -> Two:
        return self._counter.unpacked(self._keys.T.contiguous())
