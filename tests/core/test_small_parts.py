"""Errors, look-ups, optional imports, seeds, progress."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core import errors, optional
from workbench.core.lookup import pick
from workbench.core.progress import CallbackSink, meter, track, use_sink
from workbench.core.seeds import generator


def test_every_error_is_one_tree_with_a_remedy():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) == 9
    for kind in kinds:
        assert issubclass(kind, errors.WorkbenchError)
        error = kind("The file x is empty.", "Save it again.")
        assert str(error) == "The file x is empty. Save it again."
        assert (error.message, error.remedy) == ("The file x is empty.", "Save it again.")


def test_pick_names_the_nearest():
    table = {"msrvtt": 1, "textvr": 2}
    assert pick(table, "textvr", "format") == 2
    with pytest.raises(errors.UnknownNameError, match="No format is called 'mrsvtt'. Did you mean msrvtt?"):
        pick(table, "mrsvtt", "format")
    with pytest.raises(errors.UnknownNameError, match="Known: msrvtt, textvr."):
        pick(table, "zzz", "format")
    with pytest.raises(errors.UnknownNameError, match="There is none yet."):
        pick({}, "zzz", "run")


def test_need_says_which_extra_brings_it(monkeypatch):
    monkeypatch.setitem(optional.EXTRA_OF, "no_such_package_here", "ocr")
    with pytest.raises(errors.MissingExtraError, match=r"Reading text needs .* pip install 'textvr-workbench\[ocr\]'"):
        optional.need("no_such_package_here", "Reading text")
    assert optional.need("json", "Tests").loads("1") == 1
    assert optional.has("json") and not optional.has("no_such_package_here")


def test_a_broken_package_is_not_hidden(tmp_path, monkeypatch):
    (tmp_path / "broken_package_here.py").write_text("import another_missing_package_here")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="another_missing_package_here"):
        optional.need("broken_package_here", "Tests")


def test_seeds_depend_on_what_is_drawn():
    a, b, c = (generator(seed, *keys).random(3) for seed, *keys in ((0, "x", 1), (0, "x", 1), (0, "x", 2)))
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_progress_is_silent_or_reported():
    assert list(track([1, 2], "Counting")) == [1, 2]
    seen = []
    with use_sink(CallbackSink(lambda *state: seen.append(state))):
        assert list(track([1, 2], "Counting", unit="things")) == [1, 2]
        with meter("Reading", 10, "bytes") as m:
            m.advance(4)
    assert seen[0] == ("Counting", 0.0, 2, "things")
    assert seen[2] == ("Counting", 2.0, 2, "things")
    assert seen[-1] == ("Reading", 4.0, 10, "bytes")
