"""Causes that are not the model's fault: equal captions, equal videos, captions that fit others, doubtful labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.analysis.causes.cues import Cues
from workbench.analysis.causes.equal import equal_in
from workbench.analysis.causes.failed import Failed, Found, Seen, owners
from workbench.analysis.causes.flatness import flatter_than
from workbench.analysis.causes.losses import claims_in, named_in, quoted_in
from workbench.analysis.causes.material import Material
from workbench.analysis.causes.near_pairs import may_correlate
from workbench.analysis.causes.scene_text import quoted_words
from workbench.analysis.causes.wording import stem
from workbench.analysis.structure.alike import column_correlations
from workbench.core.words import counted
from workbench.evaluation.runs.run import Run
from workbench.ocr.matching import caption_words

POINTS_BACK = frozenset("he she it they him her them his their its this that these those".split())
POINTS_AT = frozenset("it that these this those".split())
OPENS = frozenset(
    "is was are were isn't aren't reads says shows show video videos clip clips film footage picture scene".split()
)
"""Words after a pronoun of ``POINTS_AT`` with which it points at the video."""
PERSONS = frozenset(
    "man men woman women boy boys girl girls person people lady ladies guy guys child children kid kids player players"
    " couple team group others other same two".split()
)


def duplicate_caption(failed: Failed, _: Material, __: Cues) -> Found:
    """Another query has the same words and other right videos.

    It may be primary where that costs the hit: the query is one once the right videos of equal captions are taken as
    right too (v2t: once captions of equal text are).
    """
    equal, own = equal_in(failed.run), failed.right_caption
    holds = equal.twin[own] & (own >= 0)
    shared = equal.shared if failed.direction == "t2v" else equal.shared.T.tocsr()
    queries = own if failed.direction == "t2v" else failed.right_video
    rank = failed.listed.ranks(failed.listed.right_in(shared[queries]), len(own))

    def why(i: int) -> str:
        said = f"its words stand in {equal.times[own[i]]} captions with different right videos"
        return f"{said}; with all of these right too, {_rank(rank[i])}"

    return Found(holds, why, leads=rank <= failed.k)


def _rank(rank: float) -> str:
    return f"the rank is {rank:g}" if np.isfinite(rank) else "none is listed"


def same_source(failed: Failed, _: Material, __: Cues) -> Found:
    """The best wrong video was cut from the recording of the right one."""
    right, top = (failed.videos("source_id", at) for at in (failed.right_video, failed.top_video))
    known = pd.notna(right) & pd.notna(top) & (failed.right_video != failed.top_video)
    own, wrong, _caption = failed.called
    return Found(known & (right == top), lambda i: f"{own} and {wrong} come from the recording {right[i]}")


def near_duplicate_video(failed: Failed, material: Material, _: Cues) -> Found:
    """The scores of the best wrong and the right video correlate over all queries: in the run, in each part of it that
    it keeps (vision, OCR), and in every other model that was given.
    """  # fmt: skip
    threshold, run = material.thresholds.near_duplicate, failed.run
    known = (failed.right_video >= 0) & (failed.top_video >= 0) & (failed.right_video != failed.top_video)
    value = np.where(known, np.inf, -np.inf)
    every = [run.similarity, *run.modalities.values(), *(other.similarity for other in material.related.models)]
    for matrix in every if run.similarity is not None else []:
        at = np.flatnonzero(value >= threshold)
        if len(at) and matrix is not None:
            left, right = failed.right_video[at], failed.top_video[at]
            found, may = np.full(len(at), -1.0), may_correlate(matrix, left, right, threshold)
            if may.any():
                found[may] = column_correlations(matrix, left[may], right[may])
            value[at] = np.minimum(value[at], np.nan_to_num(found, nan=-1))
    holds = np.isfinite(value) & (value >= threshold)
    own, wrong, _caption = failed.called
    return Found(holds, lambda i: f"all captions score {wrong} and {own} alike (correlation {value[i]:.3f})")


def false_negative(failed: Failed, material: Material, cues: Cues) -> Found:
    """The best wrong video fits the caption: its captions say it all, or other models and its text prefer it.

    It does not fit where the caption quotes or names words that its captions do not have.
    """
    limits, said = material.thresholds, cues.said
    videos = failed.videos("video_id", failed.right_video)
    other = failed.right_video != failed.top_video
    fits = (said >= limits.fits) & other
    for i in np.flatnonzero(fits).tolist():
        quoted = {stem(cue) for text in failed.texts[i] for cue in named_in(text, videos[i], material.readings)}
        fits[i] = quoted <= material.said.stems_of(int(failed.top_video[i]))
    n_models = _preferring(failed, material.related.models)
    by_models = other & (n_models >= limits.models_agree)
    for i in np.flatnonzero(by_models & ~fits).tolist():
        right, top = (_read_of(failed, material, i, at[i]) for at in (failed.right_video, failed.top_video))
        by_models[i] = len(top) > len(right)

    _own, wrong, caption = failed.called

    def why(i: int) -> str:
        if fits[i]:
            return f"captions of {wrong} say {100 * said[i]:.0f} % of what {caption} says"
        others = counted(int(n_models[i]), "other model prefers", "other models prefer")
        return f"{others} {wrong} too, and more words of the caption were read in it"

    def seen(i: int) -> list[Seen]:
        read = _read_of(failed, material, i, failed.top_video[i]) if by_models[i] else []
        return [Seen(material.videos[failed.top_video[i]], word) for word in read]

    return Found(fits | by_models, why, seen)


def _preferring(failed: Failed, models: Sequence[Run]) -> np.ndarray:
    """How many other models score the best wrong pair above the right one, int [failed]."""
    count = np.zeros(len(failed.table), int)
    for other in models:
        if other.similarity is not None:
            right, wrong = failed.pair_scores(other.similarity)
            count += wrong > right
    return count


def _read_of(failed: Failed, material: Material, i: int, column: int) -> list[str]:
    """Telling words of the i-th query's caption that were read in a video."""
    row = int(failed.right_caption[i])
    if row < 0 or column < 0:
        return []
    read = material.readings.read_words[material.videos[column]]
    return [word for word in material.said.wording.words[row] if word in read]


def underspecified(failed: Failed, material: Material, _: Cues) -> Found:
    """The caption says little: less than nearly all others, or little and it opens by pointing back, or all models that
    were given score the videos nearly alike for it.

    It may be primary where that costs the hit: the query is one once all videos whose captions say what this one says
    are taken as right too.
    """
    limits, told, rows = material.thresholds, material.said.information, failed.right_caption
    least, middle = (np.quantile(told, share, method="lower") for share in (limits.vague, limits.vague_back))
    texts = failed.captions("text", rows)
    back = [_opening(text) if text else "" for text in texts]
    value = np.where(rows >= 0, told[rows], np.inf)
    vague = value < least
    pointing = value < middle
    for i in np.flatnonzero(pointing):
        pointing[i] = bool(back[i]) and not quoted_in(texts[i])
    flatter = _flatter(failed, material)
    flat = flatter >= 1 - limits.flat

    holds = vague | pointing | flat
    rank = failed.listed.ranks(~failed.listed.wrong | _fitting(failed, material, holds), len(rows))

    def why(i: int) -> str:
        said = [f"the caption says less than {100 * (told > value[i]).mean():.0f} % of the captions"]
        if pointing[i]:
            said[0] += f', and opens with "{back[i]}"'
        even = f"its scores are flatter than those of {100 * flatter[i]:.0f} % of the captions, in every model"
        both = " and ".join((said if vague[i] or pointing[i] else []) + [even] * bool(flat[i]))
        return f"{both}; with all videos right that it fits, {_rank(rank[i])}"

    return Found(holds, why, leads=rank <= failed.k)


def _fitting(failed: Failed, material: Material, asked: np.ndarray) -> np.ndarray:
    """Which listed items are, or belong to, a video whose captions say what the caption says, bool [listed].

    Args:
        failed: The failed queries.
        material: What is known.
        asked: The queries to look at, bool [failed]; nothing fits the others.
    """
    listed, said = failed.listed, material.said
    high = listed.scores >= failed.table["score_right"].to_numpy(float)[listed.query]
    at = np.flatnonzero(asked[listed.query] & listed.wrong & high)
    videos = listed.items[at] if failed.direction == "t2v" else owners(failed.run)[listed.items[at]]
    share = said.wording.share_said(failed.right_caption[listed.query[at]], said.of_videos[videos], least=0)
    fits = np.zeros(len(listed.items), bool)
    fits[at] = (share >= material.thresholds.fits) & (videos >= 0)
    return fits


def _flatter(failed: Failed, material: Material) -> np.ndarray:
    """Of which share of the captions the scores are less flat, in the run and every other model; 0 where none is given.

    One model alone may just not know better.
    """
    others, rows = material.related.models, failed.right_caption
    if not others or failed.run.similarity is None:
        return np.zeros(len(rows))
    return np.where(rows >= 0, flatter_than(failed.run, others, material.thresholds.flat_temperature)[rows], 0.0)


def _opening(text: str) -> str:
    """The opening of a caption where it points back to something said before: a pronoun, or "the man".

    "This is", "it reads", "this video shows" point at the video itself.
    """
    words = caption_words(text)[:2]
    if words and words[0] in POINTS_BACK:
        return "" if words[0] in POINTS_AT and set(words[1:]) & OPENS else words[0]
    return "the " + words[1] if len(words) == 2 and words[0] == "the" and words[1] in PERSONS else ""


def label_suspect(failed: Failed, material: Material, _: Cues) -> Found:
    """Every run ranks the right item very low, and what the caption quotes stands in another video, not in it."""
    n_items = len(failed.run.gallery if failed.direction == "t2v" else failed.run.queries)
    low = failed.scored & (failed.table["rank"].to_numpy(float) > material.thresholds.suspect * n_items)
    for other in material.related.models:
        low &= failed.ranks_in(other) > material.thresholds.suspect * n_items
    videos = failed.videos("video_id", failed.right_video)
    claimed = {i: _claimed(failed, i, videos[i], material) for i in np.flatnonzero(low).tolist()}
    holders = _holders(material, {word for words in claimed.values() for word in words})
    elsewhere: dict[int, str] = {}
    for i, words in claimed.items():
        there = material.readings.best_words(videos[i])
        if words and there is not None and not any(word in there for word in words):
            found = set.intersection(*(holders[word] for word in words))
            elsewhere.update({i: min(found)} if found else {})
    holds = np.asarray([i in elsewhere for i in range(len(low))], bool)

    def seen(i: int) -> list[Seen]:
        return [Seen(elsewhere[i], word, elsewhere[i] in material.readings.written) for word in claimed[i]]

    def why(i: int) -> str:
        said = f"{quoted_words(claimed[i])} stands in {elsewhere[i]}, and not in {failed.called.right}"
        return said + failed.where_said(i, claimed[i])

    return Found(holds, why, seen)


def _claimed(failed: Failed, i: int, video: str, material: Material) -> list[str]:
    """The words that the captions of a query mark as written in the video."""
    said = (word for text in failed.texts[i] for word in claims_in(text, video, material.readings))
    return list(dict.fromkeys(said))


def _holders(material: Material, words: set[str]) -> dict[str, set[str]]:
    """The videos in which each of some words stands: is written where that is known, else was read."""
    found: dict[str, set[str]] = {word: set() for word in words}
    for video in material.run.gallery["video_id"] if words else ():
        for word in words.intersection(material.readings.best_words(video) or ()):
            found[word].add(video)
    return found
