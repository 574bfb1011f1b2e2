"""The access token: nothing is answered without it, it is nowhere but in the link, and it is told to its owner only."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.ports import own_port
from workbench.app.access import VARIABLE, gate
from workbench.app.routes import ROUTES
from workbench.cli import serve as serving
from workbench.cli.serve import serve
from workbench.core.errors import DataError

pytestmark = pytest.mark.filterwarnings("default")
TOKEN = "a-token-of-20-letters"
ADDRESSES = [
    "/",
    "/leaderboard",
    "/static/x.js",
    "/_stcore/health",
    "/_stcore/host-config",
    "/media/x",
    "//evil.example/",
]
ADDRESSES += [re.sub(r"\{[^}]*\}", "0", one.path) for one in ROUTES]


async def inside(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"inside {request.url.path} {request.url.query}")


async def socket(found: WebSocket) -> None:
    await found.accept()
    await found.send_text("inside")
    await found.close()


def locked(patch: pytest.MonkeyPatch, token: str = TOKEN) -> TestClient:
    """An app behind the gate that answers everything."""
    patch.setenv(VARIABLE, token)
    routes = [WebSocketRoute("/_stcore/stream", socket), Mount("/", routes=[Route("/{path:path}", inside)])]
    return TestClient(Starlette(routes=routes, middleware=gate()), follow_redirects=False)


@pytest.fixture
def client(monkeypatch) -> Iterator[TestClient]:
    with locked(monkeypatch) as client:
        yield client


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("brought", ["", "?token=", "?token=a-token-of-20-letterS", "?Token=a-token-of-20-letters"])
def test_nothing_is_answered_without_it(client, path, brought):
    answer = client.get(f"http://testserver{path}{brought}")
    assert answer.status_code == 403 and "locked" in answer.text and "inside" not in answer.text
    assert "set-cookie" not in answer.headers and TOKEN not in answer.text


def test_sockets_and_other_methods_are_refused(client):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
        pass
    for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
        assert client.request(method, f"/?token={TOKEN}").status_code == 403


def test_the_link_gives_a_cookie_and_leaves_the_address(client):
    answer = client.get(f"/query?run=a%20b&token={TOKEN}&q=x%26y&empty=")
    assert answer.status_code == 303 and answer.headers["location"] == "/query?run=a+b&q=x%26y&empty="
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and TOKEN not in cookie
    assert answer.headers["cache-control"] == "no-store" and answer.headers["referrer-policy"] == "no-referrer"
    assert client.get("/query").text == "inside /query "
    with client.websocket_connect("/_stcore/stream") as opened:
        assert opened.receive_text() == "inside"


@pytest.mark.parametrize("path", ["//evil.example/", "/%2Fevil.example/", "/%5Cevil.example"])
def test_the_link_leads_nowhere_else(client, path):
    where = client.get(f"http://testserver{path}?token={TOKEN}").headers["location"]
    assert where.startswith("/") and not where.startswith(("//", "/\\"))


def test_the_cookie_of_another_token_opens_nothing(client, monkeypatch):
    with locked(monkeypatch, "another-token-of-20") as other:
        other.get("/?token=another-token-of-20")
        ((name, value),) = other.cookies.items()
    assert client.get("/", headers={"Cookie": f"{name}={value}"}).status_code == 403


def test_without_a_token_there_is_no_gate(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")
    assert gate() == []


# The command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def said(monkeypatch) -> list[str]:
    """What `serve` would say; the environment that it would give to the server stands last."""
    lines: list[str] = []
    monkeypatch.setattr(serving, "_run", lambda command, given: lines.append(given[VARIABLE]) or 0)
    monkeypatch.delenv(VARIABLE, raising=False)
    return lines


def test_another_address_without_a_token_warns(said):
    serve(address="0.0.0.0", say=said.append)  # noqa: S104 - nothing listens
    assert "everybody who reaches this machine" in said[-2] and "--token auto" in said[-2] and said[-1] == ""
    said.clear()
    serve(say=said.append)
    assert not any("everybody" in one for one in said) and said[-1] == ""


def test_an_own_token_is_not_said(said, monkeypatch):
    serve(token=TOKEN, say=said.append)
    assert "token=TOKEN once" in said[-2] and said.pop() == TOKEN and not any(TOKEN in one for one in said)
    monkeypatch.setenv(VARIABLE, TOKEN)
    serve(say=said.append)
    assert said[-1] == TOKEN
    serve(token="", say=said.append)
    assert said[-1] == ""


@pytest.mark.parametrize("token", ["short", "with a blank in the text", "a-token-with-&-in-it", "é" * 20])
def test_a_token_that_can_be_guessed_or_misread_is_refused(said, token):
    with pytest.raises(DataError, match="at least 16 characters"):
        serve(token=token, say=said.append)


# The real server --------------------------------------------------------------------------------------------------


def ask(port: int, path: str, **headers: str) -> HTTPResponse:
    connection = HTTPConnection("localhost", port, timeout=20)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.body = answer.read().decode("utf8", "replace")  # type: ignore[attr-defined]  # closed with its connection
    connection.close()
    return answer


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[tuple[int, Path, Path]]:
    """`workbench app --token auto`: its port, its workspace and the file that it writes its lines into."""
    home, log = tmp_path_factory.mktemp("locked"), tmp_path_factory.mktemp("log") / "log.txt"
    port = own_port()
    command = [sys.executable, "-m", "workbench", "app", "--token", "auto", "--port", str(port), "--no-browser"]
    with (
        log.open("w") as lines,
        subprocess.Popen(
            command, env={**os.environ, "WORKBENCH_HOME": str(home)}, stdout=lines, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            for _ in range(300):
                try:
                    ask(port, "/")
                    break
                except OSError:
                    time.sleep(0.1)
            yield port, home, log
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


EVIL = [
    "..%2F..%2F..%2Fetc%2Fpasswd",
    "..%5C..%5Cetc",
    "%2e%2e/%2e%2e/etc/passwd",
    "%2Fetc%2Fpasswd",
    "../../etc/passwd",
]
UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip


def test_a_locked_server(server):
    port, home, log = server
    for path in (
        "/",
        "/_stcore/health",
        "/static/index.html",
        "/thumb/a/b.jpg",
        "/matrix/marks/x",
        "/component/x/y.js",
    ):
        assert ask(port, path).status == 403, path
    assert ask(port, "/_stcore/stream", **UPGRADE).status == 403
    (where,) = (home / "jobs").glob("link_*.txt")
    link = where.read_text().strip()
    token = link.partition("token=")[2]
    assert where.stat().st_mode & 0o777 == 0o600 and len(token) >= 32
    first = ask(port, f"/data?token={token}")
    assert first.status == 303 and first.headers["Location"] == "/data"
    cookie = {"Cookie": first.headers["Set-Cookie"].partition(";")[0]}
    assert "<title>" in ask(port, "/data", **cookie).body and ask(port, "/_stcore/health", **cookie).status == 200
    assert ask(port, "/_stcore/stream", **UPGRADE, **cookie).status == 101
    for prefix in ("", "static/", "media/", "component/", "_stcore/", "thumb/", "video/x/", "matrix/marks/"):
        for evil in EVIL:
            answer = ask(port, f"/{prefix}{evil}", **cookie)
            assert "root:" not in answer.body, (prefix, evil)
    assert token not in log.read_text() and str(where) in log.read_text()
