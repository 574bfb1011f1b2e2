"""Compare: the verdict, rank against rank, differences per domain, wins and losses."""

import streamlit as st

from workbench.app import loading
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.sweep_parts import show_sweeps
from workbench.app.text import plain
from workbench.app.widgets import DIRECTIONS, choose, choose_run, choose_switch, corpus_row
from workbench.core.errors import StateError
from workbench.evaluation.metrics.measures import METRICS
from workbench.figures import difference_bars, rank_against_rank

st.title("Compare")
place, runs, pick = corpus_row(3, 3, 3, 2, 3)
if len(runs) < 2:
    raise StateError("Two runs that can be looked at query by query are needed.", "Import a second one.")
with pick[0]:
    a = choose_run(runs, "A", "run", first=1)
with pick[1]:
    b = choose_run(runs, "B", "other")
with pick[2]:
    metric = choose("Metric", list(METRICS), "metric", show=lambda name: METRICS[name].heading)
with pick[3]:
    direction = choose_switch("Direction", DIRECTIONS, "direction")
if a.name == b.name:
    st.info("A and B are the same run. Choose another one to compare.", icon=":material/info:")
    st.stop()
result = loading.comparison(loading.key_of(a), loading.key_of(b), metric, direction)

with st.container(border=True):
    st.markdown(f"**{plain(result.verdict)}**")
    phi, top = result.overlap["phi"], result.overlap["top10"]
    st.caption(
        plain(f"Top-10 lists share {100 * top:.0f} % of their items; hits correlate with phi {phi:.2f}. {result.note}")
    )
left, right = st.columns([3, 2])
with left:
    st.subheader("Rank against rank")
    event = st.plotly_chart(
        rank_against_rank(result.table, a.name, b.name), key="ranks", on_select="rerun", selection_mode="points"
    )
    st.caption("Below the dotted line B ranks the right item higher. Click a point to open its query.")
with right:
    st.subheader("By domain")
    if result.by_domain.empty:
        st.caption("This corpus states no domains.")
    else:
        unit = f"B − A, {'points of ' if METRICS[metric].scale > 1 else ''}{METRICS[metric].label}"
        st.plotly_chart(difference_bars(result.by_domain, unit), key="domains")
        held = (result.by_domain["p_holm"] < 0.05).sum()
        st.caption(
            f"Grey: the 95 % interval of the domain holds 0. After Holm's correction over {len(result.by_domain)} "
            f"domains {held} differ."
        )


def open_query(query: str) -> None:
    """Go to the page of one query with both runs."""
    values = parameters(corpus=place, run=a.name, other=b.name, direction=direction, q=query)
    st.switch_page(page("query"), query_params=values)


if event["selection"]["points"]:
    open_query(event["selection"]["points"][0]["customdata"])
gap = (result.table["rank_a"] / result.table["rank_b"]).rename("times")
lists = result.table.assign(gap=gap)
for column, (outcome, title, ascending) in zip(
    st.columns(2), (("win", "Wins of B at rank 1", False), ("loss", "Losses of B at rank 1", True)), strict=True
):
    rows = lists[lists["outcome"] == outcome].sort_values("gap", ascending=ascending)
    with column:
        st.subheader(f"{title} ({len(rows)})")
        chosen = st.dataframe(
            rows[["text", "rank_a", "rank_b"]], hide_index=True, height=330, key=outcome,
            on_select="rerun", selection_mode="single-row",
            column_config={
                "text": st.column_config.TextColumn("Query" if direction == "t2v" else "Video", width="large"),
                "rank_a": st.column_config.NumberColumn("Rank in A", format="%.1f"),
                "rank_b": st.column_config.NumberColumn("Rank in B", format="%.1f"),
            },
        )  # fmt: skip
        if chosen["selection"]["rows"]:
            open_query(rows["id"].iloc[chosen["selection"]["rows"][0]])
show_sweeps([a, b], direction)
