"""The causes of a failure: their names, what they mean, and in which order the first one that holds becomes primary."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """One cause.

    Attributes:
        label: Its name on screens.
        sentence: What it means and when it is given.
        family: artefact (not the model's fault), scene text, content, geometry, query form; where, not why (which
            domain the top-1 is of, as holds for nearly every failure); other.
    """

    label: str
    sentence: str
    family: str


ARTEFACT, TEXT, CONTENT, GEOMETRY, FORM = "artefact", "scene text", "content", "geometry", "query form"
WHERE = "where, not why"
FAMILIES = (ARTEFACT, TEXT, CONTENT, GEOMETRY, FORM, WHERE, "other")

CAUSES: dict[str, Cause] = {  # in the order in which the primary cause is chosen
    "duplicate_caption": Cause(
        "Duplicate caption",
        "Another query has the same words and other right videos; primary where these are what stands above.",
        ARTEFACT,
    ),
    "same_source": Cause(
        "Same-source video", "The top-1 was cut from the same recording as the right video.", ARTEFACT
    ),
    "near_duplicate_video": Cause(
        "Near-duplicate video", "The top-1 and the right video have almost the same scores for all queries.", ARTEFACT
    ),
    "false_negative": Cause(
        "Probable false negative",
        "Captions of the top-1 say all that this caption says, or several other models and its read text prefer it.",
        ARTEFACT,
    ),
    "underspecified": Cause(
        "Underspecified caption",
        "The caption says less than nearly all others, or little and it opens by pointing back (he, they, the man), or "
        "the scores of all given models are flatter for it than for nearly all others; primary where videos that it "
        "fits are what stands above.",
        ARTEFACT,
    ),
    "label_suspect": Cause(
        "Suspect label",
        "Every run ranks the right item very low, and the words that the caption quotes were read in another video.",
        ARTEFACT,
    ),
    "ocr_missed": Cause(
        "Text missed by the OCR",
        "A word that the caption says stands in the video is not among the read words, nor one like it.",
        TEXT,
    ),
    "ocr_misread": Cause("Text misread", "The OCR has such a word with other letters.", TEXT),
    "ocr_filtered": Cause("Text filtered out", "The OCR has the word, but the model was not given it.", TEXT),
    "ocr_not_sampled": Cause(
        "Text not sampled", "The word stands only in frames that the OCR or the model did not look at.", TEXT
    ),
    "ocr_ignored": Cause(
        "Text not enough",
        "The model had the word, and most of the wrong items ranked above lack it; where word effects or a run without "
        "OCR are there, they show that it was not used.",
        TEXT,
    ),
    "ocr_distractor": Cause(
        "Misleading text",
        "Read text speaks more for the wrong answer than for the right one; where the run keeps the scores of its "
        "vision part, these prefer the right one.",
        TEXT,
    ),
    "ocr_flood": Cause("Too much text", "The model had the words of the caption among very many others.", TEXT),
    "number_swap": Cause(
        "Other number or name",
        "The top-1 has all words that the caption quotes but its numbers, or but the rarest word.",
        TEXT,
    ),
    "script_mismatch": Cause(
        "Other script", "A word was lost whose script the OCR did not read in the right video.", TEXT
    ),
    "negation_counting": Cause(
        "Negation or counting",
        "Captions of the top-1 say much the same, but not the negation or the count of this caption.",
        CONTENT,
    ),
    "temporal": Cause(
        "Order in time",
        "The caption says what comes first, and shuffled frames hardly change the rank; where no such run is there, "
        "captions of the top-1 say much the same.",
        CONTENT,
    ),
    "fine_grained": Cause(
        "Fine detail", "Captions of the top-1 say much the same, but not a verb, an attribute or a number.", CONTENT
    ),
    "tied": Cause(
        "Tied", "The right item has exactly the score of wrong ones; the rank is a matter of luck.", GEOMETRY
    ),
    "hub": Cause(
        "Hub",
        "The top-1 stands among the first 10 of far more queries than its share, and corrected for hubs the right item "
        "is found.",
        GEOMETRY,
    ),
    "anti_hub": Cause("Anti-hub", "The right item stands among the first 10 of no query at all.", GEOMETRY),
    "coin_flip": Cause("Coin flip", "The margin is smaller than it varies between seeds.", GEOMETRY),
    "truncated": Cause("Truncated", "The caption has more words than the model reads.", FORM),
    "non_english": Cause("Not English", "The caption is in another language.", FORM),
    "rare_words": Cause(
        "Rare words", "Training has many words of the caption never or once, or they fall into many sub-words.", FORM
    ),
    "cross_domain": Cause("Cross-domain confusion", "The top-1 is from another domain.", WHERE),
    "visual_in_domain": Cause(
        "Confusion inside the domain",
        "The top-1 is of the same domain, the scores of the vision part prefer it, and no artefact or cause in scene "
        "text explains the rank.",
        WHERE,
    ),
    "unexplained": Cause("Unexplained", "None of the computed causes explains the rank.", "other"),
}
