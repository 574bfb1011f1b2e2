"""Query: one query in every run: ranks, margin, cause, and the first ten side by side."""

import streamlit as st

from workbench.analysis import CAUSES
from workbench.analysis.case import open_case
from workbench.app import loading
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.text import plain
from workbench.app.widgets import DIRECTIONS, choose_run, choose_switch, corpus_row

st.title("Query")
place, runs, pick = corpus_row(2, 2, 2, 2)
with pick[0]:
    run = choose_run(runs)
with pick[1]:
    other = choose_run(runs, "Beside", "other", first=1) if len(runs) > 1 else run
with pick[2]:
    direction = choose_switch("Direction", DIRECTIONS, "direction")
ids = run.per(direction)["id"].to_list()
asked = st.query_params.get("q", "")
query = asked if asked in set(ids) else ids[0]
if asked and asked != query:
    st.warning(plain(f"This run has no query {asked}; the first one is shown."))
at = ids.index(query)


def go(step: int) -> dict[str, str]:
    """Parameters of the query some steps on."""
    near = ids[(at + step) % len(ids)]
    return parameters(corpus=place, run=run.name, other=other.name, direction=direction, q=near)


case = open_case(run, query, direction)
with st.container(border=True):
    st.markdown(f"### {plain(case.title)}")
    facts = [f"Query {at + 1:,} of {len(ids):,}", f"right: {case.right}"] + ([case.place] if case.place else [])
    st.caption(plain("  ·  ".join(facts)))
steps = st.columns([1, 1, 5])
steps[0].page_link(page("query"), label="Previous", icon=":material/arrow_back:", query_params=go(-1))
steps[1].page_link(page("query"), label="Next", icon=":material/arrow_forward:", query_params=go(1))

shown = [run] if other.name == run.name else [run, other]
for column, one in zip(st.columns(len(shown)), shown, strict=True):
    case = open_case(one, query, direction)
    with column:
        st.subheader(plain(one.name))
        numbers = st.columns(3)
        numbers[0].metric("Rank", f"{case.rank:g}")
        numbers[1].metric("Score of the right one", "not scored" if case.score is None else f"{case.score:.3f}")
        numbers[2].metric("Margin to best wrong", "–" if case.margin is None else f"{case.margin:+.3f}")
        failed = loading.failures(loading.key_of(one), 1, direction)
        why = failed[failed["query_id"] == query]
        if why.empty:
            st.success("Found at rank 1.", icon=":material/check_circle:")
        else:
            row = why.iloc[0]
            also = [CAUSES[cause].label for cause in row["causes"][1:]]
            extra = f" Also: {', '.join(also)}." if also else ""
            st.warning(
                f"**{plain(CAUSES[row['cause']].label)}.** {plain(row['evidence'])}\\.{plain(extra)}",
                icon=":material/help:",
            )
        st.dataframe(
            case.top, hide_index=True, key=f"top {one.name}", height="content",
            column_config={"Score": st.column_config.NumberColumn(format="%.4f"),
                           "Captions": st.column_config.TextColumn(width="large"),
                           "Caption": st.column_config.TextColumn(width="large")},
        )  # fmt: skip
st.caption("✔ marks a right item. Videos play here once the corpus has them and the player is there.")
