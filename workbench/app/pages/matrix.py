"""Matrix: means of domain by domain first; then every pair, with pan and zoom; of a run or of the difference of two."""

import streamlit as st

from workbench.app import loading
from workbench.app.headings import heading, page_heading
from workbench.app.parts.matrix import show_domains, show_pairs
from workbench.app.parts.widgets import choose, choose_run, choose_switch, corpus_row
from workbench.app.text import plain
from workbench.figures.matrix_axes import ORDERS

NONE = "(none)"

page_heading("Matrix")
place, runs, pick = corpus_row(5)
with pick[0]:
    run = choose_run(runs)
with pick[1]:
    minus = choose("Minus", [NONE, *(name for name in runs["name"] if name != run.name)], "minus")
with pick[2]:
    order = choose("Order", list(ORDERS), "order", show=ORDERS.__getitem__, closes=("at",))
with pick[3]:
    pool = choose_switch("From afar, show the", {"max": "highest", "mean": "mean"}, "pool")
other = None if minus == NONE else loading.run_named(minus)

if run.gallery["domain"].notna().any():
    heading("Domain by domain")
    show_domains(run, other, order)
else:
    st.caption("This corpus states no domains, so there are no means of domains.")
heading("Every pair" if other is None else plain(f"Every pair: {run.name} − {other.name}"))
show_pairs(place, run, other, order, pool)
