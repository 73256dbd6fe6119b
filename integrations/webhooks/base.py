"""What a webhook source is, and the values that cross its border.

PURE: no Django, no HTTP, no clock. A source says how to tell whether a request is its
own, when two are the same, and what is in one: messages of people, or a CRM's hints
that records of it changed. It touches no record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from leads.facts import Message


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as it arrived.

    headers: lower-case name -> value, bytes read as Latin-1; body: not decoded yet;
    url: the public address it was posted to, which says nothing of the Host header.
    """

    method: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    url: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sender insists on hearing once its delivery is stored."""

    content_type: str
    body: bytes


HintKind = Literal["changed", "deleted", "merged", "restored", "association"]
# The origin of what we wrote ourselves, where a CRM tells it.
OWN = "crmsync"


@dataclass(frozen=True, slots=True)
class Hint:
    """A CRM's word that a record of it changed; to know more it has to be fetched.

    remote_id: "" when any record of the object may have changed; at: by their clock;
    origin: what changed it in their word, or OWN.
    fields: remote name -> value as it was told, None = emptied; perhaps not all.
    other_id: the record it was merged into, or one it is tied to since or no longer.
    """

    remote_object: str
    remote_id: str
    kind: HintKind
    at: datetime | None = None
    origin: str = ""
    fields: Mapping[str, str | None] = field(default_factory=dict)
    other_id: str = ""


class Malformed(ValueError):
    """The delivery cannot be used, however often it is tried; says why in words."""


class Source(Protocol):
    """One system that posts webhooks. Stateless: one instance serves every endpoint.

    name: what endpoints store; signs: whether an unsigned request is refused; vendor:
    of the connection each of its endpoints belongs to, "" when there is none.
    """

    name: str
    label: str
    description: str
    signs: bool
    vendor: str

    def verify(
        self, request: RawRequest, secrets: Sequence[str], now: datetime
    ) -> None:
        """Check the signature over the bytes. Raises SignatureInvalid."""

    def sign(self, request: RawRequest, secret: str) -> dict[str, str]:
        """Return the headers by which the sender would sign this request."""

    def read(self, body: bytes) -> object:
        """Return the payload. Raises Malformed for what is not in the source's form."""

    def storable(self, body: bytes) -> bytes:
        """Return the body without what must not be kept: credentials that work."""

    def receipt(self, request: RawRequest) -> Receipt | None:
        """Return what the sender must be answered, None when any 2xx will do."""

    def refuses(self, payload: object) -> str | None:
        """Return why this cannot be from the source, None when it can."""

    def is_about(self, payload: object, account: str) -> bool:
        """Tell whether it may concern this account; "" when that is not known."""

    def dedupe_key(self, payload: object, body: bytes) -> str:
        """Return 64 hex digits, equal when a delivery is one that came before."""

    def parse(
        self, payload: object, *, trace_id: str, received_at: datetime
    ) -> list[Message]:
        """Return the messages of a delivery. Raises Malformed."""

    def hints(
        self, payload: object, *, account: str, received_at: datetime
    ) -> list[Hint]:
        """Return what a CRM says has changed in this account of it."""

    def subscriptions(self, remote_object: str, fields: Sequence[str]) -> list[str]:
        """Return what has to be asked for there, in its words, to be told of these."""
