"""The player component on a page: a video where there is one, else a calm sentence."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.filmed import filmed_corpus, with_text

pytestmark = pytest.mark.filterwarnings("default")

PAGE = """
import streamlit as st
import workbench as wb
from workbench.app.components.player import player
player(wb.open_corpus("mine"), st.query_params["video"], key="p", engine=st.query_params.get("engine"))
"""


@pytest.fixture
def corpus(home, tmp_path):
    return with_text(filmed_corpus(tmp_path / "films"), "a.mp4", "rapidocr", ["MIRA"])


def opened(video: str, **parameters: str) -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=30)
    for key, value in {"video": video, **parameters}.items():
        app.query_params[key] = value
    return app.run()


def test_a_video_is_mounted(corpus):
    app = opened("a.mp4")
    assert not app.exception and not app.info and not app.warning


@pytest.mark.parametrize(
    ("video", "parameters", "said"),
    [
        ("bad.mp4", {}, "bad.mp4 cannot be played"), ("<b>*x*</b>", {}, "has no video"),
        ("a.mp4", {"engine": "nobody"}, "no text of the engine"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_a_warning(corpus, video, parameters, said):
    app = opened(video, **parameters)
    assert not app.exception and said in app.warning[0].value.replace("\\", "")
    assert "<b>" not in app.warning[0].value and " *x" not in app.warning[0].value


def test_a_file_that_is_gone_is_said_calmly(corpus, tmp_path):
    (tmp_path / "films" / "a.mp4").unlink()
    app = opened("a.mp4")
    assert not app.exception and "is gone" in app.info[0].value
