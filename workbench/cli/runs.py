"""Commands about stored runs: list, show, watch, diff, rename, note, group, pack, unpack, remove."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from workbench.cli.common import AsJson, group, say, show_json, show_table
from workbench.cli.scores import show_metrics
from workbench.core.errors import StateError
from workbench.core.workspace import workspace
from workbench.evaluation import list_runs, open_run
from workbench.evaluation.runs import library
from workbench.evaluation.runs.progress import resume_command

app = group("runs", "List and keep runs.")
Name = Annotated[str, typer.Argument(help="A run.")]


@app.command("list", epilog="Example: workbench runs list --corpus msrvtt-1ka")
def list_(
    corpus: Annotated[str | None, typer.Option(help="Only runs on this corpus.")] = None,
    split: Annotated[str | None, typer.Option(help="Only runs on this split.")] = None,
    as_json: AsJson = False,
) -> None:
    """All runs, running and dead ones too, newest first."""
    table = list_runs(corpus, split)
    shown = (
        table
        if as_json
        else table[["name", "state", "corpus", "split", "t2v_r1", "v2t_r1", "scoring", "order", "note"]]
    )
    show_table(shown, as_json, empty="No run yet. Bring one with: workbench import sim.npy --corpus NAME --name NAME")


@app.command(epilog="Example: workbench runs show theirs")
def show(name: Name, as_json: AsJson = False) -> None:
    """What a run states about itself, and its metrics."""
    run = open_run(name)
    metrics = run.metrics if run.state == "finished" else None
    if as_json:
        show_json({**run.info, "metrics": metrics})
        return
    facts = {key: value for key, value in run.info.items() if value not in (None, "", {}, [])}
    show_table(pd.DataFrame(facts.items(), columns=["key", "value"]))
    if metrics is None:
        say(f"The run is {run.state}, so it has no metrics.")
        return
    show_metrics(metrics, run, as_json)


@app.command(epilog="Example: workbench runs watch demo-fusion")
def watch(
    name: Annotated[str | None, typer.Argument(help="A run that is being trained; none = a table of all.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Say it once, do not wait for the end.")] = False,
    every: Annotated[float, typer.Option(help="Seconds between looks.", min=0.1)] = 2.0,
    as_json: AsJson = False,
) -> None:
    """What is running or has died; with a name its steps, loss and time left until it ends. Ctrl-C ends nothing."""
    if name is None:
        _watch_all(as_json)
        return
    from workbench.training import progress_of

    said = ""
    while True:
        found = progress_of(name)
        if found.sentence != said:
            said = found.sentence
            show_json(found.to_dict()) if as_json else say(said)
        if once or found.ended:
            break
        time.sleep(every)
    if found.state in ("failed", "dead"):
        begun = workspace().find("runs", name) is not None
        remedy = f"Go on with it: {resume_command(open_run(name))}" if begun else "Start it again."
        raise StateError(f"Run {name} is {found.state}.", remedy)


def _watch_all(as_json: bool) -> None:
    from workbench.core.jobs import damaged_jobs, list_jobs

    runs = list_runs()
    rows = [
        {"what": "run", "name": row["name"], "state": row["state"], "progress": f"last sign {row['last_sign']}"}
        for row in runs[runs["state"] != "finished"].to_dict("records")
    ]
    for error in damaged_jobs():
        rows.append({"what": "job", "name": "", "state": "unreadable", "progress": str(error)})
    for job in list_jobs():
        done = job.progress
        said = f"{done['label']}: {done['done']:g} of {done['total'] or '?'} {done['unit']}" if done else job.tail(1)
        rows.append({"what": "job", "name": job.name, "state": job.state, "progress": said})
    table = pd.DataFrame(rows, columns=["what", "name", "state", "progress"])
    show_table(table, as_json, empty="Nothing is running.")


OF = {"recipe": "config", "seed": "config", "model": "config", "choices": "config", "input_rules": "config"}
OF |= {"git": "commit", "versions": "commit", "corpus": "data", "data": "data"}
"""What an entry of ``run.json`` speaks of; anything else speaks of the run."""


@app.command(epilog="Example: workbench runs diff theirs ours")
def diff(run_a: Name, run_b: Name, as_json: AsJson = False) -> None:
    """What differs between two runs: config, commit and versions, data, protocol."""
    table = library.difference(open_run(run_a), open_run(run_b))
    table.insert(0, "of", [OF.get(key.partition(".")[0], "run") for key in table["key"]])
    order = table["of"].map({"config": 0, "commit": 1, "data": 2, "run": 3})
    shown = table.iloc[order.argsort(kind="stable")]
    show_table(shown, as_json, empty="No difference but name and time.")


@app.command(epilog="Example: workbench runs rename theirs clip4clip")
def rename(name: Name, new_name: Annotated[str, typer.Argument(help="The new name.")]) -> None:
    """Give a run another name."""
    say(f"{name} is now {library.rename(open_run(name), new_name).name}.")


@app.command(epilog="Example: workbench runs note theirs 'from the authors, e-mail of 3 May'")
def note(name: Name, text: Annotated[str, typer.Argument(help="The note; replaces the old one.")]) -> None:
    """Write a note into a run."""
    library.note(open_run(name), text)
    say(f"Noted in {name}.")


@app.command("group", epilog="Example: workbench runs group fusion seed0 seed1 seed2")
def group_(
    name: Annotated[str, typer.Argument(help="The group; '' takes runs out of theirs.")],
    runs: Annotated[list[str], typer.Argument(help="Runs that differ in their seed alone.")],
) -> None:
    """Show runs that differ in their seed alone as one: mean over seeds, spread of seeds, interval over queries."""
    for run in [open_run(one) for one in runs]:
        library.regroup(run, name)
    say(f"{', '.join(runs)}: now of group {name}." if name else f"{', '.join(runs)}: of no group.")


@app.command(epilog="Example: workbench runs pack theirs theirs.zip")
def pack(name: Name, file: Annotated[Path, typer.Argument(help="The archive to write, .zip")]) -> None:
    """One file to hand on; the other side uses `runs unpack`."""
    path = library.pack(open_run(name), file)
    say(f"Wrote {path} ({path.stat().st_size / 2**20:.1f} MiB).")


@app.command(epilog="Example: workbench runs unpack theirs.zip --name from-berlin")
def unpack(
    file: Annotated[Path, typer.Argument(help="An archive made by `runs pack`.")],
    name: Annotated[str | None, typer.Option(help="Another name than the packed one.")] = None,
) -> None:
    """Take a packed run into the workspace."""
    say(f"Unpacked run {library.unpack(file, name).name}.")


@app.command(epilog="Example: workbench runs remove theirs")
def remove(name: Name) -> None:
    """Move a run to the trash of the workspace."""
    say(f"{name} lies now in {library.remove(open_run(name))}.")
