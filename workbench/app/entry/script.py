"""What runs on every interaction: navigation, header, the page; an error becomes a red box with its remedy."""

from pathlib import Path

import streamlit as st

from workbench.app.failing import say_error
from workbench.app.navigation import header, pages
from workbench.app.settling import settle
from workbench.core.errors import WorkbenchError

st.set_page_config(page_title="TextVR workbench", page_icon=str(Path(__file__).with_name("icon.png")), layout="wide")
chosen = st.navigation(pages(), position="top")
header(chosen.url_path)
try:
    chosen.run()
    settle(chosen.url_path)
except WorkbenchError as error:
    say_error(error)
