"""Causes in scene text that was read: it fits the wrong item better, drowns, differs in a detail, or is foreign."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

import numpy as np

from workbench.analysis.causes.cues import Cues
from workbench.analysis.causes.failed import Failed, Found, Seen
from workbench.analysis.causes.material import Material
from workbench.analysis.causes.scene_text import places_of_lost, quoted_words
from workbench.analysis.causes.wording import stem
from workbench.analysis.reading.following import LOST_BEFORE, Loss
from workbench.ocr.cues import spellings

LATIN = "latin"
LONG_ENOUGH = 2
"""Letters from which a read word tells its script; single signs are often misreadings of a picture."""


def ocr_distractor(failed: Failed, material: Material, _: Cues) -> Found:
    """More of the wrong pair's caption was read in its video than of the right pair's, by the weight of the words.

    Where the run keeps the scores of its vision part, these must prefer the right pair: the text alone misled.
    """
    right_row, right_column, row, column = failed.pairs
    right = [_overlap(material, a, b) for a, b in zip(right_row, right_column, strict=True)]
    wrong = [_overlap(material, a, b) for a, b in zip(row, column, strict=True)]
    holds = np.asarray([_weight(material, b) > _weight(material, a) for a, b in zip(right, wrong, strict=True)], bool)
    scores = None if material.vision is None else failed.pair_scores(material.vision)
    if scores is not None:
        holds &= scores[0] > scores[1]
    item = "top-1" if failed.direction == "t2v" else "video"

    def why(i: int) -> str:
        said = f"the model had {quoted_words(wrong[i])} of the {item}, which stand in the "
        said += "caption" if failed.direction == "t2v" else "wrong caption"
        said += f", and {quoted_words(right[i]) if right[i] else 'no word'} that speak for the right one"
        return said if scores is None else f"{said}; its vision part prefers the right one"

    def seen(i: int) -> list[Seen]:
        sides = ((right_column[i], right[i]), (column[i], wrong[i]))
        return list(dict.fromkeys(Seen(material.videos[at], word) for at, words in sides for word in words))

    return Found(holds, why, seen)


def _overlap(material: Material, row: int, column: int) -> list[str]:
    """Words of a caption that the model had of a video."""
    if row < 0 or column < 0:
        return []
    had = material.readings.had_words[material.videos[column]]
    return [word for word in material.said.wording.words[row] if word in had]


def _weight(material: Material, words: Sequence[str]) -> float:
    wording = material.said.wording
    return float(sum(wording.weight[wording.stems[stem(word)]] for word in words))


def ocr_flood(failed: Failed, material: Material, cues: Cues) -> Found:
    """The model had words of the caption, but among very many others."""
    readings, limits = material.readings, material.thresholds
    videos = failed.videos("video_id", failed.right_video)
    counts = []
    for video, own in zip(videos, cues.words, strict=True):
        had: Mapping[str, str] = readings.had_words[video] if own and video in readings.read else {}
        counts.append((sum(cue in had for cue in own), len(had)))
    relevant, total = np.asarray(counts, int).reshape(-1, 2).T
    many = (total > limits.flood_words) | (relevant < limits.flood_share * total)

    def seen(i: int) -> list[Seen]:
        had = readings.had_words[videos[i]]
        return [Seen(videos[i], cue) for cue in cues.words[i] if cue in had]

    return Found(
        (relevant > 0) & many,
        lambda i: (
            f"{relevant[i]} of the {total[i]} words of {failed.called.right} are in {failed.called.caption}"
            + failed.where_said(i, [one.word for one in seen(i)])
        ),
        seen,
    )


def number_swap(failed: Failed, material: Material, cues: Cues) -> Found:
    """The best wrong item has all cue words of the query but its numbers, or but the rarest one."""
    swaps = [_swap(failed, material, i, own) for i, own in enumerate(cues.words)]

    def why(i: int) -> str:
        shared, missing, instead = swaps[i]
        spelt = spellings("\n".join(failed.texts[i]))
        said = f"the top-1 has {quoted_words([spelt[one] for one in shared])} too, but not "
        said += quoted_words([spelt[one] for one in missing])
        said += f": it has {quoted_words(instead)}" if instead else ""
        return said + failed.where_said(i, [*shared, *missing])

    def seen(i: int) -> list[Seen]:
        if failed.direction == "v2t":
            return []
        shared, _, instead = swaps[i]
        video = material.videos[failed.top_video[i]]
        return [Seen(video, word, video in material.readings.written) for word in (*shared, *instead)]

    return Found(np.asarray([bool(missing) for _, missing, _ in swaps], bool), why, seen)


def _swap(failed: Failed, material: Material, i: int, cues: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Cue words that the best wrong item shares, those that it does not have, and numbers that it has instead."""
    if len(cues) < 2:
        return [], [], []
    words = _item_words(failed, material, i)
    shared, missing = [one for one in cues if one in words], [one for one in cues if one not in words]
    if not shared or not missing:
        return [], [], []
    if all(map(_is_number, missing)):
        other = [one for one in words if _is_number(one) and one not in cues]
        return (shared, missing, other) if other else ([], [], [])
    rarest = max(cues, key=lambda one: _weight_of(material, one))
    return (shared, missing, []) if missing == [rarest] else ([], [], [])


def _item_words(failed: Failed, material: Material, i: int) -> Collection[str]:
    """Words of the best wrong item: written in the video where that is known, else read there; or said."""
    if failed.direction == "v2t":
        row = int(failed.top_caption[i])
        return material.said.wording.words[row] if row >= 0 else []
    column = int(failed.top_video[i])
    if column < 0:
        return []
    video, readings = material.videos[column], material.readings
    return readings.written_words[video] if video in readings.written else readings.read_words[video]


def _weight_of(material: Material, word: str) -> float:
    """How rare a cue word is; one that no caption says counts as the rarest."""
    at = material.said.wording.stems.get(stem(word))
    return np.inf if at is None else float(material.said.wording.weight[at])


def _is_number(word: str) -> bool:
    return any(c.isdigit() for c in word)


def script_mismatch(failed: Failed, material: Material, cues: Cues) -> Found:
    """A word was lost whose script the OCR did not read in the right video: another one than Latin, or all others."""
    videos = failed.videos("video_id", failed.right_video)
    found = [_unread_script(lost, material.readings.read_words[video] if lost else {})
             for lost, video in zip(cues.losses, videos, strict=True)]  # fmt: skip

    def why(i: int) -> str:
        lost, script, read = found[i]
        word = quoted_words([lost.word] if lost else [])
        said = f"{word} is {script}, and the OCR read {' and '.join(read) or 'nothing'} there"
        return said + failed.where_said(i, [lost.cue] if lost else [])

    def seen(i: int) -> list[Seen]:
        lost = found[i][0]
        return [] if lost is None else places_of_lost([lost], videos[i], material.readings)

    return Found(np.asarray([lost is not None for lost, _, _ in found], bool), why, seen)


def _unread_script(losses: Sequence[Loss], read: Mapping[str, str]) -> tuple[Loss | None, str, list[str]]:
    """The first lost word whose script was not read, its script, and the scripts that were read."""
    scripts = sorted({one for word in read if len(word) >= LONG_ENOUGH if (one := script_of(word))})
    for loss in losses:
        script = script_of(loss.cue)
        if loss.cause in LOST_BEFORE and script and script not in scripts and (script != LATIN or scripts):
            return loss, script, scripts
    return None, "", []


@lru_cache(maxsize=1 << 16)
def script_of(word: str) -> str:
    """The script of a word's first letter by its Unicode name: ``latin``, ``cyrillic``, ``cjk`` ...; "" = no letter."""
    if word.isascii():
        return LATIN if any(map(str.isalpha, word)) else ""
    letter = next((c for c in word if c.isalpha()), "")
    return unicodedata.name(letter, "").split(" ")[0].casefold() if letter else ""
