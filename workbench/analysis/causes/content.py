"""Causes in what is seen and said: the best wrong video is much alike, told apart by a detail, or of another domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from workbench.analysis.causes.cues import Cues
from workbench.analysis.causes.failed import Failed, Found
from workbench.analysis.causes.material import Material
from workbench.analysis.causes.said import NO_VERBS
from workbench.analysis.causes.scene_text import quoted_words
from workbench.analysis.causes.wording import stem
from workbench.corpus import domain_label
from workbench.ocr.cues import spellings
from workbench.ocr.matching import caption_words

ORDER_WORDS = frozenset("after afterwards before finally first last later next previously subsequently then".split())
NEGATIONS = frozenset("cannot never no nobody none nor not nothing nowhere without".split())
COUNTS = frozenset("two three four five six seven eight nine ten eleven twelve several dozen pair both twice".split())
COLOURS = frozenset("black white red green blue yellow orange pink purple brown grey gray golden silver".split())
ATTRIBUTES = COLOURS | frozenset(
    "big small large little tall short long old young new left right top bottom front back fast slow wet dry full empty"
    " open closed dark bright wooden metal plastic male female".split()
)


def cross_domain(failed: Failed, _: Material, __: Cues) -> Found:
    """The best wrong video is of another domain."""
    right, top = (failed.videos("domain", at) for at in (failed.right_video, failed.top_video))
    other = pd.notna(right) & pd.notna(top) & (right != top)
    own, wrong, _caption = failed.called
    return Found(other, lambda i: f"{own} is {domain_label(str(right[i]))}, {wrong} {domain_label(str(top[i]))}")


def visual_in_domain(failed: Failed, material: Material, cues: Cues) -> Found:
    """The best wrong video is of the same domain, and what the model sees beside text prefers it.

    ``failures`` tells it only where neither an artefact nor a cause in scene text explains the rank.
    """
    right, top = (failed.videos("domain", at) for at in (failed.right_video, failed.top_video))
    same = pd.notna(right) & pd.notna(top) & (right == top) & (failed.right_video != failed.top_video)
    none = np.full(len(right), np.nan)
    scores = (none, none) if material.vision is None else failed.pair_scores(material.vision)
    own, wrong, caption = failed.called

    def why(i: int) -> str:
        said = f"{own} and {wrong} are both {domain_label(str(right[i]))}, the vision part scores "
        said += f"{'the top-1' if failed.direction == 't2v' else 'the wrong caption'} {scores[1][i]:.3f} and "
        said += f"{own if failed.direction == 't2v' else caption} {scores[0][i]:.3f}"
        return said if material.readings.reads is not False or not cues.words[i] else _names_text(i) + said

    def _names_text(i: int) -> str:
        spelt, words = spellings("\n".join(failed.texts[i])), cues.words[i]
        named = quoted_words([spelt[cue] for cue in words]) + failed.where_said(i, words)
        return f"the caption names {named}, and this run reads no text, "

    return Found(same & (scores[1] > scores[0]), why)


def fine_grained(failed: Failed, material: Material, cues: Cues) -> Found:
    """The best wrong video differs in a verb, an attribute or a number."""
    found = [[one for one in own if _is_detail(one, material)] for own in cues.differ]
    holds = np.asarray([bool(one) for one in found], bool)
    return Found(
        holds, lambda i: f"captions of {failed.called.wrong} say much the same, but not {quoted_words(found[i])}"
    )


def _is_detail(word: str, material: Material) -> bool:
    return word in ATTRIBUTES or word in COUNTS or any(c.isdigit() for c in word) or _is_verb(word, material)


def _is_verb(word: str, material: Material) -> bool:
    """A word in one of the forms of a verb, or of which some caption has the form in -ing."""
    if word in NO_VERBS or not word.isalpha():
        return False
    return word.endswith(("ing", "ed")) or stem(word) in material.said.doing


def negation_counting(failed: Failed, material: Material, cues: Cues) -> Found:
    """The best wrong video differs in a negation or a count."""
    found = [[one for one in own if one in NEGATIONS or one in COUNTS or one.endswith("n't")]
             for own in cues.differ]  # fmt: skip
    holds = np.asarray([bool(one) for one in found], bool)
    _own, wrong, caption = failed.called
    return Found(holds, lambda i: f"{caption} says {quoted_words(found[i])}, captions of {wrong} do not")


def temporal(failed: Failed, material: Material, cues: Cues) -> Found:
    """The caption says what comes first, and the model ignores order.

    Where there is a run with shuffled frames, that shows it: the rank moves by no more than ``order_noise``. Elsewhere
    the captions of the best wrong video say much the same, so that little but the order tells.
    """
    words = [[w for w in caption_words(text) if w in ORDER_WORDS] if text else []
             for text in failed.captions("text", failed.right_caption)]  # fmt: skip
    cued = np.asarray([bool(one) for one in words], bool)
    other, (_own, wrong, caption) = material.related.shuffled, failed.called
    if other is None:
        return Found(
            cued & cues.near,
            lambda i: f"{caption} says {quoted_words(words[i])}, and captions of {wrong} say much the same",
        )
    then, now = failed.ranks_in(other), failed.table["rank"].to_numpy(float)
    still = np.abs(then - now) <= material.thresholds.order_noise * now
    return Found(cued & still, _order_ignored(words, now, then))


def _order_ignored(words: Sequence[Sequence[str]], now: np.ndarray, then: np.ndarray) -> Callable[[int], str]:
    return lambda i: (
        f"the caption says {quoted_words(words[i])}, but with shuffled frames the rank is {then[i]:g} instead of"
        f" {now[i]:g}"
    )
