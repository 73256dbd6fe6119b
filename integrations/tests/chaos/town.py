"""The running product with HubSpot and Salesforce, and people who edit in all three.

The product is real processes, both CRMs are simulators. Nothing here waits for anything
but the product's own signs; see `havoc` for what goes wrong meanwhile.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crmsync.platform.ports import LOOPBACK, any_free
from integrations.simulators.testing import (
    CLIENT_SECRET,
    PRIVATE_TOKEN,
    SALESFORCE_TOKEN,
    RunningSimulator,
)
from integrations.tests.live import WORKERS, LiveSystem, lgm_reply
from integrations.tests.sync.trio import ACTORS, FIELDS, OBJECTS, Actor

PROCESSES = ("web", *WORKERS, "beat")
LEASE_S = 8
POLL_S = 5
HOOKS = {
    "hubspot": "hubspot-live-token-00000",
    "salesforce": "salesforce-live-token-00",
}
SECRET = "a-secret-of-the-relay"
_SET_UP = f"""
from django_scopes import scopes_disabled
from crmsync.core.models import Workspace
from crmsync.core.testing import make_api_key
from integrations.models import Connection, FieldMapping, ObjectMapping
from integrations.testing import make_endpoint
with scopes_disabled():
    workspace = Workspace.objects.get(slug="live")
    rows = ObjectMapping.objects.all()
    rows.exclude(remote_object__in=["contacts", "deals", "notes", "Lead"]).update(
        active=False
    )
    rows.filter(remote_object__in=["contacts", "Lead"]).update(
        active=True, direction="both", engaged_only=False, pull_every_s={POLL_S}
    )
    # Salesforce gives what we make to our own user there, who is nobody here.
    FieldMapping.objects.filter(source="owner_email").update(active=False)
    for vendor, token in {HOOKS!r}.items():
        make_endpoint(
            workspace, source=vendor, token=token,
            connection=Connection.objects.get(vendor=vendor),
            secrets={{"hubspot": "{CLIENT_SECRET}", "salesforce": "{SECRET}"}}[vendor],
        )
    print(make_api_key(workspace)[1])
"""
_LEDGER = """
from crmsync.core.models import Workspace
from crmsync.core.queue import ledger
from crmsync.core.scoping import in_workspace
with in_workspace(Workspace.objects.get(slug="live")):
    print(ledger()["difference"])
"""
_RETRY = """
from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from crmsync.core.scoping import in_workspace
with in_workspace(Workspace.objects.get(slug="live")):
    queue.retry(WorkItem.objects.filter(state="parked").values_list("pk", flat=True))
"""

_PARKED = "SELECT key FROM core_workitem WHERE kind = 'push' AND state = 'parked'"
_UNFINISHED = (
    "kind IN ('push', 'fetch', 'process') AND (state IN ('ready', 'leased') "
    f"OR (state = 'waiting' AND waits_for NOT IN ({_PARKED})))"
)


@dataclass(slots=True)
class Town:
    """All three with the same people. ids: e-mail -> its id there, or here."""

    live: LiveSystem
    hubspot: RunningSimulator
    salesforce: RunningSimulator
    key: str = ""
    ids: dict[Actor, dict[str, str]] = field(default_factory=dict)

    def connect(self) -> None:
        """Connect both CRMs, and let them tell what changes there."""
        self.live.start("broker", *PROCESSES)
        for vendor, token in (
            ("hubspot", PRIVATE_TOKEN),
            ("salesforce", SALESFORCE_TOKEN),
        ):
            self.live.env["CRM_TOKEN"] = token
            self.live.manage("connect", vendor, "--workspace", "live")
        self.key = self.live.manage("shell", "-c", _SET_UP).split()[-1]
        self._subscribe()

    def _subscribe(self) -> None:
        names = [theirs for theirs, _ in FIELDS.values()]
        self.hubspot.configure(
            webhook_duplicate=0.3, webhook_reorder=0.3, webhook_lose=0.1
        )
        self.hubspot.set_webhooks(
            self._hook("hubspot"),
            ["contact.creation", *(f"contact.propertyChange:{one}" for one in names)],
        )
        self.salesforce.configure(
            event_duplicate=0.3, event_reorder=0.3, event_lose=0.1
        )
        target = {"url": self._hook("salesforce"), "objects": ["Lead"], "batch": 10}
        headers = {"headers": {"X-Crmsync-Secret": SECRET}}
        self.salesforce.control("POST", "events", target | headers)

    def _hook(self, vendor: str) -> str:
        return f"{self.live.url}/webhooks/{HOOKS[vendor]}/"

    # --- what people do ---------------------------------------------------------------

    def populate(self, count: int) -> list[str]:
        """Let people be entered in each of the three; return their e-mails."""
        emails = [f"p{number}@customer.example.org" for number in range(count)]
        for number, email in enumerate(emails):
            self._enter(ACTORS[number % 3], email)
        self.live.wait_until(
            lambda: self._are_everywhere(emails), timeout_s=120, what="the people"
        )
        return emails

    def _enter(self, actor: Actor, email: str) -> None:
        if actor == "hub":
            values = {"email": email, **dict.fromkeys(FIELDS, "Start")}
            self._call("POST", "/api/v1/leads/", values, wanted=201)
            return
        place = ACTORS.index(actor) - 1
        values = {names[place]: "Start" for names in FIELDS.values()}
        values["email" if actor == "hubspot" else "Email"] = email
        made = {"object": OBJECTS[actor], "properties": values}
        self.simulator(actor).seed([made])

    def _are_everywhere(self, emails: Sequence[str]) -> bool:
        # The time until the next poll is let pass.
        time.sleep(0.5)
        self.let_time_pass()
        sides = self.truth()
        self.ids = {
            actor: {email: one["id"] for email, one in sides[actor].items()}
            for actor in ACTORS
        }
        return all(set(emails) <= set(self.ids[actor]) for actor in ACTORS)

    def edit(self, actor: Actor, email: str, values: Mapping[str, str]) -> None:
        """Let somebody enter values in one of the three."""
        record_id = self.ids[actor][email]
        if actor == "hub":
            self._call("PATCH", f"/api/v1/leads/{record_id}/", values, wanted=200)
            return
        place = ACTORS.index(actor) - 1
        entered = {FIELDS[name][place]: value for name, value in values.items()}
        changed = {"object": OBJECTS[actor], "id": record_id, "properties": entered}
        self.simulator(actor).seed([changed])

    def reply(self, number: int) -> None:
        """Let a person of this number reply; the source tells it until it is heard."""
        until_answered(lambda: self.live.post("lgm", lgm_reply(number)).status == 202)

    def _call(
        self, method: str, path: str, body: Mapping[str, str], *, wanted: int
    ) -> None:
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
        }

        def answered() -> bool:
            answer = self.live.request(
                method, path, body=json.dumps(body).encode(), headers=headers
            )
            # A request whose connection to the database was cut ends so.
            ends = answer.status == wanted or answer.status >= 500
            assert ends, (answer.status, answer.body)
            return answer.status == wanted

        until_answered(answered)

    def simulator(self, actor: Actor) -> RunningSimulator:
        """Return the stand-in for a CRM."""
        return self.hubspot if actor == "hubspot" else self.salesforce

    # --- how it stands ----------------------------------------------------------------

    def truth(self) -> dict[Actor, dict[str, dict[str, str]]]:
        """Return side -> e-mail -> what it has of each field, and its id."""
        names = ("id", "email", *FIELDS)
        rows = self.live.sql(f"SELECT {', '.join(names)} FROM leads_lead")
        here = [dict(zip(names, map(str, row), strict=True)) for row in rows]
        found: dict[Actor, dict[str, dict[str, str]]] = {
            "hub": {one["email"]: one for one in here}
        }
        for place, actor in enumerate(OBJECTS):
            email = "email" if actor == "hubspot" else "Email"
            found[actor] = {
                one["properties"].get(email, "").lower(): {
                    "id": str(one["id"]),
                    **{
                        name: one["properties"].get(theirs[place]) or ""
                        for name, theirs in FIELDS.items()
                    },
                }
                for one in self.simulator(actor).dump(OBJECTS[actor])
            }
        return found

    def out_of_step(self) -> dict[str, str]:
        """Return e-mail -> what differs between the three, or where it is missing."""
        sides = self.truth()
        emails = {email for side in sides.values() for email in side}
        return {
            email: told
            for email in sorted(emails)
            if (told := _difference([side.get(email) for side in sides.values()]))
        }

    def in_the_error_list(self) -> dict[str, str]:
        """Return e-mail -> the cause that is shown for what did not arrive."""
        rows = self.live.sql(
            "SELECT kind, key, error_class, error FROM core_workitem "
            "WHERE state = 'parked' AND error <> ''"
        )
        sides = self.truth()
        by_id = {
            one["id"]: email for side in sides.values() for email, one in side.items()
        }
        told = {}
        for kind, key, error_class, error in rows:
            email = by_id.get(str(key).partition(":")[2], f"{kind} {key}")
            told[email] = f"{error_class}: {error}"
        return told

    def ledger_difference(self) -> int:
        """Return by how much the conservation law is broken."""
        return int(self.live.manage("shell", "-c", _LEDGER).split()[-1])

    def story_of(self, email: str, name: str) -> list[str]:
        """Return what we know of a field's ways: history, journal and both CRMs'."""
        lead = self.ids["hub"][email]
        changes = self.live.sql(
            "SELECT at, said_at, action, origin_label, fields FROM leads_change "
            "WHERE record_type = 'lead' AND record_id = %s ORDER BY id",
            lead,
        )
        told = [f"{row}" for row in changes if name in str(row[-1])]
        entries = self.live.sql(
            "SELECT at, connection_id, direction, outcome, fields, message "
            "FROM integrations_syncentry WHERE record_type = 'lead' "
            "AND record_id = %s ORDER BY id",
            lead,
        )
        theirs = FIELDS[name]
        told += [f"{row}" for row in entries]
        for place, actor in enumerate(OBJECTS):
            remote_id = self.ids[actor][email]
            history = self.simulator(actor).history(OBJECTS[actor], remote_id)
            steps = history["fields"].get(theirs[place], ())
            told += [f"{actor}: {one}" for one in steps]
        return told

    # --- coming to rest ---------------------------------------------------------------

    def let_time_pass(self) -> None:
        """Make due what waits for its time, as the hours would."""
        now = self._stamp(datetime.now(UTC))
        self.live.sql(
            "UPDATE core_workitem SET not_before = %s WHERE state = 'ready' "
            "AND not_before > %s AND not_before < %s",
            *(now, now, self._stamp(datetime(3000, 1, 1, tzinfo=UTC))),
        )
        self.live.sql(
            "UPDATE core_channel SET paused_until = %s, breaker_until = %s", now, now
        )

    def _stamp(self, at: datetime) -> object:
        """Return a time as the database has it; SQLite keeps it as text."""
        return at if self.live.database.env else at.strftime("%Y-%m-%d %H:%M:%S.%f")

    def rest(self, *, timeout_s: float) -> None:
        """Wait until nothing is left to do, and both CRMs were polled twice since."""
        seen, quiet = self._polls(), 0

        def rests() -> bool:
            nonlocal seen, quiet
            self.let_time_pass()
            time.sleep(1)
            polls = self._polls()
            if self.unfinished():
                seen, quiet = polls, 0
            elif not set(seen) & set(polls):
                seen, quiet = polls, quiet + 1
            return quiet == 2

        try:
            self.live.wait_until(rests, timeout_s=timeout_s, what="the end of all work")
        except AssertionError as error:
            error.add_note(f"left: {self._left()}")
            raise

    def _polls(self) -> list[object]:
        rows = self.live.sql(
            # Before the mappings are set up for this, others may have been polled once.
            "SELECT read_at FROM integrations_cursor JOIN integrations_objectmapping "
            "ON mapping_id = integrations_objectmapping.id WHERE read_at IS NOT NULL "
            "AND active AND direction <> 'push' ORDER BY mapping_id"
        )
        return [row[0] for row in rows]

    def unfinished(self) -> int:
        """Return how much work is under way, or waits for what will come by itself.

        What waits for something that failed rests until a person has looked at that.
        """
        return self.live.count("core_workitem", _UNFINISHED)

    def _left(self) -> list[tuple[object, ...]]:
        return self.live.sql(
            "SELECT kind, key, lane, state, waits_for, attempts, rescues, error_class, "
            f"error, not_before, leased_until FROM core_workitem WHERE {_UNFINISHED}"
        )

    def retry_all(self) -> None:
        """Press "retry" for all that failed."""
        self.live.manage("shell", "-c", _RETRY)


@contextlib.contextmanager
def town(folder: Path) -> Iterator[Town]:
    """Run the three until left."""
    port = any_free()
    url = f"http://{LOOPBACK}:{port}"
    env = {
        "WORK_LEASE_S": str(LEASE_S),
        "SALESFORCE_API_URL": url,
        "SALESFORCE_AUTH_URL": url,
        "API_RATE": "100000/minute",
    }
    with (
        LiveSystem(folder, env=env) as live,
        RunningSimulator("hubspot", port=live.simulator_port) as hubspot,
        RunningSimulator("salesforce", port=port) as salesforce,
    ):
        made = Town(live, hubspot, salesforce)
        made.connect()
        yield made


def until_answered(tried: Callable[[], bool], *, timeout_s: float = 60) -> None:
    """Try until it succeeds, as a person or a sender does while the web is down."""
    deadline = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if tried():
                return
        assert time.monotonic() < deadline, "the web process never answered"
        time.sleep(0.1)


def _difference(sides: Sequence[Mapping[str, Any] | None]) -> str:
    if any(side is None for side in sides):
        there = [actor for actor, side in zip(ACTORS, sides, strict=True) if side]
        return f"only in {', '.join(there)}"
    values = {name: [side[name] for side in sides if side] for name in FIELDS}
    return "; ".join(f"{n}: {v}" for n, v in values.items() if len(set(v)) > 1)
