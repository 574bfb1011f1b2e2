"""Results and errors come beside their items, from this process as from many; a crash costs its own item only."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from tests.workers import begin, die, die_once, stumble, work
from workbench.core import pool
from workbench.core.errors import DataError, StateError
from workbench.core.pool import default_workers, over
from workbench.core.progress import CallbackSink, use_sink


def run(items, function, workers, **more):
    return dict(over(items, function, label="Working", workers=workers, **more))


def shown(results: dict) -> dict:
    return {item: str(result) if isinstance(result, Exception) else result for item, result in results.items()}


def test_one_process_and_many_give_the_same():
    here = run(range(12), work, 1, setup=begin, setup_args=(3,))
    assert here[2] == 7 and isinstance(here[5], DataError) and str(here[5]) == "5 is a multiple of 5. Leave it out."
    assert shown(run(range(12), work, 3, setup=begin, setup_args=(3,))) == shown(here)
    begin(0)


def test_a_crash_is_named_and_the_others_finish():
    found = run(range(11), die, 3)
    crashed = {item for item, result in found.items() if isinstance(result, StateError)}
    assert crashed == {0, 4, 8} and "crashed" in str(found[4])
    assert all(found[item] == item for item in set(range(11)) - crashed)


def test_a_crash_that_does_not_come_back_is_no_error(tmp_path):
    paths = [tmp_path / "a", tmp_path / "b"]
    paths[1].touch()
    assert run(paths, die_once, 2) == {path: path.name for path in paths}


def test_an_item_that_a_broken_pool_refuses_is_not_lost(monkeypatch):
    class Breaks(ProcessPoolExecutor):
        taken = 0

        def submit(self, function, /, *args, **more):
            Breaks.taken += 1
            if Breaks.taken == 2:
                raise BrokenProcessPool("a process died while none was looking")
            return super().submit(function, *args, **more)

    monkeypatch.setattr(pool, "ProcessPoolExecutor", Breaks)
    assert run(range(1, 4), work, 2) == {1: 1, 2: 4, 3: 9}


def test_no_process_is_added_while_the_pool_watches_for_crashes():
    with pool._executor(3, work, None, ()) as executor:
        assert executor.submit(work, 1).result() == 1
        started = set(executor._processes)
        assert len(started) == 3
        assert [executor.submit(work, item).result() for item in (2, 3, 4)] == [4, 9, 16]
        assert set(executor._processes) == started


def test_nothing_to_do_and_progress():
    assert run([], work, None) == {} and default_workers() >= 1
    seen = []
    with use_sink(CallbackSink(lambda *step: seen.append(step))):
        assert len(run([1, 5], work, 1, unit="things")) == 2
    assert seen == [("Working", 0.0, 2, "things"), ("Working", 1.0, 2, "things"), ("Working", 2.0, 2, "things")]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_mistake_of_the_programmer_is_not_hidden(workers):
    with pytest.raises(ZeroDivisionError):
        run([1, 0, 2, 3], stumble, workers)


def test_stopping_early_ends_the_processes():
    results = over(range(1, 40), die, label="Working", workers=2)
    assert next(results)[0] in (1, 2)
    results.close()
