"""Thresholds: every number that decides when a cause holds, with what it means; locked until unlocked."""

import math

import streamlit as st

from workbench.analysis import CAUSES, THRESHOLDS
from workbench.app.headings import page_heading
from workbench.app.limits import limits, set_limits
from workbench.app.navigation import page
from workbench.app.text import plain

UNLOCKED = "thresholds unlocked"

page_heading("Thresholds")
st.markdown("The numbers that decide when a cause of failure holds. A change holds in this session and in its links.")
changed = dict(limits())
row = st.container(horizontal=True, vertical_alignment="center")
open_now = row.toggle("Unlock", value=bool(st.session_state.get(UNLOCKED, False)), key="unlock")
st.session_state[UNLOCKED] = open_now
if row.button("Back to the defaults", disabled=not changed, icon=":material/restart_alt:"):
    set_limits({})
    st.rerun()
row.page_link(page("failures"), label="Failures", icon=":material/error:")


def change(name: str) -> None:
    """Take the value of a field over."""
    set_limits({**dict(limits()), name: float(st.session_state[f"threshold {name}"])})


by_cause: dict[tuple[str, ...], list[str]] = {}
for name, one in THRESHOLDS.items():
    by_cause.setdefault(one.causes, []).append(name)
for causes, names in by_cause.items():
    with st.container(border=True):
        st.markdown(f"**{plain(', '.join(CAUSES[cause].label for cause in causes))}**")
        for name in names:
            one = THRESHOLDS[name]
            field, told = st.columns([1, 3], vertical_alignment="center")
            whole = one.unit in ("words", "runs")
            step = 1.0 if whole else 0.01 if one.high == 1 else 0.1
            st.session_state[f"threshold {name}"] = float(changed.get(name, one.default))
            field.number_input(
                f"{name} ({one.unit})", key=f"threshold {name}", disabled=not open_now, step=step,
                min_value=float(one.low) + (step if one.above else 0.0),
                max_value=None if math.isinf(one.high) else float(one.high),
                format="%g" if whole else "%.2f", on_change=change, args=(name,),
            )  # fmt: skip
            told.markdown(plain(one.sentence))
            range_of = f"Default {one.default:g} {one.unit}; {one.range}."
            told.caption(plain(range_of) + (" **Changed.**" if name in changed else ""))
