"""Leaderboard: first the verdict, intervals and what costs most; then the table as in every paper, and parts."""

import streamlit as st

from workbench.app import loading
from workbench.app.headings import heading, page_heading
from workbench.app.parts.board import (
    BOTH,
    DEFAULT,
    board_table,
    choose_charted,
    metric_options,
    show_biggest,
    show_intervals,
    show_notes,
    show_parts,
    show_verdict,
    show_warnings,
)
from workbench.app.parts.downloads import show_table
from workbench.app.parts.widgets import DIRECTIONS, choose_corpus, choose_several, choose_switch, warn_outdated
from workbench.app.readable import say_unreadable
from workbench.app.text import plain
from workbench.evaluation.metrics.scene_text import SLICES
from workbench.evaluation.statistics.groups import seed_groups

page_heading("Leaderboard")
pick = st.columns([3, 9])
with pick[0]:
    place, finished = choose_corpus()
say_unreadable(finished)
runs = [loading.run_named(name) for name in finished.table["name"]]
keys = tuple(map(loading.key_of, runs))
able = [run for run in runs if not run.totals_only]
ceiling = loading.ceiling(loading.key_of(able[0])) if able else None
show_verdict(keys, ceiling)
grid = st.grid(3, min_column_width=330)
first = [grid.cell() for _ in range(3)]
notes = st.container()

heading("All metrics")
pick = st.columns([7, 3])
with pick[0]:
    metrics = choose_several("Metrics", metric_options(), "metrics", DEFAULT)
seeds = "mean"
if len(seed_groups(runs)) < len(runs):
    with pick[1]:
        seeds = choose_switch("Seeds", {"mean": "as one run", "each": "each run too"}, "seeds")
board = loading.board(keys, tuple(name for name in metrics if name != BOTH), seeds == "each")
for cell, (direction, label) in zip(first, DIRECTIONS.items(), strict=False):
    with cell:
        st.markdown(f"**{label}**")
        limit = ceiling[direction]["r1"] if ceiling else None
        show_intervals(board, runs, direction, limit, seeds=seeds == "each")
for direction, label in DIRECTIONS.items():
    st.markdown(f"**{label}**")
    shown, look = board_table(board, direction, [name for name in metrics if name != BOTH or direction == "t2v"])
    show_table(shown, f"leaderboard {direction} {place}", column_config=look, height="content")
show_notes(board)
with notes:
    warn_outdated(runs)
    show_warnings(board[board["group"] == ""])
charted = choose_charted(able)
if able and not able[0].gallery["domain"].notna().any():
    st.caption("This corpus states no domains, so there is no break-down by domain.")
elif able:
    heading("By domain")
    tables = {run.name: loading.by_domain(loading.key_of(run), "r1", "t2v") for run in charted}
    show_parts(tables, "domain", "analysis.by_domain(one)")
    few = {note for one in tables.values() for note in one["label"] + ": " + one["note"] if not note.endswith(": ")}
    st.caption(plain("; ".join(sorted(few))))
for kind in loading.slice_columns(able[0]) if able else []:
    heading(f"By {'scene-text query' if kind in SLICES else plain(kind.replace('_', ' '))}")
    tables = {run.name: loading.by_slice(loading.key_with_texts(run), kind, "r1") for run in charted}
    show_parts(tables, kind, f'analysis.by_slice(one, "{kind}", "r1")')
    if kind in SLICES:
        st.caption(f"By the definition {SLICES[kind]}: the caption quotes, marks or names something written.")
best = [run for run in able if not run.info.get("ablation")] or able
if best:
    with first[2]:  # filled last: the numbers stand while causes are looked for
        st.markdown(f"**What costs {plain(best[0].name)} most**")
        show_biggest(place, best[0])
