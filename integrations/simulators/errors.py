"""Why a simulator refuses a request; what the refusal says is the vendor's."""

from typing import Any

from integrations.simulators.wire import Headers, Reply, json_reply


class ApiError(Exception):
    """Answer this request, or this record of a batch, with an error.

    body: as the vendor shapes it; a vendor's `errors` module makes these.
    """

    def __init__(self, status: int, body: Any, headers: Headers | None = None) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body
        self.headers = headers or []

    def reply(self) -> Reply:
        """Return the error as an answer."""
        return json_reply(self.body, self.status, self.headers)


class ControlError(Exception):
    """The control request makes no sense."""
