"""The OCR funnel: for each readable word of a caption where it is lost on its way from the picture to the score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
from rapidfuzz import fuzz, process

from workbench.analysis.causes.dropping import CUT, dropped_by, sentence_of
from workbench.analysis.causes.failed import first_video
from workbench.analysis.causes.losses import cues_in
from workbench.analysis.causes.material import Material, material_of
from workbench.analysis.causes.related import Others
from workbench.analysis.causes.thresholds import thresholds_of
from workbench.analysis.cells import Cell, Content
from workbench.analysis.reading.following import SAMPLED, Follower, Loss
from workbench.analysis.reading.funnel_places import Places
from workbench.analysis.reading.run_texts import Spelt, texts_of
from workbench.analysis.reading.word_effects import word_effects_command
from workbench.core.errors import StateError
from workbench.core.lookup import pick
from workbench.core.words import counted
from workbench.corpus import Corpus, domain_label
from workbench.corpus.engines import TRUTH
from workbench.corpus.text import NONE_STATED
from workbench.evaluation.runs.run import Run, open_run
from workbench.ocr.cues import spellings

STAGES = {
    "in_frame": "In frame", "sampled": "Sampled", "detected": "Detected", "recognised": "Recognised", "kept": "Kept",
    "used": "Used",
}  # fmt: skip
"""From the picture to the score, in this order."""
FATES = {
    "not_sampled": ("sampled", "In no sampled frame"),
    "not_detected": ("detected", "No text found there"),
    "missed": ("recognised", "Not in any read text"),
    "misread": ("recognised", "Misread"),
    "filtered": ("kept", "Filtered out"),
    "cut": ("kept", "Cut off"),
    "not_seen": ("kept", "In no frame that the model saw"),
    "not_given": ("kept", "Not given to the model"),
    "ignored": ("used", "Recognised but ignored"),
    "used": ("", "Used"),
    "kept": ("", "Kept, use not told"),
    "recognised": ("", "Recognised, the rest not told"),
}
"""What can become of a word: the stage that it does not reach ("" = none), and its name on screens."""
FUNNEL_LIMITS = ("near", "sampled_within")
"""The thresholds that it takes."""
COLUMNS = ["caption_id", "video_id", "domain", "word", "fate", "lost_at", "read", "similarity", "engine", "time_s",
           "effect", "evidence"]  # fmt: skip
_OF_CAUSE = {"ocr_missed": "missed", "ocr_misread": "misread", "ocr_filtered": "filtered", SAMPLED: "not_sampled"}


@dataclass(frozen=True, repr=False)
class Funnel(Cell):
    """Where words are lost.

    Attributes:
        run: The run's name.
        words: caption_id, video_id, domain, word (as the caption spells it), fate (of ``FATES``), lost_at (the stage
            that it does not reach, or null), read (the nearest read word, or null), similarity (of it, 0..1), engine
            (who read), time_s (when it was first read), effect (score of the pair less its score without the word),
            evidence (a sentence).
        untold: The stages that cannot be told, each with the reason as a sentence.
        n_unread: Readable words in videos that the engine did not look at; they are not in ``words``.
    """

    run: str
    words: pd.DataFrame
    untold: Mapping[str, str]
    n_unread: int

    def of(self, caption_id: str) -> pd.DataFrame:
        """The words of one caption, in its order; empty where it names none."""
        return self.words[self.words["caption_id"] == caption_id].reset_index(drop=True)

    def table(self, by: str | None = None) -> pd.DataFrame:
        """How many words reach each stage.

        Args:
            by: ``domain`` = one part for each; None = all.

        Returns:
            The part (column ``domain`` and its label, where asked for), stage, stage_label, n_words (that reach it),
            n_lost (that reach the one before and not this one), share (of all words, 0..1), told; what cannot be told
            is null. Words whose use alone is not told reach ``kept`` and are not lost after it.

        Raises:
            UnknownNameError: Another grouping.
        """
        if by is None:
            return self._counted(self.words)
        pick({"domain": "domain"}, by, "grouping")
        parts = [self._counted(part).assign(domain=name, label=domain_label(str(name)))
                 for name, part in self.words.groupby(self.words["domain"].fillna(NONE_STATED), sort=True)]  # fmt: skip
        empty = self._counted(self.words).iloc[:0].assign(domain="", label="")
        found = pd.concat(parts, ignore_index=True) if parts else empty
        return found[["domain", "label", *found.columns.drop(["domain", "label"])]]

    def fates(self) -> pd.DataFrame:
        """How many words end where: fate, label, lost_at, n_words, share (0..1), in the order of the stages."""
        counts = self.words["fate"].value_counts().reindex(list(FATES)).dropna().astype(int)
        return pd.DataFrame({
            "fate": counts.index.astype("str"), "label": [FATES[one][1] for one in counts.index],
            "lost_at": [FATES[one][0] or None for one in counts.index], "n_words": counts.to_numpy(),
            "share": counts.to_numpy() / max(len(self.words), 1),
        })  # fmt: skip

    def _shown(self) -> Content:
        """How many words reach each stage, and what cannot be told."""
        table = self.table()
        known = table[table["told"]]
        pairs = zip(known["stage"], known["n_words"], strict=True)
        reached = ", ".join(f"{STAGES[stage].lower()} {n:,}" for stage, n in pairs)
        left_out = counted(self.n_unread, "readable word is", "readable words are")
        left_out += " left out: nothing looked at where they stand."
        notes = [*(f"{STAGES[one]}: {why}" for one, why in self.untold.items()), left_out if self.n_unread else ""]
        table = table[["stage_label", "n_words", "n_lost", "share"]]
        return Content(f"Readable words of captions in {self.run}: {reached}", (table,), tuple(notes), digits=2)

    def _counted(self, words: pd.DataFrame) -> pd.DataFrame:
        rows, left = [], len(words)
        for stage, label in STAGES.items():
            lost = int((words["lost_at"] == stage).sum())
            told = stage not in self.untold
            left = int((words["fate"] == "used").sum()) if stage == "used" else left - lost
            shown = (left, lost, left / max(len(words), 1)) if told else (None, None, None)
            rows.append((stage, label, *shown, told))
        table = pd.DataFrame(rows, columns=["stage", "stage_label", "n_words", "n_lost", "share", "told"])
        return table.astype({"n_words": "Int64", "n_lost": "Int64", "share": "Float64"})


def ocr_funnel(
    run: Run | str, corpus: Corpus | str | None = None, *, others: Others = None, **thresholds: float
) -> Funnel:
    """Follow every readable word of every caption: in frame, sampled, detected, recognised, kept, used.

    A word is readable where it is written in the right video (engine ``truth``); where that is not known, where the
    caption marks it as written (``ocr.cues``). Of several right videos the first is looked at.

    Args:
        run: A run.
        corpus: Its corpus; None = find it.
        others: Who else may hold the effects of words, as for ``failures``.
        **thresholds: ``near`` and ``sampled_within`` of ``THRESHOLDS``.

    Raises:
        StateError: The run holds totals only, or nothing was read in its videos.
        DataError: The given corpus is not the one that the run was made on.
        UnknownNameError: No threshold is called so.
    """
    run = open_run(run)
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids to see its captions.")
    material = material_of(run, corpus, others, thresholds_of(thresholds))
    if material.readings.missing:
        raise StateError(material.readings.missing, material.readings.remedy)
    rows = _Rows(material)
    words = pd.DataFrame(list(rows.all()), columns=COLUMNS)
    words = words.astype({"domain": object, "similarity": float, "time_s": float, "effect": float})
    return Funnel(run.name, words, rows.untold, rows.n_unread)


class _Rows:
    """The words of a run, one by one."""

    def __init__(self, material: Material) -> None:
        self.material, self.readings = material, material.readings
        self.follower, self.places = Follower(material), Places(material.readings)
        self.effects = material.word_effects
        self.others = _other_engines(material)
        self.dropped: dict[tuple[str, str], str] = {}
        self.n_unread = 0

    @property
    def untold(self) -> dict[str, str]:
        """Stages that cannot be told, and why."""
        run, said = self.material.run.name, {}
        if not self.follower.times.tells_unread:
            said["sampled"] = "Nobody says in which frames words are written (engine truth) and which ones were read."
        if not self.places.told:
            said["detected"] = "Nobody says where words are written (engine truth), so that missing one is all we know."
        if self.readings.given is None and not self.follower.times.tells_unseen:
            said["kept"] = f"Run {run} does not list the words that its model had."
        if self.effects is None:
            command = word_effects_command(self.material.run)
            said["used"] = f"No run of this model holds the effects of words{f': {command}' if command else ''}."
        return said

    def all(self) -> Iterator[tuple[object, ...]]:
        run = self.material.run
        domains = dict(zip(run.gallery["video_id"], run.gallery["domain"], strict=True))
        found: list[tuple[str, str, Loss]] = []
        for caption, text, video in zip(run.queries["caption_id"], run.queries["text"], first_video(run), strict=True):
            cues = cues_in(text, video, self.readings) if text and not pd.isna(video) else ()
            if cues and video not in self.readings.read:
                self.n_unread += len(cues)
            found += (
                [(caption, video, one) for one in self.follower.fates(video, cues, spellings(text or ""))]
                if cues
                else []
            )
        asked = {video for _, video, one in found if one.cause == "ocr_filtered"}
        self.dropped = dropped_by(run, self.readings, asked)
        for caption, video, loss in found:
            yield (caption, video, domains.get(video), *self._row(caption, video, loss))

    def _row(self, caption: str, video: str, loss: Loss) -> tuple[object, ...]:
        fate, detail = self._fate(caption, video, loss)
        loss = loss._replace(detail=loss.detail or detail)
        read, similarity = self._nearest(video, loss)
        time_s = self.follower.times.first_time(video, read) if read else None
        effect = None if self.effects is None else self.effects.get((caption, video, loss.cue))
        evidence = self._evidence(video, loss, fate, read, effect)
        return (
            loss.word,
            fate,
            FATES[fate][0] or None,
            read,
            similarity,
            self.readings.engine,
            time_s,
            effect,
            evidence,
        )

    def _fate(self, caption: str, video: str, loss: Loss) -> tuple[str, str]:
        """What became of a word, and more of why."""
        if loss.cause == "ocr_missed":
            return ("missed" if self.places.detected(video, loss.cue) is not False else "not_detected"), ""
        if loss.cause == SAMPLED:
            return ("not_seen" if loss.read else "not_sampled"), ""
        if loss.cause == "ocr_filtered":
            return self._filtered(video, loss.cue)
        return (_OF_CAUSE[loss.cause] if loss.cause else self._end(caption, video, loss.cue)), ""

    def _filtered(self, video: str, cue: str) -> tuple[str, str]:
        if self.readings.reads is False:
            return "not_given", "the run reads no text"
        name = self.dropped.get((video, cue))
        if name is None:
            return "not_given", ""
        return ("cut" if name == CUT else "filtered"), sentence_of(name)

    def _end(self, caption: str, video: str, cue: str) -> str:
        if self.readings.given is None:
            return "recognised"
        if self.effects is None or (caption, video, cue) not in self.effects:
            return "kept"
        return "used" if self.effects[caption, video, cue] > 0 else "ignored"

    def _nearest(self, video: str, loss: Loss) -> tuple[str | None, float | None]:
        if loss.read and loss.cause != "ocr_misread":
            return loss.read, 1.0
        read = self.readings.read_words[video]
        best = process.extractOne(loss.cue, list(read), scorer=fuzz.ratio)
        return (None, None) if best is None or best[1] == 0 else (read[best[0]], float(best[1]) / 100)

    def _evidence(self, video: str, loss: Loss, fate: str, read: str | None, effect: float | None) -> str:
        said = FATES[fate][1]
        if fate in ("missed", "not_detected", "misread"):
            said += f"; nearest read word: {read}" if read else "; nothing like it was read"
            elsewhere = [engine for engine, words in self.others.items() if loss.cue in words(video)]
            said += f"; {' and '.join(elsewhere)} read it" if elsewhere else ""
        if effect is not None:
            said += f"; without it the score is {-effect:+.3f}"
        return f"{said}; {loss.detail}" if loss.detail else said


def _other_engines(material: Material) -> dict[str, Callable[[str], Mapping[str, str]]]:
    """Words by video of every other engine that read the corpus."""
    readings = material.readings
    if readings.corpus is None:
        return {}
    names = sorted(set(readings.corpus.text_coverage["engine"].dropna()) - {readings.engine, TRUTH})
    texts = {name: Spelt(texts_of(readings.corpus, name)) for name in names}
    return {name: spelt.__getitem__ for name, spelt in texts.items()}
