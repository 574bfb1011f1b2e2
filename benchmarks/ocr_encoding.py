"""Read words through StarVR's text tower: each different word once, against word by word and video by video."""

from __future__ import annotations

import string
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.report import Report
from benchmarks.word_matching import sentences, vocabulary
from workbench.core.optional import need
from workbench.core.seeds import generator
from workbench.models.textvr_fusion.starvr.options import StarvrOptions
from workbench.models.textvr_fusion.starvr.pieces import WordPieces

N_WORDS, N_VIDEOS, N_GALLERY, MEAN_WORDS, THREADS = 30_000, 64, 2_727, 60, 2
SAMPLE_WORDS, SAMPLE_VIDEOS = 60, 3
FLOOR, REPEATS = 10, 2


def made_pieces(words: Sequence[str], folder: Path) -> WordPieces:
    """A vocabulary in which every other word is a piece of its own and the rest fall into letters and pairs."""
    letters = list(string.ascii_lowercase)
    pairs = [one + other for one in letters for other in letters]
    kept = dict.fromkeys([*letters, *pairs, *words[::2]])
    lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *kept, *(f"##{one}" for one in [*letters, *pairs])]
    options = StarvrOptions()
    (folder / "vocab.txt").write_text("\n".join(lines[: options.vocabulary]) + "\n", encoding="utf-8")
    return WordPieces(folder, options.vocabulary, options.positions)


def fastest(function: Callable[[], object], repeats: int = REPEATS) -> float:
    """Seconds of the fastest of some calls."""
    took = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        took.append(time.perf_counter() - start)
    return min(took)


def ocr_encoding(report: Report) -> None:
    """Time the three ways on made words whose frequencies follow Zipf's law, and append a table."""
    torch = need("torch", "This benchmark")
    from workbench.models.textvr_fusion.starvr.network import text_tower

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    draw = generator(0, "bench, ocr encoding")
    words = vocabulary(N_WORDS, draw)
    videos = [list(dict.fromkeys(one)) for one in sentences(words, N_VIDEOS, MEAN_WORDS, draw)]
    with tempfile.TemporaryDirectory() as folder:
        pieces = made_pieces(words, Path(folder))
    tower = text_tower(StarvrOptions()).eval()
    packed = {name: torch.from_numpy(value) for name, value in pieces.packed(videos).items()}
    flat = pieces.ids([word for one in videos for word in one])
    longest = max(map(len, flat))

    def ours() -> torch.Tensor:
        return tower.texts(packed)[packed["text"]]

    def word_by_word() -> list[torch.Tensor]:
        return [tower(input_ids=torch.tensor([one])).last_hidden_state[:, 0] for one in flat[:SAMPLE_WORDS]]

    def video_by_video() -> list[torch.Tensor]:
        """As the release does it: every video's words in one call, padded to the longest word of the batch."""
        return [tower(**padded(pieces.ids(one), longest)).last_hidden_state[:, 0] for one in videos[:SAMPLE_VIDEOS]]

    def padded(ids: list[tuple[int, ...]], width: int) -> dict[str, object]:
        mask = torch.tensor([[1] * len(one) + [0] * (width - len(one)) for one in ids])
        return {"input_ids": torch.tensor([[*one] + [0] * (width - len(one)) for one in ids]), "attention_mask": mask}

    with torch.inference_mode():
        whole = ours()
        others = [torch.cat(one()) for one in (word_by_word, video_by_video)]
        apart = max(float((one - whole[: len(one)]).abs().max()) for one in others)
        once = fastest(ours)
        singly = fastest(word_by_word) * len(flat) / SAMPLE_WORDS
        n_sampled = sum(len(one) for one in videos[:SAMPLE_VIDEOS])
        released = fastest(video_by_video) * len(flat) / n_sampled
    gallery = sentences(words, N_GALLERY, MEAN_WORDS, generator(0, "bench, ocr encoding, gallery"))
    gallery = [list(dict.fromkeys(one)) for one in gallery]
    n_flat, n_different = sum(map(len, gallery)), len({word for one in gallery for word in one})
    lengths = np.asarray([len(one) for one in flat])
    report.say(
        f"## Read words through DistilBERT ({N_VIDEOS} videos, {len(flat):,} words)", "",
        f"{len(packed['ids']):,} of the words are different; {lengths.mean():.1f} pieces per word, {longest} at most."
        f" The published size (66 M weights, random), {THREADS} threads, inference, fastest of {REPEATS}; the others"
        f" from {SAMPLE_WORDS} words and {SAMPLE_VIDEOS} videos. All agree to {apart:.0e}. A gallery of"
        f" {N_GALLERY:,} videos has {n_flat:,} words, {n_different:,} of them different: its column follows from the"
        " counts.",
    )  # fmt: skip
    report.header("how", "words per s", "s", "times ours", f"times ours, {N_GALLERY:,} videos")
    for how, seconds in (
        ("each different word once, by length, unpadded (ours)", once),
        ("video by video, padded to the batch's longest word (the release)", released),
        ("word by word", singly),
    ):
        whole_gallery = seconds / len(flat) * n_flat / (once / len(packed["ids"]) * n_different)
        shown = "1.0" if seconds is once else f"{whole_gallery:.1f}"
        report.row(how, f"{len(flat) / seconds:,.0f}", f"{seconds:.1f}", f"{seconds / once:.1f}", shown)
    report.floor(f"at least {FLOOR} times as fast as word by word", singly >= FLOOR * once)
