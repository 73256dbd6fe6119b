"""What a webhook source is, and the values that cross its border.

PURE: no Django, no HTTP, no clock. A source says how to tell whether a request is its
own, when two are the same, and what messages are in one; it touches no record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from leads.facts import Message


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as it arrived.

    headers: lower-case name -> value, bytes read as Latin-1; body: not decoded yet.
    """

    method: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class Malformed(ValueError):
    """The delivery cannot be used, however often it is tried; says why in words."""


class Source(Protocol):
    """One system that posts webhooks. Stateless: one instance serves every endpoint.

    name: what endpoints store; signs: whether an unsigned request is refused.
    """

    name: str
    label: str
    description: str
    signs: bool

    def verify(
        self, request: RawRequest, secrets: Sequence[str], now: datetime
    ) -> None:
        """Check the signature over the bytes. Raises SignatureInvalid."""

    def refuses(self, payload: object) -> str | None:
        """Return why this cannot be from the source, None when it can."""

    def dedupe_key(self, payload: object, body: bytes) -> str:
        """Return 64 hex digits, equal when a delivery is one that came before."""

    def parse(
        self, payload: object, *, trace_id: str, received_at: datetime
    ) -> list[Message]:
        """Return the messages of a delivery. Raises Malformed."""
