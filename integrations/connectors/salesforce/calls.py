"""Paths and calls to Salesforce, shared by everything that makes one."""

import re
from collections.abc import Mapping

from integrations.connectors.http import HttpClient
from integrations.connectors.messages import Answer, Call, Method
from integrations.connectors.salesforce.answers import Json
from integrations.connectors.salesforce.errors import VENDOR
from integrations.connectors.salesforce.spec import READ_HEADERS, SPEC
from integrations.errors import RecordGone, Unsupported

_PART_OF_PATH = re.compile(r"[A-Za-z0-9_-]+")


class Calls:
    """One account's HttpClient, and how its interfaces are addressed."""

    def __init__(self, http: HttpClient) -> None:
        self.http = http

    def path(self, *parts: str) -> str:
        """Join a path of the data API. Raises Unsupported for a name that is none:
        names of custom objects come from people, and must not lead elsewhere."""
        if not all(map(_PART_OF_PATH.fullmatch, parts)):
            raise Unsupported("Not the name of an object", vendor=VENDOR)
        return "/".join((SPEC.paths["data"]["numbered"], *parts))

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        object_type: str = "",
    ) -> Json:
        """GET and return the answer."""
        call = Call(
            "GET", path, query=query, object_type=object_type, headers=READ_HEADERS
        )
        return self.http.request(call).body

    def query(
        self, text: str, *, object_type: str = "", deleted_too: bool = False
    ) -> Json:
        """Return the first page of a query. deleted_too: with the recycle bin."""
        path = self.path("queryAll" if deleted_too else "query")
        try:
            return self.get(path, {"q": text}, object_type=object_type)
        except RecordGone as error:
            # A query is about no record: an object or field it names is not there.
            raise Unsupported(error.message, vendor=VENDOR, code=error.code) from None

    def send(
        self,
        method: Method,
        path: str,
        body: object,
        *,
        headers: Mapping[str, str],
        inputs: int,
        object_type: str,
        repeatable: bool,
    ) -> Answer:
        """Write a collection and return the answer, whose items are its results."""
        call = Call(
            method,
            path,
            json=body,
            headers=headers,
            inputs=inputs,
            object_type=object_type,
            repeatable=repeatable,
            expects="list",
        )
        return self.http.request(call)
