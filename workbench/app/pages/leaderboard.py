"""Leaderboard: which run is best and whether beyond noise; the table as in every paper; intervals and the ceiling."""

import streamlit as st

from workbench.app import loading
from workbench.app.parts.board import (
    BOTH,
    DEFAULT,
    board_table,
    choose_charted,
    metric_options,
    show_biggest,
    show_intervals,
    show_parts,
)
from workbench.app.parts.downloads import show_table
from workbench.app.parts.widgets import DIRECTIONS, choose_corpus, choose_several, choose_switch, warn_outdated
from workbench.app.text import plain
from workbench.evaluation.metrics.scene_text import SLICES
from workbench.evaluation.statistics.groups import seed_groups

st.title("Leaderboard")
pick = st.columns([2, 4, 2])
with pick[0]:
    place, table = choose_corpus()
runs = [loading.run_named(name) for name in table["name"]]
keys = tuple(map(loading.key_of, runs))
with pick[1]:
    metrics = choose_several("Metrics", metric_options(), "metrics", DEFAULT)
seeds = "mean"
if len(seed_groups(runs)) < len(runs):
    with pick[2]:
        seeds = choose_switch("Seeds", {"mean": "as one run", "each": "each run too"}, "seeds")
board = loading.board(keys, tuple(name for name in metrics if name != BOTH), seeds == "each")
able = [run for run in runs if not run.totals_only]
ceiling = loading.ceiling(loading.key_of(able[0])) if able else None

with st.container(border=True):
    st.markdown(f"**{plain(loading.verdict(keys))}**")
    if ceiling and ceiling["t2v"]["r1"] < 99.995:
        st.caption(
            f"Ceiling here, as equal captions cannot be told apart: text → video R@1 {ceiling['t2v']['r1']:.2f}, "
            f"video → text R@1 {ceiling['v2t']['r1']:.2f}."
        )

for direction, label in DIRECTIONS.items():
    st.header(label)
    shown, look = board_table(board, direction, [name for name in metrics if name != BOTH or direction == "t2v"])
    show_table(shown, f"leaderboard {direction} {place}", column_config=look, height="content")
if (board["n_seeds"] > 1).any():
    st.caption(
        "A group of seeds is one row: the mean over its seeds. Its interval says what other queries could have given "
        "at these seeds; the spread of seeds stands apart."
    )
left, middle, right = st.columns(3, gap="medium")
for column, direction in ((left, "t2v"), (middle, "v2t")):
    with column:
        limit = ceiling[direction]["r1"] if ceiling else None
        show_intervals(board, runs, direction, limit, seeds=seeds == "each")
if len(board) and not board["clustered"].all():
    st.caption(
        "The corpus does not state which videos share a source, so intervals are not clustered: they may be too narrow."
    )
warn_outdated(runs)
for row in board[(board["warning"] != "") & (board["group"] == "")].itertuples():
    st.warning(f"{plain(row.run)}: {plain(row.warning)}", icon=":material/warning:")
charted = choose_charted(able)
if able and not able[0].gallery["domain"].notna().any():
    st.caption("This corpus states no domains, so there is no break-down by domain.")
elif able:
    st.header("By domain")
    tables = {run.name: loading.by_domain(loading.key_of(run), "r1", "t2v") for run in charted}
    show_parts(tables, "domain", "analysis.by_domain(one)")
    few = {note for one in tables.values() for note in one["label"] + ": " + one["note"] if not note.endswith(": ")}
    st.caption(plain("; ".join(sorted(few))))
for kind in loading.slice_columns(able[0]) if able else []:
    st.header(f"By {plain(kind.replace('_', ' '))}")
    tables = {run.name: loading.by_slice(loading.key_with_texts(run), kind, "r1") for run in charted}
    show_parts(tables, kind, f'analysis.by_slice(one, "{kind}", "r1")')
    if kind in SLICES:
        st.caption(f"By the definition {SLICES[kind]}: the caption quotes, marks or names something written.")
best = [run for run in able if not run.info.get("ablation")] or able
if best:
    with right:  # filled last: the numbers stand while causes are looked for
        st.markdown(f"**What costs {plain(best[0].name)} most**")
        show_biggest(place, best[0])
