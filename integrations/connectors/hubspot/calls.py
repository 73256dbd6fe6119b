"""Paths and calls to HubSpot, shared by everything that makes one."""

import re
from collections.abc import Mapping

from integrations.connectors.http import Call, HttpClient
from integrations.connectors.hubspot.answers import Json
from integrations.connectors.hubspot.errors import VENDOR
from integrations.connectors.hubspot.spec import SPEC
from integrations.connectors.spec import VersionStyle
from integrations.errors import Unsupported

_PART_OF_PATH = re.compile(r"[A-Za-z0-9_-]+")


class Calls:
    """One account's HttpClient, with the version of each path family.

    versions: path family -> "numbered" (default) or "dated".
    """

    def __init__(
        self, http: HttpClient, versions: Mapping[str, VersionStyle] | None = None
    ) -> None:
        self.http = http
        self._versions = dict(versions or {})

    def path(self, family: str, *parts: str) -> str:
        """Join a path. Raises Unsupported for an object name that is none: names of
        custom objects come from people, and must not lead elsewhere."""
        if not all(map(_PART_OF_PATH.fullmatch, parts)):
            raise Unsupported("Not the name of an object", vendor=VENDOR)
        base = SPEC.paths[family][self._versions.get(family, "numbered")]
        return "/".join((base, *parts))

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        values: Mapping[str, str] | None = None,
        object_type: str = "",
    ) -> Json:
        """GET and return the answer; `query`, `values` as in Call."""
        call = Call("GET", path, values=values, query=query, object_type=object_type)
        return self.http.request(call).body

    def post(
        self,
        path: str,
        body: object,
        *,
        query: Mapping[str, str] | None = None,
        inputs: int = 1,
        object_type: str = "",
        repeatable: bool = True,
        bucket: str = "api",
    ) -> Json:
        """POST and return the answer; `query`, `repeatable` ... as in Call."""
        call = Call(
            "POST",
            path,
            query=query,
            json=body,
            inputs=inputs,
            object_type=object_type,
            repeatable=repeatable,
            bucket=bucket,
        )
        return self.http.request(call).body
