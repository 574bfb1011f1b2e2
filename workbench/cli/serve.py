"""Start the app's server: a free port, the address, and the ssh tunnel line where the machine is remote."""

from __future__ import annotations

import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from workbench.core.errors import DataError, MissingExtraError, StateError
from workbench.core.workspace import workspace

FIRST_PORT = 8501
LOCAL = ("localhost", "127.0.0.1", "::1")
TOKEN = "WORKBENCH_TOKEN"  # where the app looks for it: a command line is seen by everybody on the machine
SHORTEST_TOKEN = 16  # characters


def serve(
    *, port: int | None = None, address: str = "localhost", browser: bool = True, token: str | None = None,
    say: Callable[[str], None] = print,
) -> None:  # fmt: skip
    """Run the app until it is stopped.

    Args:
        port: The port; None = 8501, or the next free one.
        address: What to listen on; anything but localhost opens it to everybody who reaches this machine.
        browser: Open a window where there is a screen and no token.
        token: Nothing is answered without it: a text, or "auto" for one that is made here; None = that of the
            environment (`WORKBENCH_TOKEN`), else no token.
        say: Prints one line.

    Raises:
        MissingExtraError: Streamlit is not installed.
        DataError: The token is too short.
        StateError: The asked port is taken, or the server ended with an error.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise MissingExtraError("The app needs the package 'streamlit'.", "pip install 'textvr-workbench[app]'")
    secret = _token(os.environ.get(TOKEN) if token is None else token)
    port = free_port(address, port)
    remote = bool(os.environ.get("SSH_CONNECTION"))
    say(f"TextVR workbench on http://{address}:{port}  (workspace {workspace().home}; stop with Ctrl-C)")
    if remote and address in LOCAL:
        say(f"From your own machine: ssh -N -L {port}:localhost:{port} {socket.gethostname()}")
    kept = workspace().jobs / f"link_{port}.txt"
    if secret:
        _say_link(f"http://{address}:{port}/?token={secret}", made=token == "auto", kept=kept, say=say)
    elif address not in LOCAL:
        say("Warning: everybody who reaches this machine can open it. To lock it: --token auto")
    script = files("workbench.app.entry").joinpath("main.py")
    headless = not browser or remote or bool(secret) or not _has_screen()
    command = [
        sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port), "--server.address", address,
        "--server.headless", str(headless).lower(), "--browser.gatherUsageStats", "false",
    ]  # fmt: skip
    environment = {**os.environ, "WORKBENCH_HOME": str(workspace().home), TOKEN: secret}
    code = _run(command, environment)
    kept.unlink(missing_ok=True)
    if code not in (0, -2, -15, 130):
        raise StateError(f"The app's server ended with code {code}.", "Its last lines above say why.")


def _token(asked: str | None) -> str:
    """The token; made where it is asked for, empty where there shall be none.

    Raises:
        DataError: It is short enough to be guessed, or holds a blank.
    """
    if not asked:
        return ""
    if asked == "auto":
        return secrets.token_urlsafe(24)
    if len(asked) < SHORTEST_TOKEN or not asked.isascii() or not asked.replace("-", "").replace("_", "").isalnum():
        raise DataError(
            f"A token has at least {SHORTEST_TOKEN} characters, each a letter, a digit, - or _.",
            "Or let one be made: --token auto",
        )
    return asked


def _say_link(link: str, *, made: bool, kept: Path, say: Callable[[str], None]) -> None:
    """Say the link that unlocks: on a terminal itself, elsewhere (a log) where only this user can read it."""
    if not made:
        say(f"It is locked: open {link.partition('=')[0]}=TOKEN once; a cookie remembers it for 30 days.")
    elif sys.stdout.isatty():
        say(f"It is locked; this link opens it: {link}")
    else:
        _write_secret(kept, link)
        say(f"It is locked; the link that opens it lies, for you only, in {kept}")


def _write_secret(path: Path, text: str) -> None:
    """Write a file that nobody else can read, also not while it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{text}\n")


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run the server until it ends; being asked to end is passed on, so that nothing stays on the port."""
    with subprocess.Popen(command, env=environment) as server:
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        try:
            return server.wait()
        except KeyboardInterrupt:  # the terminal has told the server too
            return server.wait()


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def free_port(address: str, wanted: int | None) -> int:
    """The asked port if it is free, else an error; without a wish the first free one from 8501.

    Raises:
        DataError: Not a port number.
        StateError: It is taken, or none of fifty is free.
    """
    if wanted is not None and not 1 <= wanted <= 65535:
        raise DataError(f"{wanted} is not a port.", "Ports are 1 to 65535.")
    for port in [wanted] if wanted else range(FIRST_PORT, FIRST_PORT + 50):
        if _is_free(address, port):
            return port
    if wanted:
        raise StateError(f"Port {wanted} is taken.", "Leave --port out to take the next free one.")
    raise StateError(f"No port from {FIRST_PORT} to {FIRST_PORT + 49} is free.", "Name one with --port.")


def _is_free(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
