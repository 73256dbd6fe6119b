"""Failures as people see them: by cause, with a way out, filtered and counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations import causes, freshness, selectors
from integrations.causes import Cause
from integrations.figures import HomeFigures
from integrations.freshness import Freshness
from integrations.models import ApiCall, Connection, ObjectMapping, SyncEntry
from integrations.selectors import Row
from leads.browse import Choice

GROUPS_SHOWN = 8
# Kinds of work whose group is a mapping.
_BY_MAPPING = frozenset({selectors.PUSH, selectors.FETCH})
FAILED, AGAIN, WAITS = "failed", "again", "waits"
_STATES = {
    FAILED: ("Failed", Q(state=State.PARKED)),
    AGAIN: ("Tried again by itself", Q(state__in=[State.READY, State.LEASED])),
    WAITS: ("Waiting for another", Q(state=State.WAITING)),
}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many failed for good, are tried again, and wait for another."""

    failed: int
    again: int
    waits: int


@dataclass(frozen=True, slots=True)
class Group:
    """Failures of one cause. fix_url: where it is mended, "" where nowhere."""

    cause: Cause
    connection: Connection | None
    mapping: ObjectMapping | None
    field: str
    code: str
    sample: str
    count: int
    first_at: datetime | None
    last_at: datetime | None
    item_id: int

    @property
    def title(self) -> str:
        """Return what happened, in a line."""
        about = f" in “{self.field}”" if self.field else ""
        where = f" · {self.mapping.remote_object}" if self.mapping else ""
        return f"{self.cause.label}{about}{where}"

    @property
    def fix_url(self) -> str:
        """Return where the cause is mended."""
        return fix_url(self.cause, self.mapping, self.connection)

    @property
    def query(self) -> str:
        """Return the query string that lists these failures."""
        params = QueryDict(mutable=True)
        params["cause"] = self.cause.name
        if self.connection:
            params["connection"] = str(self.connection.pk)
        if self.code:
            params["q"] = self.code
        return f"?{params.urlencode()}"


def fix_url(
    cause: Cause, mapping: ObjectMapping | None, connection: Connection | None
) -> str:
    """Return the page where a cause is mended, "" for those that pass."""
    if cause.fix == "mapping" and mapping is not None:
        return mapping.get_absolute_url()
    if cause.fix == "connection" and connection is not None:
        return connection.get_absolute_url()
    if cause.fix == "delivery":
        return reverse("deliveries") + "?state=failed"
    if cause.fix == "run":
        about = f"&connection={connection.pk}" if connection is not None else ""
        return reverse("runs") + f"?state=stopped{about}"
    return ""


def counts() -> Counts:
    """Return the numbers over the list, in one query."""
    found = selectors.failing_items().aggregate(
        **{name: Count("id", filter=where) for name, (_, where) in _STATES.items()}
    )
    return Counts(found[FAILED], found[AGAIN], found[WAITS])


def groups() -> list[Group]:
    """Return the causes of what waits for a person, the most frequent first."""
    parked = WorkItem.objects.filter(state=State.PARKED, failed_at__isnull=False)
    rows = list(
        parked.order_by()
        .values(
            "channel_id", "group", "kind", "error_class", "error_field", "error_code"
        )
        .annotate(
            n=Count("id"),
            first=Min("failed_at"),
            last=Max("failed_at"),
            sample=Max("error"),
            item=Max("id"),
        )
        .order_by("-n")[:GROUPS_SHOWN]
    )
    connections = {one.channel_id: one for one in Connection.objects.all()}
    wanted = {row["group"] for row in rows if row["group"].isdigit()}
    mappings = {str(one.pk): one for one in ObjectMapping.objects.filter(pk__in=wanted)}
    return [
        Group(
            cause=causes.of(row["error_class"]),
            connection=connections.get(row["channel_id"]),
            mapping=mappings.get(row["group"]) if row["kind"] in _BY_MAPPING else None,
            field=row["error_field"],
            code=row["error_code"],
            sample=row["sample"],
            count=row["n"],
            first_at=row["first"],
            last_at=row["last"],
            item_id=row["item"],
        )
        for row in rows
    ]


def filtered(query: QueryDict) -> QuerySet[WorkItem]:
    """Return the failures a list's address asks for; an unknown filter is none.

    An address that says nothing about the state asks for what needs a person.
    """
    rows = selectors.failing_items()
    if (state := query.get("state", FAILED)) in _STATES:
        rows = rows.filter(_STATES[state][1])
    if (cause := query.get("cause", "")) in causes.CAUSES:
        rows = rows.filter(error_class=cause)
    wanted = query.get("connection", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        rows = rows.filter(channel__connection=int(wanted))
    for word in query.get("q", "").replace("\x00", "").split()[:6]:
        rows = rows.filter(
            Q(error__icontains=word)
            | Q(error_code__icontains=word)
            | Q(error_field__icontains=word)
        )
    return rows


def choices(query: QueryDict) -> list[Choice]:
    """Return the filters over the list of failures."""
    connections = Connection.objects.order_by("name").values_list("pk", "name")
    named = [(str(pk), name) for pk, name in connections]
    kinds = [(one.name, one.label) for one in causes.CAUSES.values()]
    states = [(name, label) for name, (label, _) in _STATES.items()]
    given = (
        ("state", "State", "Any state", states),
        ("connection", "Connection", "Any connection", named),
        ("cause", "Cause", "Any cause", kinds),
    )
    return [
        Choice(
            name,
            label,
            query.get(name, FAILED if name == "state" else ""),
            [("", anything), *options],
        )
        for name, label, anything, options in given
    ]


def tries(row: Row) -> Sequence[SyncEntry]:
    """Return the journal of the row's record under its mapping, newest first."""
    if row.mapping is None or row.record_id is None:
        return []
    entries = SyncEntry.objects.filter(
        record_type=row.record_type, record_id=row.record_id, mapping=row.mapping
    )
    return list(entries.order_by("-id")[:30])


def calls(row: Row) -> Sequence[ApiCall]:
    """Return the calls made for the row's event, newest first."""
    if not row.item.trace_id or row.connection is None:
        return []
    made = ApiCall.objects.filter(connection=row.connection, trace_id=row.item.trace_id)
    return list(made.order_by("-id")[:30])


@dataclass(frozen=True, slots=True)
class Health:
    """How a connection stands. failed: waits for a person; waiting: goes by itself."""

    connection: Connection
    failed: int
    waiting: int
    moved_today: int
    fresh: Freshness


def health(figures: HomeFigures) -> list[Health]:
    """Return the connections with what failed apart from what is still under way."""
    parked = WorkItem.objects.filter(state=State.PARKED, failed_at__isnull=False)
    counted = parked.order_by().values_list("channel_id").annotate(n=Count("id"))
    failed = dict(counted)
    connections = [one.connection for one in figures.connections]
    fresh = freshness.of_connections(connections, timezone.now())
    return [
        Health(
            one.connection,
            failed.get(one.connection.channel_id, 0),
            one.waiting + one.failing - failed.get(one.connection.channel_id, 0),
            one.moved_today,
            fresh[one.connection.pk],
        )
        for one in figures.connections
    ]


# --- export ---------------------------------------------------------------------------

# A sheet would read a cell that begins like this as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
HEADINGS = (
    "Record",
    "Type",
    "Connection",
    "Cause",
    "State",
    "Message",
    "Code",
    "Field",
    "Tries",
    "Failed at",
    "Next try at",
)


def safe_cell(value: object) -> str:
    """Return a cell that no sheet takes for a formula.

    >>> safe_cell("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def cells(rows: Iterable[Row]) -> Iterable[list[str]]:
    """Return the rows of the export."""
    for row in rows:
        item = row.item
        ready = item.state == State.READY
        values = (
            row.record_label,
            row.record_type or item.kind,
            row.connection or "",
            causes.of(item.error_class).label,
            State(item.state).label,
            item.error,
            item.error_code,
            item.error_field,
            item.attempts,
            item.failed_at.isoformat() if item.failed_at else "",
            item.not_before.isoformat() if ready else "",
        )
        yield [safe_cell(value) for value in values]
