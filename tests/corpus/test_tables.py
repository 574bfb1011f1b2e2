from __future__ import annotations

import pandas as pd
import pytest

from workbench.core.errors import DataError, UnknownNameError
from workbench.corpus.tables import TABLES, empty, validate

VIDEOS = pd.DataFrame({"video_id": ["a", "b"], "split": "test", "status": "ok"})
CAPTION = {"caption_id": "a#0", "video_id": "a", "text": "x", "role": "original", "split": "test"}


def captions(**changes) -> pd.DataFrame:
    return pd.DataFrame([{**CAPTION, **changes}])


def test_tables_are_those_of_the_design():
    assert list(TABLES) == ["videos", "captions", "relevance", "renditions", "texts", "text_coverage", "boxes"]
    for name in TABLES:
        assert validate(name, empty(name)).empty


def test_optional_columns_are_added_and_types_kept():
    table = validate("videos", VIDEOS.assign(duration_s=[1, None]))
    assert list(table.columns) == list(TABLES["videos"].columns)
    assert table["duration_s"].dtype == "float64" and table["domain"].isna().all()


@pytest.mark.parametrize(
    ("name", "frame", "message"),
    [
        ("videos", VIDEOS.assign(colour="red"), "Table videos has an unknown column 'colour'. .*Known"),
        ("videos", VIDEOS.drop(columns="split"), "Table videos lacks the column 'split'"),
        (
            "videos",
            VIDEOS.assign(status=["ok", "lost"]),
            "Table videos, row 1, column status: 'lost'; it must be one of ok",
        ),
        ("videos", VIDEOS.assign(video_id="a"), "row 1, column video_id: 'a'; it stands twice"),
        ("videos", VIDEOS.assign(video_id=["a", None]), "row 1, column video_id: .*; it may not be empty"),
        ("videos", VIDEOS.assign(video_id=["a", ""]), "row 1, column video_id: ''; it may not be empty"),
        ("videos", VIDEOS.assign(video_id=["a", 7]), "row 1, column video_id: 7; it must be text"),
        ("videos", VIDEOS.assign(duration_s=[1, -2]), "row 1, column duration_s: -2.0; it must be at least 0"),
        ("videos", VIDEOS.assign(duration_s=[1, float("inf")]), "row 1, column duration_s: inf; it must be finite"),
        ("videos", VIDEOS.assign(duration_s=[1, "long"]), "row 1, column duration_s: 'long'; it must be a number"),
        ("captions", captions(video_id="c"), "row 0, column video_id: 'c'; no row of videos has this video_id"),
        ("captions", captions(role="other"), "column role: 'other'; it must be one of original"),
        (
            "relevance",
            pd.DataFrame([{"caption_id": "q", "video_id": "a", "grade": 1.5}]),
            "column grade: 1.5; it must be whole",
        ),
    ],
)
def test_broken_rule_names_table_row_and_column(name, frame, message):
    with pytest.raises(DataError, match=message):
        validate(name, frame, {"videos": VIDEOS})


def test_unknown_table():
    with pytest.raises(UnknownNameError, match="No table is called 'video'. Did you mean videos"):
        validate("video", VIDEOS)
