"""Domains: a card for each with what fails in it, and its videos to browse, playing."""

import pandas as pd
import streamlit as st

from workbench.analysis import CAUSES
from workbench.analysis.domains import ALL, domains_of
from workbench.app import loading
from workbench.app.components.thumbnails import Tile, thumbnails
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.ablation import show_by_domain
from workbench.app.parts.downloads import show_chart
from workbench.app.parts.panels import has_pictures, paged, play, query_line, tiles_of
from workbench.app.parts.widgets import DIRECTIONS, choose_place, choose_run, choose_switch
from workbench.app.text import plain, short
from workbench.evaluation.runs.run import Run
from workbench.figures import confusion_heatmap

PER_ROW, ON_CARD, CAPTIONS = 4, 4, 20

st.title("Domains")
pick = st.columns([2, 2, 2, 2])
with pick[0]:
    place = choose_place()
corpus = loading.corpus_at(place)
runs = loading.runs_at(place)
run: Run | None = None
direction = "t2v"
if len(runs):
    with pick[1]:
        run = choose_run(runs)
    with pick[2]:
        direction = choose_switch("Direction", DIRECTIONS, "direction")
else:
    st.caption("No run has answered queries here, so there are no scores; its videos can be browsed.")
here = {"corpus": place, "run": run.name if run else None, "direction": direction if run else None}
domain_of = domains_of(corpus)
divided = domain_of.nunique() > 1


def scores_of(domain: str) -> None:
    """R@1 of the chosen run with its interval and what fails, and R@1 of the other runs."""
    found = {}
    for name in runs.loc[runs["parent"].isna() | (runs["name"] == (run.name if run else "")), "name"]:
        table = loading.scores(loading.key_of(loading.run_named(name)), direction, divided=divided)
        found[name] = table.to_dict("index").get(domain)
    own = found.pop(run.name, None) if run else None
    if own is None:
        return
    others = [f"{plain(name)} {one['value']:.1f}" for name, one in found.items() if one is not None]
    interval = f"({own['low']:.1f} to {own['high']:.1f})"
    st.markdown(f"R@1 **{own['value']:.1f} %** :gray[{interval}]", help="In brackets: the 95 % interval.")
    if others:
        st.caption("R@1, %:  " + "  ·  ".join(others))
    row = by_name[domain]
    if row["n_failed"]:
        said = f"**{row['n_failed']:,} of {own['n_queries']:,}** queries fail, most often:"
        st.markdown(f"{said} {plain(CAUSES[row['cause']].label)}")
    else:
        st.markdown(f"None of {own['n_queries']:,} queries fails.")


def holdings(row: pd.Series) -> str:
    """What a domain holds, in one line."""
    facts = [f"{row['n_videos']:,} videos"]
    facts += [] if pd.isna(row["n_sources"]) else [f"{int(row['n_sources']):,} sources"]
    facts += [f"{row['n_captions']:,} captions"] if row["n_captions"] else []
    facts += [] if pd.isna(row["scene_text"]) else [f"{100 * row['scene_text']:.0f} % need scene text"]
    return "  ·  ".join(facts)


def card(row: pd.Series) -> None:
    """One domain: its pictures, what fails in it, and the link that opens it."""
    st.markdown(f"## {plain(short(row['label'], 60))}")
    st.caption(holdings(row))
    mine = corpus.videos[(domain_of == row["domain"]).to_numpy() & (corpus.videos["status"] == "ok").to_numpy()]
    tiles = tiles_of(corpus, mine.drop_duplicates("source_id")["video_id"].head(ON_CARD).to_list())
    if tiles:
        bare = [Tile(tile.video_id, tip=tile.tip) for tile in tiles]
        thumbnails(corpus, bare, key=f"card {row['domain']}", width=110, opens={"domain": row["domain"]})
    scores_of(row["domain"])
    if divided:
        values = parameters(**here, domain=row["domain"])
        st.page_link(page("domains"), label="Browse its videos", icon=":material/grid_view:", query_params=values)


def captions_of(video: str) -> None:
    """The captions of a video; those that are queries of the run with their rank and a link."""
    own = corpus.captions[corpus.captions["video_id"] == video]
    ranks = loading.ranks(loading.key_of(run), direction) if run else {}
    if run and direction == "v2t" and video in ranks:
        query_line(ranks[video], "as a query, of its best caption", **here, q=video)
    for caption, text in own.head(CAPTIONS)[["caption_id", "text"]].itertuples(index=False, name=None):
        if direction == "t2v" and caption in ranks:
            query_line(ranks[caption], text, **here, q=caption)
        else:
            st.markdown(plain(short(text)))
    if own.empty:
        st.caption("This video has no captions.")
    elif len(own) > CAPTIONS:
        st.caption(f"And {len(own) - CAPTIONS:,} more captions.")


def browse(row: pd.Series) -> None:
    """The videos of a domain, one of them playing beside its captions."""
    ids = corpus.videos["video_id"][(domain_of == row["domain"]).to_numpy()].to_list()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if divided:
            st.header(plain(short(row["label"], 80)))
            st.caption(holdings(row))
            scores_of(row["domain"])
        else:
            with st.container(border=True):
                card(row)
        if not pictures:
            st.caption("None of its videos is on this machine, so only their captions are shown.")
        video = paged(corpus, ids, key="grid", link=lambda at: parameters(**here, domain=row["domain"], page=at))
    with right:
        if pictures:
            play(corpus, video, "", "", key="open video")
        else:
            st.markdown(f"**{plain(short(video, 80))}**")
        st.markdown(f"**Captions**{', and the rank of the right item in ' + plain(run.name) if run else ''}")
        captions_of(video)


table_of_domains = loading.overview(corpus, run, direction)
by_name = {row["domain"]: row for _, row in table_of_domains.iterrows()}
pictures = has_pictures(corpus)
asked = st.query_params.get("domain", "")
if not divided:
    browse(by_name[ALL])
    st.stop()
if asked in by_name:
    values = parameters(**here)
    st.page_link(page("domains"), label="All domains", icon=":material/arrow_back:", query_params=values)
    browse(by_name[asked])
    st.stop()
if asked:
    st.warning(plain(f"There is no domain called {short(asked, 60)} here; all of them are shown."))
if not pictures:
    st.caption("None of the videos is on this machine, so there are no pictures.")
rows = list(by_name.values())
for start in range(0, len(rows), PER_ROW):
    for column, row in zip(st.columns(PER_ROW), rows[start : start + PER_ROW], strict=False):
        with column.container(border=True, height="stretch"):
            card(row)
if run:
    st.header("Which domain comes first")
    confusion = loading.confusion(loading.key_of(run), direction)
    asked, listed = ("captions", "video") if direction == "t2v" else ("videos", "caption")
    show_chart(
        confusion_heatmap(confusion), f"confusion {run.name} {direction}", key="confusion", table=confusion,
        runs={"run": run.name}, alt=f"Of which domain the first {listed} of each domain's {asked} is",
        code=f'figures.confusion_heatmap(analysis.domain_confusion(run, direction="{direction}"))',
    )  # fmt: skip
    st.caption(
        f"Of the {asked} of one domain (row), how many have a {listed} of another one (column) at rank 1, in percent. "
        "A first place that several share counts in parts. What lies off the diagonal is confused across domains."
    )
    show_by_domain(run, direction)
