"""Ports for servers of tests: several test processes start theirs at once, so none may look for the first free one."""

from __future__ import annotations

import socket


def own_port() -> int:
    """A port that the system gives to nobody else for a while."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
