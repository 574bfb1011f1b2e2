"""What the page Compare shows of many runs: each against one, which sets of them solve which queries, seeds."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from workbench import analysis, figures
from workbench.analysis import Solved
from workbench.app import loading
from workbench.app.headings import heading
from workbench.app.parts.compare import KS, Pair
from workbench.app.parts.downloads import numbered, show_chart, show_table
from workbench.app.parts.listing import listed
from workbench.app.parts.sieve import choose_sieve
from workbench.app.parts.widgets import choose, choose_several, folded
from workbench.app.text import extremes, plain
from workbench.core.words import counted, spread
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.runs.run import Run
from workbench.evaluation.statistics.groups import SeedGroup, seed_groups

MOST_CHOSEN = 6
Key = tuple[str, int]


@st.cache_data(max_entries=16, show_spinner="Testing …")
def _family(a: Key, others: tuple[Key, ...], metric: str, direction: str, _runs: Sequence[Run]) -> pd.DataFrame:
    table, said = analysis.compare_many(_runs[0], _runs[1:], metric=metric, direction=direction)
    values = analysis.metric_table(_runs, metric, direction)
    return table.assign(value=values.iloc[1:].to_numpy(), sentence=said)


@st.cache_data(max_entries=16, show_spinner=False)
def _solved(runs: tuple[Key, ...], k: int, direction: str, _runs: Sequence[Run]) -> Solved:
    return analysis.solved_sets(_runs, k=k, direction=direction)


@st.cache_data(max_entries=16, show_spinner="Resampling …")
def _seeds(runs: tuple[Key, ...], metric: str, direction: str, _sides: Sequence[Run | SeedGroup]) -> pd.DataFrame:
    return analysis.seed_spread(_sides, metric, direction)


def show_many(pair: Pair, runs: pd.DataFrame) -> None:
    """Every chosen run against A, the sets of runs that solve queries, and the spread of seeds."""
    names = dict(zip(runs["name"], runs["name"], strict=True))
    alone = runs.loc[runs["parent"].isna() & runs["ablation"].isna(), "name"]
    first = list(dict.fromkeys([pair.b.name, *alone]))[:MOST_CHOSEN]
    chosen = choose_several("Runs beside A", names, "runs", [one for one in first if one != pair.a.name])
    others = [loading.run_named(name) for name in chosen if name != pair.a.name]
    if not others:
        st.info("Choose a run that is not A.", icon=":material/info:")
        return
    every = [pair.a, *others]
    keys = tuple(loading.key_of(run) for run in every)
    heading(plain(f"Each against {pair.a.name}"))
    _family_table(pair, _family(keys[0], keys[1:], pair.metric, pair.direction, every))
    _upset(pair, keys, every)
    _seed_table(pair, runs)


def _family_table(pair: Pair, table: pd.DataFrame) -> None:
    digits = METRICS[pair.metric].digits
    seen = {pair.a.protocol["sees"], *(loading.run_named(name).protocol["sees"] for name in table["run"])}
    shown = pd.DataFrame({
        "Run": table["run"], METRICS[pair.metric].heading: table["value"], "− A": table["difference"],
        "95 %": [spread(*ends, f"+.{digits}f") for ends in zip(table["low"], table["high"], strict=True)],
        "p (Holm)": table["p_holm"], "Wins": table["wins"], "Losses": table["losses"],
        "By ties only": table["undecided"], "Wins per loss": table["odds_ratio"],
        "Detectable": table["minimum_detectable"], "Verdict": table["verdict"],
    })  # fmt: skip
    number = st.column_config.NumberColumn(format=f"%.{digits}f")
    show_table(
        shown, f"against {pair.a.name}", whole=table, key="family", height="content",
        column_config={METRICS[pair.metric].heading: number, "Detectable": number,
                       "− A": st.column_config.NumberColumn(format=f"%+.{digits}f"),
                       "p (Holm)": st.column_config.NumberColumn(format="%.2g"),
                       "Wins per loss": st.column_config.NumberColumn(format="%.2f", help="The paired odds ratio.")},
    )  # fmt: skip
    held = (table["verdict"] != "not distinguishable").sum()
    st.caption(f"After Holm's correction over {len(table)} tests {held} can be told from A.")
    if len(seen) > 1:
        st.caption(
            plain(f"These runs have seen different things ({', '.join(sorted(seen))}): do not rank them together.")
        )

    def show_sentences() -> None:
        for sentence in table["sentence"]:
            st.markdown(plain(sentence))

    folded("The sentences", show_sentences, key="sentences")


def _upset(pair: Pair, keys: tuple[Key, ...], runs: Sequence[Run]) -> None:
    heading("Which runs solve which queries")
    with st.columns(4)[0]:
        k = int(choose("Solved when rank ≤", KS, "k"))
    found = _solved(keys, k, pair.direction, runs)
    n = len(found.ids)
    st.markdown(
        f"Of {counted(n, 'query')} **{found.by_all:,}** are solved by all {len(runs)} runs, "
        f"**{found.by_any:,}** by at least one ({100 * found.by_any / n:.1f} %: what choosing the best run for each "
        "query would give), "
        f"**{n - found.by_any:,}** by none."
        + (f" Of {found.n_tied:,} a run's answer hangs on the order of tied scores." if found.n_tied else "")
    )
    figure = figures.upset(found)
    variables = numbered(runs)
    code = f'figures.upset(analysis.solved_sets([{", ".join(variables)}], k={k}, direction="{pair.direction}"))'
    table = found.sets.assign(runs=found.sets["runs"].map(", ".join))
    show_chart(
        figure, f"solved {pair.place}", key="upset", code=code,
        table=table, runs=variables,
        alt=extremes("Queries solved by exactly", table["runs"].replace("", "none"), table["n"], ",d"),
    )  # fmt: skip
    labels = {str(at): f"{', '.join(one) or 'none'} ({size:,})" for at, (one, size) in
              enumerate(zip(found.sets["runs"], found.sets["n"], strict=True))}  # fmt: skip
    chosen = found.sets["runs"][int(choose("Queries solved by exactly", list(labels), "set", show=labels.__getitem__))]
    ids = found.of(chosen)
    texts = pair.result.table.set_index("id")["text"].reindex(ids)
    table = pd.DataFrame({"id": ids, "text": texts.fillna(texts.index.to_series()).to_numpy()})
    sieve = choose_sieve(pair.a, "exactly", corpus=loading.corpus_of(pair.a))
    row = listed(table, {"text": "Query"}, "exactly", f"solved by {' '.join(chosen) or 'none'}", sieve=sieve, ids="id")
    if row is not None:
        pair.open_query(ids[row])


def _seed_table(pair: Pair, runs: pd.DataFrame) -> None:
    sides = seed_groups([loading.run_named(name) for name in runs["name"]])
    groups = [one for one in sides if isinstance(one, SeedGroup)]
    if not groups:
        return
    heading("Spread of seeds")
    keys = tuple(loading.key_of(run) for group in groups for run in group.runs)
    found = _seeds(keys, pair.metric, pair.direction, groups)
    digits = METRICS[pair.metric].digits
    said = ["mean", "sd", "min", "max", "low", "high"]
    show_table(
        found.drop(columns="values").rename(columns={"group": "Group", "n_seeds": "Seeds"}), f"seeds {pair.place}",
        whole=found.assign(values=found["values"].map(str)), key="seeds", height="content",
        column_config={name: st.column_config.NumberColumn(format=f"%.{digits}f") for name in said},
    )  # fmt: skip
    st.caption(
        f"{METRICS[pair.metric].label}. sd, min and max: over seeds. low and high: the 95 % interval of the mean over "
        "queries, clustered by source. A difference within either is no news."
    )
