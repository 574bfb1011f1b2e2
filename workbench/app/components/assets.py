"""Files of the components, and modules put together of several: a component's own script stands last."""

from __future__ import annotations

from importlib.resources import files

from workbench.figures.player import assets


def asset(name: str) -> str:
    """The text of a file beside this one."""
    return files("workbench.app.components").joinpath(name).read_text(encoding="utf-8")


def with_player(*names: str) -> tuple[str, str]:
    """One JS module and one style sheet: the player's, which give ``mount``, then files of components in this order."""
    js, css = assets()
    scripts = [asset(name) for name in names if name.endswith(".js")]
    return "\n".join([js, *scripts]), "".join([css, *(asset(name) for name in names if name.endswith(".css"))])
