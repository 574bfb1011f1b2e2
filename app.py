"""The app: `streamlit run app.py`, or `workbench app` from an installed package."""

import streamlit as st

from workbench.app.navigation import SCRIPT
from workbench.app.routes import ROUTES

app = st.App(SCRIPT, routes=ROUTES)
