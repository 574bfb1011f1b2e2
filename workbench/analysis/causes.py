"""The causes of a failure: their names, what they mean, and in which order the first one that holds becomes primary."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """One cause.

    Attributes:
        label: Its name on screens.
        sentence: What it means and when it is given.
        family: artefact (not the model's fault), scene text, content, geometry, query form, other.
        computed: Whether this version can compute it.
    """

    label: str
    sentence: str
    family: str
    computed: bool = False


ARTEFACT, TEXT, CONTENT, GEOMETRY, FORM = "artefact", "scene text", "content", "geometry", "query form"

CAUSES: dict[str, Cause] = {  # in the order in which the primary cause is chosen
    "duplicate_caption": Cause(
        "Duplicate caption", "Another query has the same words and another right video.", ARTEFACT, True
    ),
    "same_source": Cause(
        "Same-source video", "The top-1 was cut from the same recording as the right video.", ARTEFACT, True
    ),
    "near_duplicate_video": Cause(
        "Near-duplicate video",
        "The top-1 and the right video have almost the same scores for all queries.",
        ARTEFACT,
        True,
    ),
    "false_negative": Cause(
        "Probable false negative", "The top-1 fits the caption as well as the right video.", ARTEFACT
    ),
    "underspecified": Cause("Underspecified caption", "The caption fits many videos.", ARTEFACT),
    "label_suspect": Cause("Suspect label", "Every model ranks the right video very low.", ARTEFACT),
    "ocr_missed": Cause(
        "Text missed by the OCR",
        "A word that the caption says stands in the video is not among the read words, nor one like it.",
        TEXT,
        True,
    ),
    "ocr_misread": Cause("Text misread", "The OCR has such a word with other letters.", TEXT, True),
    "ocr_filtered": Cause("Text filtered out", "The OCR has the word, but the model was not given it.", TEXT, True),
    "ocr_not_sampled": Cause("Text not sampled", "The word stands in frames that were not sampled.", TEXT),
    "ocr_ignored": Cause(
        "Text ignored", "The model had the word, and most of the wrong items ranked above lack it.", TEXT, True
    ),
    "ocr_distractor": Cause("Misleading text", "Text of the top-1 matches the caption better.", TEXT),
    "ocr_flood": Cause("Too much text", "The right words drown among others.", TEXT),
    "number_swap": Cause("Other number or name", "The top-1 differs in a number or a rare word only.", TEXT),
    "script_mismatch": Cause("Other script", "Caption and text are in different scripts.", TEXT),
    "tied": Cause(
        "Tied", "The right item has exactly the score of wrong ones; the rank is a matter of luck.", GEOMETRY, True
    ),
    "hub": Cause("Hub", "The top-1 stands among the first 10 of far more queries than its share.", GEOMETRY, True),
    "anti_hub": Cause("Anti-hub", "The right video stands among the first 10 of no query at all.", GEOMETRY, True),
    "cross_domain": Cause("Cross-domain confusion", "The top-1 is from another domain.", CONTENT, True),
    "visual_in_domain": Cause(
        "Confusion inside the domain",
        "The top-1 is of the same domain, and no cause in scene text holds; where the run keeps the scores of its "
        "vision part, these prefer the top-1 too.",
        CONTENT,
        True,
    ),
    "fine_grained": Cause("Fine detail", "Only a verb, an attribute or a number differs.", CONTENT),
    "temporal": Cause("Order in time", "The caption says what comes first; the model ignores order.", CONTENT),
    "negation_counting": Cause("Negation or counting", "The caption says not, none, or how many.", CONTENT),
    "coin_flip": Cause("Coin flip", "The margin is smaller than between two seeds.", GEOMETRY),
    "truncated": Cause("Truncated", "The caption is longer than the model reads.", FORM),
    "rare_words": Cause("Rare words", "The caption hangs on words the model hardly knows.", FORM),
    "non_english": Cause("Not English", "The caption is in another language.", FORM),
    "unexplained": Cause("Unexplained", "None of the computed causes holds.", "other", True),
}
