"""Failures: causes of the failed queries, by domain, in a table whose rows open the query."""

import streamlit as st

from workbench.analysis import CAUSES
from workbench.app import loading
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.text import plain
from workbench.app.widgets import DIRECTIONS, choose, choose_run, choose_switch, corpus_row
from workbench.corpus import domain_label
from workbench.figures import cause_bars, domain_bars

ALL = "all"

st.title("Failures")
place, runs, pick = corpus_row(3, 3, 3, 2)
with pick[0]:
    run = choose_run(runs)
with pick[1]:
    direction = choose_switch("Direction", DIRECTIONS, "direction")
with pick[2]:
    k = int(choose("Fails when rank >", ["1", "5", "10", "50"], "k"))
key = loading.key_with_texts(run)
failed = loading.failures(key, k, direction)
total = len(run.per(direction))
if failed.empty:
    st.success(f"No query of {total} fails at rank {k}.")
    st.stop()
st.markdown(f"**{len(failed)} of {total} queries fail** ({100 * len(failed) / total:.1f} %).")
labels = {cause: CAUSES[cause].label for cause in CAUSES}
left, right = st.columns([3, 5])
with left:
    st.header("Primary causes")
    st.plotly_chart(cause_bars(failed, labels), key="causes")
    reasons = loading.not_computed(key)
    for reason, unknown in reasons.items():
        if any(CAUSES[one].family == "scene text" for one in unknown):
            st.caption(f"Not looked for: **{plain(', '.join(map(labels.__getitem__, unknown)))}**. {plain(reason)}")
    if failed["domain"].notna().any():
        st.header(f"Right at rank {k} or better, by domain")
        table = loading.by_domain(key, f"r{k}", direction)
        st.plotly_chart(domain_bars({run.name: table}, f"R@{k}, %"), key="domains")
with right:
    filters = st.columns(2)
    domains = [ALL, *sorted(failed["domain"].dropna().unique())]
    with filters[0]:
        cause = choose(
            "Cause", [ALL, *failed["cause"].value_counts().index], "cause", show=lambda c: labels.get(c, "All causes")
        )
    domain = ALL
    if len(domains) > 1:
        with filters[1]:
            domain = choose("Domain", domains, "domain", show=lambda d: "All domains" if d == ALL else domain_label(d))
    words = st.text_input("Words in the caption", key="words", bind="query-params", placeholder="e.g. a sign, a name")
    rows = failed
    rows = rows if cause == ALL else rows[rows["causes"].map(lambda held: cause in held)]
    rows = rows if domain == ALL else rows[rows["domain"] == domain]
    for word in words.split():
        rows = rows[rows["text"].fillna("").str.contains(word, case=False, regex=False)]
    first = "" if cause == ALL else f" where this cause holds (primary in {(rows['cause'] == cause).sum()})"
    st.caption(f"{len(rows)} queries{first}, worst rank first. Select one to open it.")
    table = rows.assign(
        cause=rows["cause"].map(labels), domain=rows["domain"].map(lambda d: domain_label(d) if d else "–")
    )
    names = {"text": "Caption", "rank": "Rank", "cause": "Cause", "evidence": "Evidence", "domain": "Domain"}
    shown = [name for name in names if name != "domain" or len(domains) > 1]
    chosen = st.dataframe(
        table[shown].rename(columns=names), hide_index=True, height=520, key="rows", on_select="rerun",
        selection_mode="single-row",
        column_config={"Rank": st.column_config.NumberColumn(format="%.1f"),
                       "Caption": st.column_config.TextColumn(width=220),
                       "Cause": st.column_config.TextColumn(width=170),
                       "Evidence": st.column_config.TextColumn(width="large")},
    )  # fmt: skip
if chosen["selection"]["rows"]:
    query = rows["query_id"].iloc[chosen["selection"]["rows"][0]]
    values = parameters(corpus=place, run=run.name, direction=direction, q=query, k=k)
    st.switch_page(page("query"), query_params=values)
with st.expander("What the causes mean"):
    for one in [cause for cause in CAUSES if rows["causes"].map(lambda held, cause=cause: cause in held).any()]:
        st.caption(f"**{plain(labels[one])}**: {plain(CAUSES[one].sentence)}")
    for reason, unknown in reasons.items():
        st.caption(f"Not looked for: {plain(', '.join(map(labels.__getitem__, unknown)))}. {plain(reason)}")
