"""Videos without files but with words, for tests of many at once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.corpus import Corpus, save_corpus


def read_videos(count: int, name: str = "many") -> Corpus:
    """Videos without files, two read words each; caption i asks for the words of video i."""
    ids = [f"v{i:04d}" for i in range(count)]
    words = [(f"NO{i}", f"SIGN{i % 37}") for i in range(count)]
    tables = {
        "videos": pd.DataFrame({"video_id": ids, "split": "test", "status": "not_kept"}),
        "captions": pd.DataFrame(
            {
                "caption_id": [f"{one}#0" for one in ids], "video_id": ids, "split": "test", "role": "original",
                "text": [f"a shop with {first} and {second}" for first, second in words],
            }
        ),
        "text_coverage": pd.DataFrame({"video_id": ids, "engine": "rapidocr", "state": "read"}),
        "texts": pd.DataFrame(
            {
                "text_id": [f"{one}#rapidocr#{n}" for one in ids for n in (0, 1)], "video_id": np.repeat(ids, 2),
                "kind": "ocr", "engine": "rapidocr", "text": [word for pair in words for word in pair],
                "score": 0.9,
            }
        ),
    }  # fmt: skip
    return save_corpus(name, tables).with_split("test")
