"""The network of StarVR: a caption's vector, and a video's out of its frames and the words read in it.

Letters: B captions, V videos, T frames, O the most words of a video, U different texts, L word pieces, D dimensions,
P dimensions of the common space. The parameters are called as in the authors' checkpoints, so that they load by name.

    t = W_t relu(h_CLS(caption)) + b_t
    o_i = h_CLS(word_i) + W_p p_i + b_p                      (ocr: without W_p p_i + b_p)
    X = [q; v; o_1 ... o_O] + type                           (ocr: X = [q; o_1 ... o_O])
    f = q + Attn(X)[0]
    e = W_f relu(f) + b_f                                    (vision: e = W_v v + b_v)
    s = cos(t, e)

Source: spec/textvr.md, sections 3.2 to 3.4 (arXiv 2305.03347). That is the fusion ``bare``. Ours instead of f and s:

    block   f = Blocks(X)[0]                               (``models.fusion.network``)
    score   f of [q; o_1 ... o_O], as ocr but with places; s = a cos(t, W_v v + b_v) + (1 - a) cos(t, e), a learned

and instead of words and of the space-time transformer:

    ocr windows     o_i is the sentence of a window; a row w_i of a table of times instead of W_p p_i + b_p
    vision FOLDER   v = LN(W |mean_t f_t| + b), f_t a frame's vector of length 1 by a CLIP or SigLIP
    vision small    the same, f_t by a small convolution
    text FOLDER     LN(W h + b) instead of h_CLS, h a text's vector of length 1 by a CLIP or SigLIP
    text small      LN(mean_g e_g) instead of h_CLS, e_g the vectors of a text's n-grams
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import DistilBertConfig

from workbench.models.fusion.network import ModalityDropout, fusion_of, gathered, shares_of
from workbench.models.reading import PLACE_NUMBERS
from workbench.models.textvr_fusion.starvr.options import StarvrOptions
from workbench.models.towers.choices import DISTILBERT, SPACE_TIME
from workbench.models.towers.dual.opened import Opened, Pictured
from workbench.models.towers.frames.network import who_sees
from workbench.models.towers.space_time import build_tower
from workbench.models.towers.space_time.network import Pixels
from workbench.models.towers.texts.network import BertTexts, FolderTexts, GramTexts, Reads

TEMPERATURE = 0.05
NORM_LIMIT = 1e-8
QUERY, VIDEO, WORD = 0, 1, 2  # rows of the table of types


def text_tower(options: StarvrOptions, opened: Opened | None = None) -> Reads:
    """Who reads captions, or words; with random weights but for those of a folder, ``opened``."""
    if opened is not None:
        return FolderTexts(opened, options.dim)
    if options.text != DISTILBERT:
        return GramTexts(options.vocabulary, options.dim)
    config = DistilBertConfig(
        vocab_size=options.vocabulary, max_position_embeddings=options.positions, n_layers=options.text_depth,
        n_heads=options.text_heads, dim=options.dim, hidden_dim=4 * options.dim, dropout=options.dropout,
        attention_dropout=options.dropout,
    )  # fmt: skip
    return BertTexts(config)


def video_tower(options: StarvrOptions, pictures: Pictured | None = None) -> nn.Module:
    """Who sees; with random weights but for those of a folder, ``pictures``."""
    dim = options.dim
    if options.vision == SPACE_TIME:
        return build_tower(
            "vit_b16", image_size=options.image_size, patch_size=options.patch_size, width=dim, depth=options.depth,
            heads=options.heads, n_frames=options.n_frames, time_init=options.time_init,
        )  # fmt: skip
    tower = who_sees(options.vision, pictures, dim=dim, n_frames=options.n_frames)
    tower.lift = nn.Sequential(nn.Linear(tower.width, dim), nn.LayerNorm(dim))
    return tower


class Network(nn.Module):
    """Captions and videos in one space, compared by their cosine.

    Args:
        options: Sizes and choices.
        pictures: What lies in the folder ``options.vision``; None = it is none.
        reading: What lies in the folder ``options.text``; None = it is none.
    """

    def __init__(self, options: StarvrOptions, pictures: Pictured | None = None, reading: Opened | None = None) -> None:
        super().__init__()
        dim, projection = options.dim, options.projection
        self.modality, self.fusion = options.modality, options.fusion
        self.drop = ModalityDropout(options.modality_dropout)
        self.vision, self.ocr = options.modality != "ocr", options.modality != "vision"
        self.text_model = text_tower(options, reading)
        self.txt_proj = nn.Sequential(nn.ReLU(), nn.Linear(dim, projection))
        if self.vision:
            self.timed = options.vision == SPACE_TIME
            self.video_model: Any = video_tower(options, pictures)
            self.vid_proj = nn.Sequential(nn.Linear(dim, projection))
        if self.ocr:
            again = None if reading is None else replace(reading, model=deepcopy(reading.model))
            self.ocr_model = text_tower(options, again)
            self.fusion_model = fusion_of(options.fusion, dim, options.fusion_heads, options.fusion_depth)
            self.query_token = nn.Parameter(torch.zeros(1, dim))
            self.fusion_proj = nn.Sequential(nn.ReLU(), nn.Linear(dim, projection))
        if self.vision and self.ocr:
            if options.fusion == "score":
                self.balance = nn.Parameter(torch.zeros(2))
            else:
                self.type_embedding = nn.Embedding(3, dim)
                self.vid_proj.requires_grad_(False)  # published, but no loss reaches it: it stays as it was loaded
            windows = options.ocr == "windows"
            self.ocr_pos_embeds = nn.Embedding(options.n_frames, dim) if windows else nn.Linear(PLACE_NUMBERS, dim)
        self.scale = nn.Parameter(torch.tensor(-math.log(TEMPERATURE)))
        self.pixels = Pixels()

    def caption(self, packed: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """``text`` [B, P] of captions as ``towers.texts.pieces.Pieces.packed`` gives them, one text in each list."""
        return {"text": self.txt_proj(self.text_model.texts(packed))[packed["text"]]}

    def videos(
        self, frames: torch.Tensor | None, packed: dict[str, torch.Tensor], place: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """What a video is compared by: ``video`` [V, P]; of the fusion ``score`` ``vision`` and ``ocr`` [V, P].

        Args:
            frames: uint8 [V, T, height, width, 3]; None for modality ``ocr``.
            packed: Their words, as ``towers.texts.pieces.Pieces.packed`` gives them, at least one per video; ``read``,
                bool [V]: where it is not the blank word; and, where those are known, ``vectors``, their
                ``word_vectors``.
            place: Float [words, 12], in the same order; of windows int64 [windows], their rows of time.
        """
        seen = self._seen(frames) if self.vision and frames is not None else None
        if not self.ocr:
            return {"video": self.vid_proj(seen)}
        words, there = self._words(packed, place)
        kept = self.drop(packed["read"]) if self.drop.active else None
        if self.fusion != "score":
            return {"video": self.fusion_proj(self._fused(seen, words, there, kept))}
        found = {"vision": self.vid_proj(seen), "ocr": self.fusion_proj(self._fused(None, words, there, None))}
        if kept is None:
            return found
        return {name: one * stays[:, None] for (name, one), stays in zip(found.items(), kept, strict=True)}

    def word_vectors(self, packed: dict[str, torch.Tensor]) -> torch.Tensor:
        """Vectors of the different words of ``packed``, [U, D]."""
        return self.ocr_model.texts(packed)

    def _seen(self, frames: torch.Tensor) -> torch.Tensor:
        """v [V, D] of uint8 [V, T, height, width, 3]."""
        if self.timed:
            return self.video_model(self.pixels(frames))
        return self.video_model.lift(F.normalize(self.video_model.seen(frames).mean(1), dim=-1))

    def _words(self, packed: dict[str, torch.Tensor], place: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors of the words [V, O, D], with their places where there are frames too, and which are there [V, O]."""
        videos, longest = packed["size"].tolist()
        known = packed.get("vectors")
        vectors = (self.word_vectors(packed) if known is None else known)[packed["text"]]
        if self.vision:
            timed = isinstance(self.ocr_pos_embeds, nn.Embedding)
            vectors = vectors + self.ocr_pos_embeds(place if timed else place.to(self.scale.dtype))
        at = (packed["row"], packed["place"])
        words = vectors.new_zeros(videos, longest, vectors.shape[1]).index_put(at, vectors)
        there = torch.zeros(videos, longest, dtype=torch.bool, device=words.device)
        return words, there.index_put(at, torch.ones_like(packed["row"], dtype=torch.bool))

    def _fused(
        self,
        seen: torch.Tensor | None,
        words: torch.Tensor,
        there: torch.Tensor,
        kept: tuple[torch.Tensor, torch.Tensor] | None,
    ) -> torch.Tensor:
        """f [V, D]: the query and what it gathers from the video, if there is one, and the words, as far as kept."""
        first = self.query_token.expand(len(words), 1, -1)
        before = [first] if seen is None else [first, seen[:, None]]
        tokens = torch.cat([*before, words], 1)
        there = F.pad(there, (len(before), 0), value=True)
        if seen is not None:
            kinds = torch.tensor([QUERY, VIDEO] + [WORD] * words.shape[1], device=words.device)
            tokens = tokens + self.type_embedding(kinds)
            if kept is not None:
                there = there & torch.stack([torch.ones_like(kept[0]), *kept], 1)[:, kinds]
        return gathered(self.fusion_model, self.query_token, tokens, there)

    def apart(
        self, frames: torch.Tensor | None, packed: dict[str, torch.Tensor], place: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Vectors [V, T, P] of videos that had but one frame, and [V, O, P] of videos that had but one word.

        Args: As of ``videos``.

        Returns:
            Of length 1; None for what the modality has not. Rows behind a video's last word mean nothing.
        """
        seen = words = None
        if self.vision and frames is not None:
            alone = self._seen(frames.flatten(0, 1)[:, None])
            joint = self.ocr and self.fusion != "score"
            nothing = alone.new_zeros(len(alone), 0, alone.shape[1])
            whole = self.fusion_proj(self._fused(alone, nothing, nothing[..., 0] > 0, None)) if joint else None
            seen = (self.vid_proj(alone) if whole is None else whole).unflatten(0, frames.shape[:2])
        if self.ocr:
            every, there = self._words(packed, place)
            alone, one = every.flatten(0, 1)[:, None], there.new_ones(every.shape[:2]).flatten()[:, None]
            blind = self.vision and self.fusion != "score"  # a video that lost its frames, as modality_dropout has it
            seen_none = alone.new_zeros(len(alone), alone.shape[-1]) if blind else None
            kept = (~one[:, 0], one[:, 0]) if blind else None
            words = self.fusion_proj(self._fused(seen_none, alone, one, kept)).unflatten(0, every.shape[:2])
        return (
            None if seen is None else F.normalize(seen, dim=-1),
            None if words is None else F.normalize(words, dim=-1),
        )

    def cosine(
        self, caption: dict[str, torch.Tensor], videos: dict[str, torch.Tensor], of: str = "video"
    ) -> torch.Tensor:
        """Cosines [B, V], in float32 or better whatever the rest is computed in; norms are at least 1e-8."""
        text, video = caption["text"], videos[of]
        with torch.autocast(text.device.type, enabled=False):
            exact = torch.promote_types(text.dtype, torch.float32)
            text, video = (F.normalize(one.to(exact), dim=-1, eps=NORM_LIMIT) for one in (text, video))
            return text @ video.T

    def cosines(self, caption: dict[str, torch.Tensor], videos: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Cosines [B, V] under the name of the modality; of the fusion ``score`` the two that are weighted, apart."""
        if self.fusion != "score":
            return {self.modality: self.cosine(caption, videos)}
        return {name: share * self.cosine(caption, videos, name) for name, share in self.shares().items()}

    def shares(self) -> dict[str, Any]:
        """What cosines with frames and with words count for, learned of the fusion ``score``; 0 where there is none."""
        if self.vision and self.ocr and self.fusion == "score":
            return shares_of(self.balance)
        return {"vision": float(self.vision), "ocr": float(self.ocr)}

    def parts(self, caption: dict[str, torch.Tensor], videos: dict[str, torch.Tensor]) -> dict[str, Any]:
        """Cosines over the temperature [B, V]; their sum is the similarity."""
        return {name: self.scale.exp() * one for name, one in self.cosines(caption, videos).items()}
