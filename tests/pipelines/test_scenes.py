"""The films of the demo corpus: every scene draws, the same clip gives the same frames, and texts lie where it says."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

pytest.importorskip("PIL", reason="needs Pillow, which make setup installs")
pytest.importorskip("matplotlib", reason="needs the fonts of matplotlib, which make setup installs")

from workbench.pipelines.demo.clip import COLOURS, FPS, HEIGHT, STAGE, WIDTH, Clip, Sign
from workbench.pipelines.demo.scenes import DOMAINS, draw
from workbench.pipelines.demo.scenes.canvas import PAINT
from workbench.pipelines.demo.scenes.lettering import font

LONG = (Sign("Café Bellevue am Markt", 28), Sign("Добро пожаловать домой", 20, 1.0), Sign("Ταβέρνα στο λιμάνι 24", 6))


def clip(domain: str, actor: int = 0, setting: int = 0, colour: str = "red", **more: object) -> Clip:
    """A short clip of a domain."""
    actors, settings = STAGE[domain]
    parts: dict[str, object] = {"seed": 7, "signs": (Sign("Open"),), "seconds": 1 / FPS} | more
    return Clip(f"{domain}/a.mp4", domain, actor=actors[actor], setting=settings[setting], colour=colour, **parts)  # type: ignore[arg-type]


def test_every_domain_of_the_stage_has_a_scene():
    assert set(DOMAINS) == set(STAGE)
    assert set(PAINT) == set(COLOURS)


@pytest.mark.parametrize("domain", STAGE)
def test_every_actor_in_every_setting_and_colour_draws(domain):
    actors, settings = STAGE[domain]
    seen = set()
    for actor, setting, colour in product(range(len(actors)), range(len(settings)), COLOURS):
        [(frame, quads)] = draw(clip(domain, actor, setting, colour))
        assert frame.shape == (HEIGHT, WIDTH, 3) and frame.dtype == np.uint8
        assert len(quads) == 1
        seen.add(frame.tobytes())
    assert len(seen) == len(actors) * len(settings) * len(COLOURS)


@pytest.mark.parametrize("domain", STAGE)
def test_the_actor_has_its_colour(domain):
    """Swapping the colour changes a good part of the picture, and makes it redder or bluer."""
    for actor in range(4):
        [(red, _)] = draw(clip(domain, actor, colour="red"))
        [(blue, _)] = draw(clip(domain, actor, colour="blue"))
        changed = (np.abs(red.astype(int) - blue).max(axis=2) > 40).mean()
        assert changed > 0.02, f"{STAGE[domain][0][actor]}: {changed:.3f}"
        assert red[..., 0].mean() > blue[..., 0].mean() and red[..., 2].mean() < blue[..., 2].mean()


@pytest.mark.parametrize("domain", STAGE)
def test_the_same_clip_gives_the_same_frames_and_another_seed_others(domain):
    same = clip(domain, 1, 2, "green", seconds=0.34)
    first, second = [frame for frame, _ in draw(same)], [frame for frame, _ in draw(same)]
    assert len(first) == 4
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], first[-1]), "nothing moves"
    other = [frame for frame, _ in draw(clip(domain, 1, 2, "green", seconds=0.34, seed=8))]
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("domain", STAGE)
@pytest.mark.parametrize("signs", [(Sign("EXIT 24", 14),), LONG], ids=["one", "three long"])
def test_texts_lie_inside_the_frame_for_most_of_the_clip(domain, signs):
    for seed in range(2):
        places = [quads for _, quads in draw(clip(domain, seed, seed, seed=seed, signs=signs, seconds=1.5))]
        for number in range(len(signs)):
            quads = [quads[number] for quads in places if quads[number] is not None]
            assert len(quads) >= 0.6 * len(places)
            for quad in quads:
                assert quad.shape == (4, 2)
                assert quad.min() >= 0 and quad[:, 0].max() <= WIDTH and quad[:, 1].max() <= HEIGHT
                assert quad[0, 0] < quad[1, 0] and quad[0, 1] < quad[3, 1], "not clockwise from the top left"


def middle(case: Clip) -> tuple[np.ndarray, np.ndarray]:
    """The middle frame of a clip and the place of its first text."""
    frames = list(draw(case))
    frame, quads = frames[len(frames) // 2]
    assert quads[0] is not None
    return frame.astype(int), quads[0]


def crop(frame: np.ndarray, quad: np.ndarray) -> np.ndarray:
    """The upright part of a frame around a quad."""
    (x0, y0), (x1, y1) = np.floor(quad.min(axis=0)).astype(int), np.ceil(quad.max(axis=0)).astype(int)
    return frame[y0:y1, x0:x1]


@pytest.mark.parametrize("domain", STAGE)
def test_the_text_is_what_differs_when_the_text_differs(domain):
    one, quad = middle(clip(domain, signs=(Sign("MOHN", 16),), seconds=0.4))
    other, _ = middle(clip(domain, signs=(Sign("BIRD", 16),), seconds=0.4))
    assert np.abs(crop(one, quad) - crop(other, quad)).max() > 100
    assert crop(one, quad).max() - crop(one, quad).min() > 120, "hard to read"


@pytest.mark.parametrize("domain", STAGE)
def test_blur_softens_the_text(domain):
    def edges(blur: float) -> float:
        frame, quad = middle(clip(domain, signs=(Sign("MOHN 24", 16, blur),), seconds=0.4))
        return float(np.abs(np.diff(crop(frame, quad), axis=1)).mean())

    assert edges(2.0) < 0.6 * edges(0.0)


@pytest.mark.parametrize("face", ["DejaVuSans-Bold", "DejaVuSans", "DejaVuSerif-Bold", "DejaVuSansMono-Bold"])
@pytest.mark.parametrize("letters", ["ЖФЯЮщыдл", "ΞΨΩΔλφβθ", "ÄÉßñøŠŁç"])
def test_the_fonts_have_the_letters(face, letters):
    """A glyph that a font lacks is drawn as the same box for every letter."""
    missing = bytes(font(face, 32).getmask("\U000e0fff"))
    drawn = [bytes(font(face, 32).getmask(letter)) for letter in letters]
    assert len(set(drawn)) == len(letters)
    assert missing not in drawn
