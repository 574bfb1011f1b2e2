"""What Streamlit makes of signs and names in text (seen in Chromium with Streamlit 1.67) is kept from happening."""

from __future__ import annotations

import pytest

from workbench.app.text import ACTIVE, BROKEN, plain


@pytest.mark.parametrize("text", ["a -> b", "--", "a <- b <-> c -- d", ">= <= ~=", "-> ->", ":smile: :material/home:"])
def test_signs_and_names_that_would_be_drawn_are_joined_unseen(text):
    told = plain(text)
    assert BROKEN in told
    unescaped = told.replace("\\", "").replace(BROKEN, "")
    assert unescaped == text
    for sign in ("->", "<-", "<->", "--", ">=", "<=", "~="):
        assert sign not in told.replace("\\", "").split()


@pytest.mark.parametrize("text", ["x->y", "10:30", "--name", "a - b", "!="])
def test_others_are_only_escaped(text):
    assert plain(text) == ACTIVE.sub(r"\\\1", text) and BROKEN not in plain(text)
