"""Downloads against a local server: whole, broken off and resumed, wrong sum, refused."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.corpus.manifest import File
from workbench.pipelines.fetch import download, fetch

CONTENT = bytes(range(256)) * 4096
SUM = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    ranges = True
    break_after: int | None = None
    asked: list[str] = []

    def do_GET(self):
        kind = type(self)
        asked = self.headers.get("Range", "")
        kind.asked.append(asked)
        if self.path == "/gone":
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and kind.ranges else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        body = CONTENT[start:]
        if kind.break_after is not None:
            body, kind.break_after = body[: kind.break_after], None
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def server():
    Handler.ranges, Handler.break_after, Handler.asked = True, None, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def test_whole_file(server, tmp_path):
    assert download(f"{server}/a", tmp_path / "a.bin", SUM).read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir() if path.name != "workspace"] == ["a.bin"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_transfer_goes_on_where_it_stopped(server, tmp_path, ranges):
    Handler.break_after, Handler.ranges = 300_000, ranges
    with pytest.raises(StateError, match="could not be fetched .* goes on where it stopped"):
        download(f"{server}/a", tmp_path / "a.bin", SUM)
    assert not (tmp_path / "a.bin").exists()
    have = (tmp_path / "a.bin.part").stat().st_size
    assert 0 < have < len(CONTENT)
    assert download(f"{server}/a", tmp_path / "a.bin", SUM).read_bytes() == CONTENT
    assert Handler.asked[-1] == f"bytes={have}-"


def test_killed_after_the_last_byte(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    assert download(f"{server}/a", tmp_path / "a.bin", SUM).read_bytes() == CONTENT


def test_wrong_sum_keeps_the_file_aside(server, tmp_path):
    with pytest.raises(DataError, match="expected 0000000000000000"):
        download(f"{server}/a", tmp_path / "a.bin", "0" * 64)
    assert (tmp_path / "a.bin.bad").read_bytes() == CONTENT
    assert not (tmp_path / "a.bin").exists()


def test_refused_and_unreachable(server, tmp_path):
    with pytest.raises(StateError, match="answers 404"):
        download(f"{server}/gone", tmp_path / "a.bin")
    with pytest.raises(StateError, match="could not be fetched .ConnectError."):
        download("http://127.0.0.1:9/a", tmp_path / "a.bin")


def test_fetch_lists_what_must_be_got_by_hand(server, home):
    files = [File("a.bin", sha256=SUM, url=f"{server}/a"), File("videos", how="ask the authors")]
    report = fetch("textvr", files=files)
    assert report.files["state"].to_list() == ["fetched"]
    assert report.manual == ["videos: ask the authors"]
    assert fetch("textvr", files=files).files["state"].to_list() == ["already there"]
    assert (home / "cache" / "downloads" / "textvr" / "a.bin").exists()
    with pytest.raises(UnknownNameError, match="Did you mean textvr"):
        fetch("textvrr")
