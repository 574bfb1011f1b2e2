"""Hubs & duplicates: what stands in too many lists, what a correction does, and what stands twice; both directions."""

from workbench.app import loading
from workbench.app.headings import page_heading
from workbench.app.parts.hub import Shown, show_corrections, show_hubs
from workbench.app.parts.twin import show_captions, show_splits, show_videos
from workbench.app.parts.widgets import DIRECTIONS, choose, choose_run, choose_switch, corpus_row

PARTS = {
    "hubs": "Hubs",
    "corrections": "Corrections",
    "captions": "Captions",
    "videos": "Videos",
    "splits": "Across splits",
}

page_heading("Hubs & duplicates")
place, runs, pick = corpus_row(4)
with pick[0]:
    run = choose_run(runs)
with pick[1]:
    direction = choose_switch("Direction", DIRECTIONS, "direction")
part = choose_switch("Show", PARTS, "part")
shown = Shown(place, run, direction, loading.corpus_of(run))
if part in ("hubs", "corrections"):
    with pick[2]:
        k = int(choose("Lists of", ["1", "5", "10", "50"], "k", first=2))
    (show_hubs if part == "hubs" else show_corrections)(shown, k)
elif part == "captions":
    show_captions(shown)
elif part == "videos":
    show_videos(shown)
else:
    show_splits(shown)
