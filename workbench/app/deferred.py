"""Why a file could not be made: said at its button, where Streamlit says only that it failed."""

from __future__ import annotations

import asyncio
import logging

from streamlit.proto.BackMsg_pb2 import BackendOperationRequest
from streamlit.proto.ForwardMsg_pb2 import BackendOperationResponse, DeferredFileResponsePayload
from streamlit.runtime import app_session
from streamlit.runtime.backend_operation_handler import DeferredFileHandler
from streamlit.runtime.media_file_storage import MediaFileStorageError

from workbench.core.errors import WorkbenchError


class TellingHandler(DeferredFileHandler):
    """Makes the file of a button when it is clicked; a known error is answered with its sentence and remedy."""

    async def handle(self, request: BackendOperationRequest, session_id: str) -> BackendOperationResponse:
        """The address of the file, or why there is none."""
        try:
            url = await asyncio.to_thread(self._get_media_file_mgr().execute_deferred, request.deferred_file.file_id)
        except MediaFileStorageError as error:
            return BackendOperationResponse(request_id=request.request_id, error_msg=why(error.__cause__ or error))
        return BackendOperationResponse(
            request_id=request.request_id, deferred_file=DeferredFileResponsePayload(url=url)
        )


def why(error: BaseException) -> str:
    """What is said of an error; one that should not have been stands in the log of the server too."""
    if isinstance(error, WorkbenchError):
        return str(error)
    logging.getLogger(__name__).error("A file for a download could not be made", exc_info=error)
    return f"This failed, and should not have: {type(error).__name__}: {error}"


def tell_why() -> None:
    """Answer so in every session that begins from now on."""
    app_session.DeferredFileHandler = TellingHandler  # type: ignore[misc]  # Streamlit has no other place for it
