"""What the browser asks for beside pages: matrix tiles, cells, videos, thumbnails. Names and numbers, never paths."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from workbench.core.errors import BusyError, DataError, StateError, UnknownNameError, WorkbenchError
from workbench.corpus import Corpus
from workbench.corpus.media import file_of, video_of_key
from workbench.figures.matrix_tiles import MatrixView
from workbench.figures.player_of import video_player
from workbench.pipelines import videos

KEEP = {"Cache-Control": "private, max-age=3600"}
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
RENDITIONS = ("original", "small", "proxy")
MEDIA = {
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm",
    ".mkv": "video/x-matroska", ".avi": "video/x-msvideo", ".mpg": "video/mpeg", ".mpeg": "video/mpeg",
    ".ts": "video/mp2t",
}  # fmt: skip
PATIENCE = 120  # seconds to wait for a file that another request is making
ABSOLUTE = re.compile(r"(?:^|[\s'\"(])(?:/|~|\\\\|[A-Za-z]:[\\/])")


def _refused(error: WorkbenchError, otherwise: str) -> Response:
    """The sentence of an error, or another one where it would tell a path of this machine."""
    said = otherwise if ABSOLUTE.search(str(error)) else str(error)
    return JSONResponse({"error": said}, status_code=503 if isinstance(error, BusyError) else 404)


# Matrices ---------------------------------------------------------------------------------------------------------


def _of_matrix(request: Request, answer: Callable[[MatrixView], Response]) -> Response:
    """What a matrix answers: of ``{run}``, ``other`` and ``order``, as it was when the page was made (``stamp``).

    The stamp names the bytes of the matrix and the order of its axes, so that an answer never changes.
    """
    from workbench.app.loading import matrix_view  # its caches need a running server

    asked = request.query_params
    try:
        view = matrix_view(request.path_params["run"], asked.get("other", ""), asked.get("order", "domain"))
        if asked.get("stamp", view.key) != view.key:
            raise StateError("This matrix has changed since the page was made.", "Reload the page.")
        etag = f'"{view.key}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={**FOR_EVER, "ETag": etag})
        found = answer(view)
    except (DataError, StateError, UnknownNameError) as error:
        return _refused(error, "This matrix cannot be read.")
    found.headers.update({**(FOR_EVER if "stamp" in asked else {"Cache-Control": "no-cache"}), "ETag": etag})
    return found


def _packed(data: bytes, kind: str) -> Response:
    """Bytes, compressed: every browser unpacks them by itself."""
    return Response(gzip.compress(data, 1), media_type=kind, headers={"Content-Encoding": "gzip"})


def tile(request: Request) -> Response:
    """One tile, a byte per cell row by row: ``/matrix/tile/{run}/{level}/{x}/{y}?other=&order=&pool=&stamp=``."""
    place, pool = request.path_params, request.query_params.get("pool", "max")
    return _of_matrix(
        request,
        lambda view: _packed(
            view.tile(place["level"], place["x"], place["y"], pool).tobytes(), "application/octet-stream"
        ),
    )


def cell(request: Request) -> Response:
    """Caption, video and values of one cell: ``/matrix/cell/{run}/{row}/{column}?other=&order=&stamp=``."""
    place = request.path_params
    return _of_matrix(request, lambda view: JSONResponse(view.describe(place["row"], place["column"])))


def marks(request: Request) -> Response:
    """Right pairs and borders of sources: ``/matrix/marks/{run}?other=&order=&stamp=``."""
    return _of_matrix(request, lambda view: _packed(json.dumps(view.axes.marks()).encode(), "application/json"))


# Videos -----------------------------------------------------------------------------------------------------------


def _video(request: Request) -> tuple[Corpus, str]:
    """The corpus and the video that a request names."""
    from workbench.app.loading import corpus_named

    corpus = corpus_named(request.path_params["corpus"])
    return corpus, video_of_key(corpus, request.path_params["key"])


def _proxy(corpus: Corpus, video_id: str) -> Path:
    """The proxy, made now if need be; a browser asks for several parts at once, and all but the first wait here."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return videos.proxy(corpus, video_id).path
        except BusyError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def video(request: Request) -> Response:
    """A file of a video, whole or in parts: ``/video/{corpus}/{key}/{rendition}``. Runs in a thread of Starlette's."""
    rendition = request.path_params["rendition"]
    if rendition not in RENDITIONS:
        return JSONResponse({"error": f"A rendition is one of {', '.join(RENDITIONS)}."}, status_code=404)
    try:
        corpus, video_id = _video(request)
        path = _proxy(corpus, video_id) if rendition == "proxy" else file_of(corpus, video_id, rendition)
        found = path.stat()
    except WorkbenchError as error:
        return _refused(error, f"The {rendition} file of this video cannot be read or made here.")
    except OSError:
        return JSONResponse({"error": f"The {rendition} file of this video cannot be read here."}, status_code=404)
    kind = MEDIA.get(path.suffix.lower(), "application/octet-stream")
    return FileResponse(path, media_type=kind, headers=KEEP, stat_result=found)


def thumb(request: Request) -> Response:
    """The middle picture of a video as a small JPEG: ``/thumb/{corpus}/{key}.jpg``."""
    try:
        picture = videos.thumbnail_of(*_video(request)).read_bytes()
    except WorkbenchError as error:
        return _refused(error, "This video has no picture that can be read here.")
    except OSError:
        return JSONResponse({"error": "This video has no picture that can be read here."}, status_code=404)
    return Response(picture, media_type="image/jpeg", headers=KEEP)


def playing(request: Request) -> Response:
    """What the player needs of a video: ``/player/{corpus}/{key}?text=&engine=&run=&evidence=&evidence=``.

    Words of the text are matched, texts of the evidence (ids behind ``VIDEO#``) too; frames that the run saw are ticks.
    """
    from workbench.app.components.player import thumb_address, video_address
    from workbench.app.loading import run_named
    from workbench.app.parts.panels import reading
    from workbench.app.parts.query import frames_seen

    asked = request.query_params
    try:
        corpus, video_id = _video(request)
        read = reading(corpus, video_id, asked.get("text", ""), asked.get("engine") or None)
        ticks = frames_seen(run_named(asked["run"]), video_id) if asked.get("run") else []
        found = video_player(
            corpus, video_id, lambda rendition: video_address(corpus, video_id, rendition), engine=read.engine,
            matched=[*read.text_ids, *(f"{video_id}#{one}" for one in asked.getlist("evidence"))], ticks=ticks,
            start=read.start, poster=thumb_address(corpus, video_id),
        )  # fmt: skip
    except WorkbenchError as error:
        return _refused(error, "This video cannot be played here.")
    return JSONResponse(found)


ROUTES = [
    Route("/matrix/tile/{run:str}/{level:int}/{x:int}/{y:int}", tile),
    Route("/matrix/cell/{run:str}/{row:int}/{column:int}", cell),
    Route("/matrix/marks/{run:str}", marks),
    Route("/video/{corpus:str}/{key:str}/{rendition:str}", video),
    Route("/thumb/{corpus:str}/{key:str}.jpg", thumb),
    Route("/player/{corpus:str}/{key:str}", playing),
]
