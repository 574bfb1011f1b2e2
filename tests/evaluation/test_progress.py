"""How far a training is, by its history."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.trained import history_of
from workbench.evaluation.runs.progress import RECENT, seconds_left, steps_made


def test_steps_and_time_left_by_the_pace_of_the_last_reports():
    history = history_of([1.0] * 40, {20: 0.5})
    assert steps_made(history) == 40 and seconds_left(history, 100, 40) == pytest.approx(60 * 2.0)
    slow = history.copy()
    late = (slow["name"] == "elapsed") & (slow["step"] >= 40 - RECENT)
    slow.loc[late, "value"] = 3.0 * slow.loc[late, "step"]
    assert seconds_left(slow, 100, 40) == pytest.approx(60 * 3.0)  # what came before does not count
    assert seconds_left(history, 40, 40) == 0


def test_nothing_is_made_up():
    history = history_of([1.0], {})
    assert steps_made(None) == 0 and steps_made(history[:0]) == 0 and steps_made(history) == 1
    assert seconds_left(None, 10, 0) is None and seconds_left(history, 10, 1) is None
    assert seconds_left(history_of([1.0] * 5, {}), None, 5) is None
    still = pd.concat([history, history])
    assert seconds_left(still, 10, 1) is None  # two reports of one step
    looked = history_of([1.0, 1.0], {2: 0.5})
    assert steps_made(looked) == 2
