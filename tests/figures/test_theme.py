"""Colours of figures: told apart from the paper of both themes of the app, and from each other by colour-blind eyes."""

from __future__ import annotations

import itertools
import tomllib
from importlib.resources import files

import numpy as np
import pytest

from workbench.figures.theme import BAD, GOOD, MUTED, NEUTRAL, RUNS, A, B

THEMES = tomllib.loads(files("workbench.app.entry").joinpath(".streamlit", "config.toml").read_text("utf8"))["theme"]
EYES = {  # Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour: str) -> np.ndarray:
    """Linear RGB of #rrggbb (IEC 61966-2-1)."""
    share = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2: 1 to 21."""
    dark, light = sorted(float(linear(colour) @ TO_XYZ[1]) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* under D65."""
    x, y, z = np.cbrt(np.clip(TO_XYZ @ rgb / [0.95047, 1.0, 1.08883], 0.008856, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_stand_out_from_the_paper(theme):
    paper = THEMES[theme]["backgroundColor"]
    assert [one for one in (*RUNS, GOOD, BAD, NEUTRAL, MUTED) if contrast(one, paper) < 3] == []
    assert contrast(THEMES[theme]["textColor"], paper) > 7
    assert contrast(THEMES[theme]["primaryColor"], "#ffffff") > 4.5, "letters on buttons are white"


@pytest.mark.parametrize("eyes", EYES)
def test_colour_blind_eyes_tell_them_apart(eyes):
    seen = {one: lab(np.clip(np.array(EYES[eyes]) @ linear(one), 0, 1)) for one in (*RUNS, GOOD, BAD)}
    apart = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in itertools.combinations(seen, 2)}
    assert min(apart[pair] for pair in itertools.combinations(RUNS, 2)) > 8
    assert apart[A, B] > 30 and apart[GOOD, BAD] > 30
