"""Small corpora whose scores are written and read again."""

from __future__ import annotations

import pandas as pd
from hypothesis import strategies as st

from workbench.corpus import save_corpus

scores = st.floats(width=32, allow_nan=False, allow_infinity=False)


def corpus_of(names, captions, texts=None):
    """A corpus of these video ids, one caption each."""
    tables = {
        "videos": pd.DataFrame({"video_id": names, "split": "test", "status": "not_kept"}),
        "captions": pd.DataFrame({
            "caption_id": captions, "video_id": names, "text": texts or [f"words of {i}" for i in range(len(names))],
            "role": "original", "split": "test",
        }),
    }  # fmt: skip
    return save_corpus("own", tables, overwrite=True).with_split("test")
