"""What most sources have in common: JSON that may be kept, and any 2xx as the answer.

PURE.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from integrations.webhooks.base import Hint, RawRequest, Receipt
from integrations.webhooks.reading import read_json
from leads.facts import Message


class JsonSource:
    """Base of sources; a subclass changes what is different about it."""

    vendor = ""

    def read(self, body: bytes) -> object:
        """Return the JSON value. Raises Malformed."""
        return read_json(body)

    def storable(self, body: bytes) -> bytes:
        """Return the body as it came: there is nothing in it that opens a door."""
        return body

    def receipt(self, request: RawRequest) -> Receipt | None:
        """Return None: our own JSON answer is as good as any."""
        return None

    def is_about(self, payload: object, account: str) -> bool:
        """Return True: it concerns no account."""
        return True

    def parse(
        self, payload: object, *, trace_id: str, received_at: datetime
    ) -> list[Message]:
        """Return no message."""
        return []

    def hints(
        self, payload: object, *, account: str, received_at: datetime
    ) -> list[Hint]:
        """Return no hint."""
        return []

    def subscriptions(self, remote_object: str, fields: Sequence[str]) -> list[str]:
        """Return nothing: all that it has comes by itself."""
        return []
