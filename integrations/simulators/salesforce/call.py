"""One REST call as its handler sees it, and the routes that lead to handlers."""

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from integrations.simulators.routing import Patterns
from integrations.simulators.salesforce import errors, ids, references
from integrations.simulators.salesforce.access import Grant
from integrations.simulators.salesforce.definitions import Field
from integrations.simulators.salesforce.fls import FieldAccess
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.world import World
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.wire import BadJsonError, Json, Reply, Request

MOST_RECORDS = 200


def call_option(request: Request, header: str, name: str) -> str:
    """Return one `name=value` of a Sforce-... header."""
    for part in request.header(header).split(","):
        key, _, value = part.strip().partition("=")
        if key.strip().lower() == name.lower():
            return value.strip()
    return ""


@dataclass(slots=True)
class Call:
    """One authenticated request. args: the path's parameters; version: "v64.0".

    dispatch: answers another request as the same caller, for composites.
    """

    world: World
    request: Request
    grant: Grant
    version: str
    args: list[str]
    dispatch: Callable[[Request], Reply]

    @property
    def org(self) -> Org:
        """The caller's organization."""
        return self.grant.org

    @property
    def base(self) -> str:
        """The path all of this version's resources begin with."""
        return f"/services/data/{self.version}"

    @property
    def access(self) -> FieldAccess:
        """What the caller sees."""
        return self.world.access(self.org, self.grant.user)

    def table(self, at: int = 0) -> Table:
        """Return the object a path parameter names; raises a 404."""
        table = self.org.table(self.args[at])
        if table is None:
            raise errors.not_found()
        return table

    def any_body(self) -> Any:
        """Return the JSON body, of any shape; raises a 400."""
        try:
            return self.request.json()
        except (BadJsonError, UnicodeDecodeError) as error:
            raise errors.bad_request("JSON_PARSER_ERROR", str(error)) from error

    def body(self) -> Json:
        """Return the JSON object of the body; raises a 400."""
        payload = self.any_body()
        if not isinstance(payload, dict):
            raise errors.bad_request("JSON_PARSER_ERROR", "an object was expected")
        return payload

    def records(self) -> list[Json]:
        """Return a collection's records; raises a 400."""
        records = self.body().get("records")
        if records is not None and not (
            isinstance(records, list) and all(isinstance(r, dict) for r in records)
        ):
            raise errors.bad_request("JSON_PARSER_ERROR", "records must be a list")
        if not records:
            raise errors.bad_request(
                "REQUIRED_FIELD_MISSING", "At least 1 record is required"
            )
        if len(records) > MOST_RECORDS:
            raise errors.bad_request(
                "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than "
                f"{MOST_RECORDS} records into this call",
            )  # fmt: skip
        self.request.inputs = len(records)
        return records

    def writer(self, source: str = "API") -> Writer:
        """Return a writer for this call's changes."""
        client = call_option(self.request, "Sforce-Call-Options", "client")
        origin = f"com/salesforce/api/rest/{self.version[1:]}"
        rule = self.request.header("Sforce-Auto-Assign")
        allow = call_option(self.request, "Sforce-Duplicate-Rule-Header", "allowSave")
        return Writer(
            self.world,
            self.org,
            user=self.grant.user,
            client=client or self.grant.client_id,
            source=source,
            origin=f"{origin};client={client}" if client else origin,
            auto_assign=rule.strip().lower() != "false",
            allow_duplicates=allow.lower() == "true",
            version=self.version,
        )

    def spoiled(self, position: int, identifier: str) -> errors.RowError | None:
        """Return the refusal that a fault has in store for a row."""
        if self.request.poison is None or not self.request.poison(position):
            return None
        code = self.request.poison_code or "UNABLE_TO_LOCK_ROW"
        if code == "UNABLE_TO_LOCK_ROW":
            return errors.locked(identifier[:15] or "the row")
        if code == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY":
            return errors.locked_in_trigger(identifier[:15] or "the row")
        return errors.RowError(code, f"{code}: refused by a fault")

    def key_field(self, table: Table, name: str) -> Field:
        """Return the field that stands for an id; raises a 404."""
        made = self.access.find(table, name)
        if made is None or not (made.looked_up or made.name == "Id"):
            message = (
                "Provided external ID field does not exist or is not accessible: "
                f"{name}"
            )
            raise errors.plain(404, "NOT_FOUND", message)
        return made


def moment_of(header: str) -> float:
    """Return an HTTP date as epoch seconds; raises a 400."""
    try:
        return parsedate_to_datetime(header).timestamp()
    except (TypeError, ValueError) as error:
        message = f"not an HTTP date: {header}"
        raise errors.bad_request("INVALID_DATE_FORMAT", message) from error


def find_by_key(table: Table, made: Field, value: Any) -> Row | None:
    """Return the live record with a key; raises RowError when there are several."""
    if made.name == "Id":
        return table.live(ids.normal(value))
    found = table.find(made.name, value)
    if len(found) > 1:
        raise references.too_many(made, found)
    return table.rows[found[0]] if found else None


Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. pattern: the path below the version; `{t...}` names an object and
    stays visible in the statistics."""

    method: str
    pattern: str
    handler: Handler


class Router:
    """Finds the route of a path."""

    def __init__(self, routes: list[Route]) -> None:
        self._patterns = Patterns(
            ((route.method, route.pattern, route) for route in routes), fold=True
        )

    def find(self, method: str, rest: list[str]) -> tuple[Route, list[str], str] | None:
        """Return (route, parameters, path template), or None."""
        return next(self._patterns.matches(method, rest), None)

    def allows_other(self, method: str, rest: list[str]) -> bool:
        """Return whether the path exists with another method."""
        others = ("GET", "POST", "PATCH", "PUT", "DELETE")
        return any(self.find(m, rest) for m in others if m != method)
