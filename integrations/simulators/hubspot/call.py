"""One API call as its handler sees it, and the routes that lead to handlers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.access import Grant
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import Record, RecordTable
from integrations.simulators.hubspot.world import World
from integrations.simulators.hubspot.writer import Writer
from integrations.simulators.routing import Patterns
from integrations.simulators.wire import BadJsonError, Json, Reply, Request

NUMBERED = frozenset({"v1", "v2", "v3", "v4"})
DATED = frozenset({"2025-09", "2026-03", "2026-09"})


def names_in(body: Json, name: str) -> list[str]:
    """Return a list of strings from a body, empty when absent; raises a 400."""
    found = body.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(x, str) for x in found):
        raise errors.bad_request(f"Invalid input JSON: {name} is a list of strings")
    return found


def number_in(body: Json, name: str, default: int) -> int:
    """Return a whole number from a body; raises a 400."""
    found = body.get(name)
    if found is None:
        return default
    if not isinstance(found, int) or isinstance(found, bool) or found < -1:
        raise errors.bad_request(f"Invalid input JSON: {name} is a number")
    return found


@dataclass(slots=True)
class Call:
    """One authenticated request. args: the path's parameters, in order."""

    world: World
    portal: Portal
    request: Request
    grant: Grant
    args: list[str]

    def table(self, at: int = 0) -> RecordTable:
        """Return the object type a path parameter names; raises a 400."""
        table = self.portal.crm_table(self.args[at])
        if table is None:
            message = f"Unable to infer object type from: {self.args[at]}"
            raise errors.bad_request(message)
        return table

    def body(self) -> Json:
        """Return the JSON object of the body; raises a 400."""
        payload = self.any_body()
        if not isinstance(payload, dict):
            raise errors.bad_request("Invalid input JSON: an object was expected")
        return payload

    def any_body(self) -> Any:
        """Return the JSON body, of any shape; raises a 400."""
        try:
            payload = self.request.json()
        except BadJsonError as error:
            raise errors.bad_request(f"Invalid input JSON: {error}") from error
        if isinstance(payload, list):
            self.request.inputs = len(payload)
        return payload

    def inputs(self, *, most: int) -> list[Json]:
        """Return a batch's inputs; raises a 400 when there are none or too many."""
        inputs = self.body().get("inputs")
        if not isinstance(inputs, list) or not all(isinstance(x, dict) for x in inputs):
            raise errors.bad_request("Invalid input JSON: inputs must be a list")
        self.request.inputs = len(inputs)
        if not inputs:
            raise errors.bad_request("Invalid input: inputs must not be empty")
        if len(inputs) > most:
            message = (
                f"The maximum number of inputs supported in a batch request is {most}, "
                f"the request contained {len(inputs)} inputs"
            )
            raise errors.bad_request(message)
        return inputs

    def limit(self, *, default: int, most: int) -> int:
        """Return ?limit=; raises a 400 when it is not within 1..most."""
        text = self.request.first("limit") or str(default)
        if not text.isdigit() or not 1 <= int(text) <= most:
            raise errors.bad_request(f"limit must be between 1 and {most}, was {text}")
        return int(text)

    def after(self) -> int:
        """Return ?after= as a number, 0 when absent; raises a 400."""
        text = self.request.first("after") or "0"
        if not text.isdigit():
            raise errors.bad_request(f"Invalid paging token: {text}")
        return int(text)

    def hides(self, record: Record) -> bool:
        """Tell whether the caller may not see a record."""
        return self.world.settings.hides(record.id)

    def writer(self) -> Writer:
        """Return a writer for this call's changes."""
        return Writer(
            self.portal,
            self.world.settings,
            at=self.world.now_ms(),
            source_id=self.grant.app_id,
            quiet=not self.world.listeners,
        )

    def done(self, writer: Writer) -> None:
        """Announce what a writer changed."""
        if writer.changes:
            self.world.announce(self.portal, writer.changes, writer.source)


Handler = Callable[[Call], Reply]
Scopes = Callable[[Call], list[list[str]]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    pattern: the path after family and version; `{...}` are parameters, `{t}`-like
    ones name objects and stay visible in the statistics. versions: path styles.
    """

    family: str
    method: str
    pattern: str
    handler: Handler
    scopes: Scopes
    versions: frozenset[str] = frozenset({"v3"}) | DATED
    search: bool = False


class Router:
    """Finds the route of a path."""

    def __init__(self, routes: list[Route]) -> None:
        self._patterns = Patterns(
            ((route.family, route.method), route.pattern, route) for route in routes
        )

    def find(
        self, method: str, segments: list[str]
    ) -> tuple[Route, list[str], str] | None:
        """Return (route, parameters, path template), or None."""
        family, version, rest, prefix = _family(segments)
        for route, args, template in self._patterns.matches((family, method), rest):
            if version in route.versions:
                return route, args, prefix + template
        return None


def _family(segments: list[str]) -> tuple[str, str, list[str], str]:
    """Split a path into (family, version, rest, prefix) for either path style."""
    area = 1 if segments[:1] in (["crm"], ["marketing"], ["automation"]) else 0
    head = segments[area : area + 2]
    if len(head) == 2 and area and head[0] in NUMBERED:
        family, version = head[1], head[0]
    elif len(head) == 2 and (head[1] in NUMBERED or head[1] in DATED):
        family, version = head
    else:
        return "", "", segments, ""
    prefix = "/" + "/".join(segments[: area + 2])
    return family, version, segments[area + 2 :], prefix
