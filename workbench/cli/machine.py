"""Commands about this machine: doctor, home, app, cache."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.common import AsJson, group, say, show_table
from workbench.core.caches import cache_parts, prune_cache
from workbench.core.errors import DataError
from workbench.core.workspace import set_home, workspace

cache = group("cache", "What the workbench keeps to save time; safe to remove.")


def doctor(
    selftest: Annotated[
        bool, typer.Option("--selftest", help="Draw, decode, read, train, resume and score something small: a minute.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at this machine: Python, torch and GPU, decoders, faiss, OCR, ffmpeg, browser, workspace, network."""
    from workbench.pipelines.doctor import PROBLEM, examine

    if selftest:
        from workbench.training.selftest import selftest as run

        table = run()
    else:
        table = examine()
    show_table(table, as_json)
    if (table["state"] == PROBLEM).any():
        raise typer.Exit(1)


def home(
    path: Annotated[Path | None, typer.Argument(help="Folder to use from now on; none = say the current one.")] = None,
) -> None:
    """Say which workspace is used and why, or remember another one."""
    if path is not None:
        say(f"Workspace set to {set_home(path)}.")
    space = workspace()
    say(f"{space.home} ({space.reason})")
    if path is not None and space.home != path.expanduser().resolve():
        say(f"Note: in this folder another one is used, because of: {space.reason}.")


def open_app(
    port: Annotated[int | None, typer.Option(help="Port; none = 8501, or the next free one.")] = None,
    address: Annotated[
        str, typer.Option(help="Address to listen on; anything but localhost opens it to others.")
    ] = "localhost",
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    token: Annotated[
        str | None, typer.Option(help="Lock it: a text that its link must carry, or auto to have one made.")
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Make the demo meanwhile, if this workspace lacks it.")] = False,
) -> None:
    """Open the app; prints its address, and the ssh tunnel line for a remote machine."""
    from workbench.cli.serve import free_port, serve

    port = free_port(address, port)
    if demo:
        _make_demo()
    serve(port=port, address=address, browser=browser, token=token, say=say)


def _make_demo() -> None:
    """Start making the demo as a job that the page shows, unless it stands."""
    from workbench.core.jobs import start
    from workbench.training.demo import is_made

    if not is_made():
        job = start(["demo"], name="demo")
        say(f"The demo is made meanwhile, in some minutes; the page fills. Its log: {job.folder / 'log.txt'}")


@cache.command("size", epilog="Example: workbench cache size --json")
def cache_size(as_json: AsJson = False) -> None:
    """Size of every part of the cache, of all of it, and its limit."""
    import pandas as pd

    from workbench.pipelines.cache_limit import cache_limit

    folder, limit = workspace().cache, cache_limit()
    sizes = cache_parts(folder)
    rows: list[tuple[str, float, float | None]] = [(part, size / 2**20, None) for part, size in sizes.items()]
    if rows:
        rows.append(("all", sum(sizes.values()) / 2**20, None if limit is None else limit / 2**20))
    table = pd.DataFrame(rows, columns=["part", "MiB", "limit MiB"])
    show_table(table, as_json, empty=f"The cache {folder} is empty.")
    if not as_json:
        say(f"Its limit: {_limit_said(limit)}")


def _limit_said(limit: int | None) -> str:
    if limit is None:
        return "none. Set one, in GB: workbench cache limit 50"
    return f"{limit / 1e9:g} GB, kept after each training and encoding; indexes are not removed."


@cache.command("limit", epilog="Example: workbench cache limit 50")
def cache_limit(
    gigabytes: Annotated[str | None, typer.Argument(help="Gigabytes, or none; left out = say the limit.")] = None,
) -> None:
    """State how large the cache of this workspace may grow; what was not used for longest goes first."""
    from workbench.pipelines import cache_limit as limits

    if gigabytes is not None:
        try:
            limits.set_cache_limit(None if gigabytes == "none" else float(gigabytes))
        except ValueError as error:
            raise DataError(f"{gigabytes!r} is no number.", "Write e.g. 50, or none.") from error
    say(f"The limit of {workspace().cache}: {_limit_said(limits.cache_limit())}")


@cache.command("prune", epilog="Example: workbench cache prune frames --max-gb 20")
def cache_prune(
    part: Annotated[str | None, typer.Argument(help="One part; none = everything.")] = None,
    max_gb: Annotated[float, typer.Option(help="Gigabytes that may stay; what was not used for longest goes.")] = 0.0,
) -> None:
    """Remove cached files; they are made again when needed."""
    if max_gb < 0:
        raise DataError(f"--max-gb is {max_gb:g}.", "Give 0 or more.")
    say(f"Freed {prune_cache(workspace().cache, part, int(max_gb * 1e9)) / 2**20:.1f} MiB.")
