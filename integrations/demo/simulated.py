"""Steers the simulated CRMs from outside, as the people who work in them would.

Refuses to speak to anything that may be a vendor's own host.
"""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from integrations.connectors import CONNECTORS
from integrations.connectors.hosts import setting

_REAL = ("hubapi.com", "hubspot.com", "salesforce.com", "force.com")
Values = Mapping[str, object]


class NotReachable(Exception):
    """There is no simulator to connect to; says where it was looked for."""


class Simulated:
    """The simulator that stands in for a vendor. Raises NotReachable."""

    def __init__(self, vendor: str) -> None:
        self.vendor = vendor
        self.label = CONNECTORS[vendor].spec.label
        self.url = setting(vendor, "API_URL")
        self._refuse_real()
        self._refuse_silent()

    def _refuse_real(self) -> None:
        name = f"{self.vendor.upper()}_API_URL"
        host = urlsplit(self.url).hostname or ""
        if not host:
            raise NotReachable(f"{name} is not set")
        if host.endswith(_REAL):
            raise NotReachable(f"{name} is the real {self.label} ({host})")

    def _refuse_silent(self) -> None:
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname or "", port), timeout=1).close()
        except OSError as error:
            raise NotReachable(f"nobody answers at {self.url}") from error

    def control(self, path: str, body: object) -> Any:
        """Post to the control panel's API; return its answer. Raises NotReachable."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/__sim/{path}", json.dumps(body).encode(), method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.loads(answer.read())
        except (OSError, ValueError) as error:
            told = f"the simulated {self.label} refused {path} ({error})"
            raise NotReachable(told) from error

    def put(self, remote_object: str, records: Sequence[Values]) -> list[str]:
        """Make records as a person would; return their ids."""
        given = [{"object": remote_object, "properties": dict(one)} for one in records]
        answer = self.control("seed", {"records": given})
        return [str(one) for one in answer["ids"].get(remote_object, [])]

    def edit(self, remote_object: str, remote_id: str, **values: str) -> None:
        """Change a record as a person would."""
        self._one(remote_object, remote_id, properties=values)

    def delete(self, remote_object: str, remote_id: str) -> None:
        """Move a record to the recycle bin."""
        self._one(remote_object, remote_id, archived=True)

    def _one(self, remote_object: str, remote_id: str, **what: object) -> None:
        record = {"object": remote_object, "id": remote_id, **what}
        self.control("seed", {"records": [record]})
