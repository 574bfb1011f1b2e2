"""The same app as `app.py` of the repository, for an installed package: started by `workbench app`."""

import streamlit as st

from workbench.app.access import gate
from workbench.app.deferred import tell_why
from workbench.app.failing import ended
from workbench.app.navigation import SCRIPT
from workbench.app.routes import ROUTES

tell_why()
app = st.App(SCRIPT, routes=ROUTES, middleware=gate(), on_script_error=ended)
