"""Start the app's server: a free port, the address, and the ssh tunnel line where the machine is remote."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files

from workbench.core.errors import DataError, MissingExtraError, StateError
from workbench.core.workspace import workspace

FIRST_PORT = 8501
LOCAL = ("localhost", "127.0.0.1", "::1")


def serve(
    *, port: int | None = None, address: str = "localhost", browser: bool = True, say: Callable[[str], None] = print
) -> None:
    """Run the app until it is stopped.

    Args:
        port: The port; None = 8501, or the next free one.
        address: What to listen on; anything but localhost opens it to everybody who reaches this machine.
        browser: Open a window where there is a screen.
        say: Prints one line.

    Raises:
        MissingExtraError: Streamlit is not installed.
        StateError: The asked port is taken, or the server ended with an error.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise MissingExtraError("The app needs the package 'streamlit'.", "pip install 'textvr-workbench[app]'")
    port = free_port(address, port)
    remote = bool(os.environ.get("SSH_CONNECTION"))
    say(f"TextVR workbench on http://{address}:{port}  (workspace {workspace().home}; stop with Ctrl-C)")
    if remote and address in LOCAL:
        say(f"From your own machine: ssh -N -L {port}:localhost:{port} {socket.gethostname()}")
    if address not in LOCAL:
        say("Note: everybody who reaches this machine can open it; it has no log-in.")
    script = files("workbench.app.entry").joinpath("main.py")
    headless = not browser or remote or not _has_screen()
    command = [
        sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port), "--server.address", address,
        "--server.headless", str(headless).lower(), "--browser.gatherUsageStats", "false",
    ]  # fmt: skip
    environment = {**os.environ, "WORKBENCH_HOME": str(workspace().home)}
    code = _run(command, environment)
    if code not in (0, -2, -15, 130):
        raise StateError(f"The app's server ended with code {code}.", "Its last lines above say why.")


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
