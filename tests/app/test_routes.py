"""The routes of videos and thumbnails: whole files and parts of them, by names only; nothing else can be had."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.filmed import filmed_corpus
from workbench.app.routes import ROUTES
from workbench.core.locks import lock
from workbench.corpus import Corpus, video_key
from workbench.pipelines import videos

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's caches and Starlette's client warn about themselves
KEY = video_key("a.mp4")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "films"


@pytest.fixture
def corpus(home: Path, folder: Path) -> Corpus:
    return filmed_corpus(folder)


@pytest.fixture
def client(corpus: Corpus) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=ROUTES)) as client:
        yield client


def refused(answer, *places: Path, status: int = 404) -> str:
    """The sentence of an answer that refuses and tells no place of this machine."""
    assert answer.status_code == status, answer.text
    for place in places:
        assert str(place) not in answer.text
    return answer.json()["error"]


@pytest.mark.parametrize(
    ("video", "kind"),
    [
        ("a.mp4", "video/mp4"), ("Sub/b.webm", "video/webm"), ("c.mkv", "video/x-matroska"),
        ("old.avi", "video/x-msvideo"),
    ],
)  # fmt: skip
def test_a_whole_file_and_its_kind(client, folder, video, kind):
    address = f"/video/mine/{video_key(video)}/original"
    answer = client.get(address)
    assert answer.status_code == 200 and answer.content == (folder / video).read_bytes()
    assert answer.headers["content-type"] == kind and answer.headers["accept-ranges"] == "bytes"
    head = client.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(answer.content)
    assert client.post(address).status_code == 405


@pytest.mark.parametrize("asked", ["0-", "0-0", "10-99", "200-", "-50", "-1", "500-99999999"])
def test_parts(client, folder, asked):
    whole = (folder / "a.mp4").read_bytes()
    first, last = asked.split("-")
    start = int(first) if first else len(whole) - int(last)
    stop = min(int(last) + 1, len(whole)) if first and last else len(whole)
    answer = client.get(f"/video/mine/{KEY}/original", headers={"Range": f"bytes={asked}"})
    assert answer.status_code == 206 and answer.content == whole[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
    assert int(answer.headers["content-length"]) == stop - start
    head = client.head(f"/video/mine/{KEY}/original", headers={"Range": f"bytes={asked}"})
    assert (head.status_code, head.content) == (206, b"")
    same = {"Range": f"bytes={asked}", "If-Range": answer.headers["etag"]}
    assert client.get(f"/video/mine/{KEY}/original", headers=same).status_code == 206
    assert client.get(f"/video/mine/{KEY}/original", headers={**same, "If-Range": '"other"'}).status_code == 200


def test_a_part_behind_the_end(client, folder):
    size = (folder / "a.mp4").stat().st_size
    answer = client.get(f"/video/mine/{KEY}/original", headers={"Range": f"bytes={size}-"})
    assert answer.status_code == 416 and answer.headers["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize(
    "path",
    [
        f"mine/{KEY}/%2e%2e%2fcorpus.json", f"mine/{KEY}/..", "mine/%2e%2e%2f%2e%2e%2fcorpus.json/original",
        "mine/a.mp4/original", "mine/..%5c..%5ccorpus.json/original", "mine/%00/original",
        f"mine/{KEY.upper()}/original",
        f"mine/{KEY[:15]}/original", f"mine/{KEY}00/original", f"..%2fmine/{KEY}/original", f"%2e%2e/{KEY}/original",
        f"other/{KEY}/original", f"mine/{KEY}/poster", f"mine/{KEY}/small", f"mine/{KEY}/",
        f"mine/{video_key('z')}/proxy",
        "mine/%2fetc%2fpasswd/original", f"%2fetc/{KEY}/original", f".trash/{KEY}/original", f"~/{KEY}/original",
        f"mine/{KEY}/ORIGINAL", f"mine/{video_key('bad.mp4')}/proxy",
    ],
)  # fmt: skip
def test_nothing_else_is_served(client, home, folder, path):
    for address in (f"/video/{path}", f"/thumb/{path.rpartition('/')[0]}.jpg"):
        if address.startswith("/thumb") and f"mine/{KEY}.jpg" in address:
            continue  # a right address
        answer = client.get(address)
        assert answer.status_code == 404
        assert str(home) not in answer.text and str(folder) not in answer.text


def test_a_path_is_no_corpus(client, home, corpus):
    full = str(corpus.path).replace("/", "%2f")
    assert client.get(f"/video/{full}/{KEY}/original").status_code == 404
    assert client.get(f"/thumb/{full}/{KEY}.jpg").status_code == 404


def test_sentences_say_what_is_wrong(client, home, folder):
    assert "No corpus is called 'min'" in refused(client.get(f"/video/min/{KEY}/original"), home)
    assert "no video with the key" in refused(client.get("/video/mine/0123456789abcdef/original"), home)
    assert "original, small, proxy" in refused(client.get(f"/video/mine/{KEY}/poster"), home)
    assert "no small file" in refused(client.get(f"/video/mine/{KEY}/small"), home, folder)
    bad = video_key("bad.mp4")
    assert "cannot be read" in refused(client.get(f"/video/mine/{bad}/proxy"), home, folder)
    assert "cannot be read" in refused(client.get(f"/thumb/mine/{bad}.jpg"), home, folder)


@pytest.mark.parametrize("address", ["/video/mine/{}/original", "/video/mine/{}/proxy", "/thumb/mine/{}.jpg"])
def test_a_file_that_changed_or_left_is_not_served(client, home, folder, tmp_path, address):
    path = folder / "a.mp4"
    assert client.get(address.format(KEY)).status_code == 200
    content, stat = path.read_bytes(), path.stat()
    path.write_bytes(content + b"more")
    assert "has changed" in refused(client.get(address.format(KEY)), home, folder)
    path.write_bytes(content)
    os.utime(path, (1, 1))
    assert "has changed" in refused(client.get(address.format(KEY)), home, folder)
    path.unlink()
    assert "is gone" in refused(client.get(address.format(KEY)), home, folder)
    outside = tmp_path / "secret.mp4"
    outside.write_bytes(content)
    os.utime(outside, (stat.st_atime, stat.st_mtime))
    path.symlink_to(outside)
    assert "leads out of the folder" in refused(client.get(address.format(KEY)), home, folder, outside)
    folder.rename(tmp_path / "moved")
    assert "is gone" in refused(client.get(address.format(KEY)), home, folder)


def test_a_damaged_table_tells_no_path(client, home, corpus, folder):
    (corpus.path / "renditions.parquet").write_bytes(b"no table")
    os.utime(corpus.path / "corpus.json")
    assert "cannot be read" in refused(client.get(f"/video/mine/{KEY}/original"), home, folder)


def test_a_corpus_that_was_written_again_is_read_again(client, folder, corpus):
    (folder / "a.mp4").write_bytes((folder / "c.mkv").read_bytes())
    assert client.get(f"/video/mine/{KEY}/original").status_code == 404
    videos.probe_corpus(corpus, workers=1)
    assert client.get(f"/video/mine/{KEY}/original").content == (folder / "c.mkv").read_bytes()


def test_the_proxy_of_an_old_codec_is_h264(client, tmp_path):
    answer = client.get(f"/video/mine/{video_key('old.avi')}/proxy")
    assert answer.status_code == 200 and answer.headers["content-type"] == "video/mp4"
    (tmp_path / "proxy.mp4").write_bytes(answer.content)
    with av.open(str(tmp_path / "proxy.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in container.decode(video=0)) == 12
    part = client.get(f"/video/mine/{video_key('old.avi')}/proxy", headers={"Range": "bytes=0-99"})
    assert part.status_code == 206 and part.content == answer.content[:100]


def test_requests_for_one_proxy_wait_for_each_other(client, corpus, monkeypatch):
    held, real, calls = threading.Event(), videos.transcode, []

    def slow(*arguments):
        calls.append(1)
        held.set()
        time.sleep(0.6)
        return real(*arguments)

    monkeypatch.setattr(videos, "transcode", slow)
    answers: list[int] = []

    def ask() -> None:
        answers.append(client.get(f"/video/mine/{KEY}/proxy", headers={"Range": "bytes=0-9"}).status_code)

    first = threading.Thread(target=ask)
    first.start()
    assert held.wait(20)
    ask()
    first.join(20)
    assert answers == [206, 206] and len(calls) == 1


def test_a_proxy_that_somebody_else_makes_for_too_long(client, corpus, home, monkeypatch):
    monkeypatch.setattr("workbench.app.routes.PATIENCE", 0.0)
    real = videos.proxy

    def busy(corpus, video_id):
        with lock(home / "x.lock", "One"), lock(home / "x.lock", "The proxy"):
            return real(corpus, video_id)

    monkeypatch.setattr(videos, "proxy", busy)
    assert "is being written" in refused(client.get(f"/video/mine/{KEY}/proxy"), home, status=503)


def test_thumbnails(client):
    answer = client.get(f"/thumb/mine/{KEY}.jpg")
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
    assert answer.content[:3] == b"\xff\xd8\xff" and "max-age" in answer.headers["cache-control"]
    assert client.head(f"/thumb/mine/{KEY}.jpg").status_code == 200
