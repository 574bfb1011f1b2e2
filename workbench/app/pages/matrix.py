"""Matrix: means of domain by domain first; then every cell, sorted by domain and source, with pan and zoom."""

import streamlit as st

from workbench.analysis.structure import same_axes
from workbench.app import loading
from workbench.app.components.matrix import matrix
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.widgets import choose, choose_run, choose_switch, corpus_row
from workbench.figures import domain_heatmap

NONE = "(none)"

st.title("Matrix")
place, runs, pick = corpus_row(2, 2, 2, 2)
with pick[0]:
    run = choose_run(runs)
with pick[1]:
    names = [name for name in runs["name"] if name != run.name and same_axes(run, loading.run_named(name))]
    minus = choose("Minus", [NONE, *names], "minus")
with pick[2]:
    pool = choose_switch("Zoomed out, show the", {"max": "highest", "mean": "mean"}, "pool")
other = None if minus == NONE else loading.run_named(minus)
keys = loading.key_of(run), None if other is None else loading.key_of(other)

if run.gallery["domain"].notna().any():
    st.subheader("Domain by domain")
    st.plotly_chart(domain_heatmap(loading.domain_means(*keys), difference=other is not None), key="domains")
    st.caption("Mean score of captions (rows) for videos (columns), in standard deviations of each caption's scores.")
else:
    st.caption("This corpus states no domains, so its captions and videos stand in file order.")
st.subheader("Every pair" if other is None else f"{run.name} − {other.name}")
clicked = matrix(loading.matrix_view(run.name, "" if other is None else other.name), pool, key="matrix")
st.caption(
    "Wheel: zoom. Drag: move. Click: open the query. Dark blue: high for its caption; right pairs lie on the diagonal; "
    "grey: not scored."
    if other is None
    else "Blue: the first run scores the pair higher, orange: the second. Right pairs lie on the diagonal."
)
if clicked:
    values = parameters(corpus=place, run=run.name, other=other.name if other else None, q=clicked)
    st.switch_page(page("query"), query_params=values)
