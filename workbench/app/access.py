"""The access token of a shared machine: nothing is answered without it, neither pages nor routes nor sockets.

The link carries the token once; the answer to it is a cookie, and the same address without the token.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from urllib.parse import parse_qsl, urlencode

from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

VARIABLE = "WORKBENCH_TOKEN"
KEY = "token"  # in the address
REFUSAL = "This workbench is locked. Open the link that was shown where it was started; ask its owner for it.\n"
SILENT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1
DAYS_S = 30 * 86_400


def gate() -> list[Middleware]:
    """What stands before the app: the gate where the environment holds a token (`WORKBENCH_TOKEN`), else nothing."""
    token = os.environ.get(VARIABLE, "")
    return [Middleware(Gate, token=token)] if token else []


class Gate:
    """ASGI middleware that lets through who has the token.

    The cookie holds a keyed hash of the token, never the token itself, and so does its name, so that two workbenches on
    one host do not overwrite each other's. Both are compared in constant time.

    Args:
        app: What lies behind.
        token: The secret; every visitor has the same.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token.encode()
        self._name = f"workbench_{self._hash('name')[:12]}"
        self._value = self._hash("value")

    def _hash(self, use: str) -> str:
        return hmac.new(self._token, f"workbench cookie, {use}".encode(), hashlib.sha256).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a socket; the server's own start and stop pass."""
        if scope["type"] == "lifespan" or self._has_cookie(HTTPConnection(scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            await self._first_answer(HTTPConnection(scope))(scope, receive, send)

    def _has_cookie(self, asked: HTTPConnection) -> bool:
        return hmac.compare_digest(asked.cookies.get(self._name, "").encode(), self._value.encode())

    def _first_answer(self, asked: HTTPConnection) -> Response:
        """The cookie for who brings the token, else a refusal that says nothing of what lies behind."""
        pairs = parse_qsl(asked.url.query, keep_blank_values=True)
        brought = next((value for key, value in pairs if key == KEY), "")
        if asked.scope["method"] != "GET" or not hmac.compare_digest(brought.encode(), self._token):
            return PlainTextResponse(REFUSAL, status_code=403, headers=SILENT)
        rest = urlencode([(key, value) for key, value in pairs if key != KEY])
        path = "/" + asked.scope.get("path", "/").lstrip("/")  # two slashes would name another host
        found = RedirectResponse(asked.url.replace(scheme="", netloc="", path=path, query=rest), 303, SILENT)
        found.set_cookie(
            self._name, self._value, max_age=DAYS_S, httponly=True, samesite="lax", secure=asked.url.scheme == "https"
        )
        return found
