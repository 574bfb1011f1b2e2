"""What the browser asks for beside pages: matrix tiles and single cells. Names and numbers only, never paths."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.figures import MatrixView

KEEP = {"Cache-Control": "private, max-age=3600"}


def _view(request: Request) -> MatrixView:
    """The matrix that a request names. Loading comes in late: its caches need a running server."""
    from workbench.app.loading import matrix_view

    return matrix_view(request.path_params["run"], request.query_params.get("other", ""))


def tile(request: Request) -> Response:
    """One PNG tile: ``/matrix/tile/{run}/{level}/{x}/{y}?other=&pool=``."""
    place, asked = request.path_params, request.query_params
    try:
        png = _view(request).tile(place["level"], place["x"], place["y"], asked.get("pool", "max"))
    except (DataError, StateError, UnknownNameError) as error:
        return JSONResponse({"error": str(error)}, status_code=404)
    return Response(png, media_type="image/png", headers=KEEP)


def cell(request: Request) -> Response:
    """Caption, video and values of one cell: ``/matrix/cell/{run}/{row}/{column}?other=``."""
    place = request.path_params
    try:
        return JSONResponse(_view(request).describe(place["row"], place["column"]))
    except (DataError, StateError, UnknownNameError) as error:
        return JSONResponse({"error": str(error)}, status_code=404)


ROUTES = [
    Route("/matrix/tile/{run:str}/{level:int}/{x:int}/{y:int}", tile),
    Route("/matrix/cell/{run:str}/{row:int}/{column:int}", cell),
]
