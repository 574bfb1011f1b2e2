"""One word of a caption on its way to the model: written, looked at, read, given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from workbench.analysis.causes.material import Material
from workbench.analysis.causes.reading_times import ReadingTimes
from workbench.ocr.matching import match_words

LOST_BEFORE = ("ocr_missed", "ocr_misread")
OF_THE_MODEL = ("ocr_filtered", "ocr_ignored")
"""Those that need to know which words the model had."""
SAMPLED = "ocr_not_sampled"


class Loss(NamedTuple):
    """A cue word, and where it was lost.

    Attributes:
        cause: ``ocr_missed``, ``ocr_misread``, ``ocr_filtered``, ``ocr_not_sampled``, ``ocr_ignored``; "" = not lost.
        cue: The word, normalised.
        word: As the caption spells it.
        read: As the engine spelt it; "" = not at all.
        detail: Why or where it was lost, half a sentence; "" = not known.
        n_share: Of ``ocr_ignored``: wrong items ranked above that have the word too.
        n_above: Of ``ocr_ignored``: wrong items that are listed above the right one.
    """

    cause: str
    cue: str
    word: str
    read: str = ""
    detail: str = ""
    n_share: int = 0
    n_above: int = 0


class Follower:
    """Follows words of captions through a run.

    Args:
        material: What is known of it.
    """

    def __init__(self, material: Material) -> None:
        self.readings, self.near = material.readings, material.thresholds.near
        self.times = ReadingTimes(material.run, material.readings, material.thresholds.sampled_within)

    def fates(self, video: str, cues: Sequence[str], spelt: Mapping[str, str]) -> Iterator[Loss]:
        """What became of each cue word before the model; nothing where the engine did not look at the video.

        Args:
            video: The right video.
            cues: Normalised words.
            spelt: How the caption spells them.
        """
        if video not in self.readings.read:
            return
        read = self.readings.read_words[video]
        unread_cues = [cue for cue in cues if cue not in read]
        alike = {one.word: one.ocr_word for one in match_words(unread_cues, list(read), threshold=100 * self.near)}
        for cue in cues:
            if cue in alike:
                yield Loss("ocr_misread", cue, spelt[cue], read[alike[cue]])
            elif cue not in read:
                unread = self.times.unread(video, cue)
                yield Loss(SAMPLED if unread else "ocr_missed", cue, spelt[cue], detail=unread)
            elif self.readings.given is None or cue not in self.readings.had_words[video]:
                yield self._kept_back(video, Loss("", cue, spelt[cue], read[cue]))
            else:
                yield Loss("", cue, spelt[cue], read[cue])

    def _kept_back(self, video: str, fate: Loss) -> Loss:
        unseen = self.times.unseen(video, fate.cue)
        if unseen:
            return Loss(SAMPLED, fate.cue, fate.word, fate.read, unseen)
        return fate if self.readings.given is None else Loss("ocr_filtered", fate.cue, fate.word, fate.read)
