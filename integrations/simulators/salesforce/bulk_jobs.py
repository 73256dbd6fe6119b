"""Bulk jobs: what they hold, and the worker that does them a chunk at a time.

Jobs live in memory: a restarted simulator has forgotten them.
"""

import random
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from integrations.simulators.salesforce import (
    bulk_csv,
    collections_api,
    errors,
    ids,
    values,
)
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.salesforce.fls import FieldAccess
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.world import World
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.wire import Json

CHUNK = 200
ENDED = frozenset({"JobComplete", "Failed", "Aborted"})
Rows = list[list[str]]


@dataclass(slots=True)
class Job:
    """One job. shown: its public state; work: does it, given to the worker.

    Result rows carry (row id or empty, created or error, the uploaded row).
    """

    org: Org
    shown: Json
    work: "Callable[[Job], None] | None" = None
    header: list[str] = field(default_factory=list)
    uploaded: Rows = field(default_factory=list)
    done: list[tuple[str, str, list[str]]] = field(default_factory=list)
    failed: list[tuple[str, str, list[str]]] = field(default_factory=list)
    next_row: int = 0
    queued_at: float = 0.0
    due: float = 0.0
    user: str = ""
    client: str = ""
    assign: bool = False
    version: str = "v64.0"
    poison: Callable[[int], bool] | None = None
    poison_code: str = ""
    names: list[str] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Its state as a poll shows it."""
        return str(self.shown["state"])

    def note(self, state: str, now: float) -> None:
        """Move to a state."""
        self.shown["state"] = state
        self.shown["systemModstamp"] = values.iso(int(now))


class Jobs:
    """All jobs, and the thread that works on them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.all: dict[str, Job] = {}
        self._queue: list[Job] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._number = 0

    def add(self, org: Org, shown: Json) -> Job:
        """Open a job."""
        self._number += 1
        now = values.iso(int(self.world.now()))
        identifier = ids.make("750", org.pod, self._number)
        stamps = {"createdDate": now, "systemModstamp": now}
        job = Job(org, {"id": identifier} | shown | stamps)
        self.all[identifier] = job
        return job

    def find(self, org: Org, identifier: str, kind: str) -> Job:
        """Return a job of "ingest" or "query"; raises a 404."""
        job = self.all.get(ids.normal(identifier))
        if job is None or job.org is not org or _kind(job) != kind:
            raise errors.not_found()
        return job

    def start(self, job: Job, work: Callable[[Job], None]) -> None:
        """Let the worker do a job when its delay is over."""
        job.work, job.queued_at = work, time.monotonic()
        job.due = job.queued_at + self.world.settings.bulk_delay_s
        with self._changed:
            self._queue.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def look(self, job: Job) -> Job:
        """Bring a waiting job's state up to date for a poll."""
        if job.state == "UploadComplete" and job.due:
            half = (job.queued_at + job.due) / 2
            if time.monotonic() > half:
                job.note("InProgress", self.world.now())
        return job

    def clear(self) -> None:
        """Forget all jobs."""
        with self._changed:
            for job in self.all.values():
                if job.state not in ENDED:
                    job.note("Aborted", self.world.now())
            self._queue.clear()
            self.all.clear()

    def close(self) -> None:
        """Stop the worker."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _loop(self) -> None:
        while True:
            job = self._next()
            if job is None:
                return
            try:
                if job.work is not None and job.state not in ENDED:
                    job.work(job)
            except Exception:
                traceback.print_exc()
                job.shown["errorMessage"] = "InternalError"
                job.note("Failed", self.world.now())

    def _next(self) -> Job | None:
        with self._changed:
            while not self._closed:
                self._queue.sort(key=lambda job: job.due)
                now = time.monotonic()
                if self._queue and self._queue[0].due <= now:
                    return self._queue.pop(0)
                self._changed.wait(self._queue[0].due - now if self._queue else None)
        return None


def _kind(job: Job) -> str:
    return "query" if job.shown["operation"] in ("query", "queryAll") else "ingest"


# -- ingest


def ingest(world: World, job: Job) -> None:
    """Do an ingest job; other requests get their turn between its chunks."""
    started = time.perf_counter()
    job.note("InProgress", world.now())
    table = job.org.tables[job.shown["object"]]
    with world.lock:
        problem = _header_problem(world, job, table)
    if problem:
        job.shown["errorMessage"] = problem
        job.note("Failed", world.now())
        return
    while job.next_row < len(job.uploaded) and job.state not in ENDED:
        with world.lock:
            _chunk(world, job, table)
            world.commit()
    took = int((time.perf_counter() - started) * 1000)
    job.shown |= {"totalProcessingTime": took, "apiActiveProcessingTime": took}
    _shuffle(job)
    if job.state not in ENDED:
        job.note("JobComplete", world.now())


def _shuffle(job: Job) -> None:
    """Results come in another order than the upload."""
    dice = random.Random(job.shown["id"])
    dice.shuffle(job.done)
    dice.shuffle(job.failed)


def _header_problem(world: World, job: Job, table: Table) -> str:
    access = world.access(job.org, job.user)
    for name in job.header:
        relation = name.partition(".")[0].lower()
        known = access.find(table, name) or (
            "." in name and relation in table.relations
        )
        if not known:
            return f"InvalidBatch : Field name not found : {name}"
    return _operation_problem(job, access)


def _operation_problem(job: Job, access: FieldAccess) -> str:
    operation = job.shown["operation"]
    if operation in ("update", "delete") and "id" not in map(str.lower, job.header):
        return "InvalidBatch : Field name not found : Id"
    key = job.shown.get("externalIdFieldName", "")
    if operation == "upsert" and key.lower() not in map(str.lower, job.header):
        return f"InvalidBatch : Field name not found : {key}"
    return ""


def _chunk(world: World, job: Job, table: Table) -> None:
    rows = job.uploaded[job.next_row : job.next_row + CHUNK]
    records = [bulk_csv.record(job.header, row) for row in rows]
    writer = Writer(
        world,
        job.org,
        user=job.user,
        client=job.client,
        source="BULK",
        origin=f"com/salesforce/api/bulk/{job.version[1:]}",
        auto_assign=job.assign,
    )
    act = _act(job, table, records)
    for offset, (row, record) in enumerate(zip(rows, records, strict=True)):
        try:
            _spoil(job, job.next_row + offset)
            job.done.append((*act(writer, record), row))
        except RowError as error:
            text = _error_text(error, job, table, row)
            job.failed.append((_given_id(record), text, row))
    writer.done()
    job.next_row += len(rows)
    job.shown["numberRecordsProcessed"] = job.next_row
    job.shown["numberRecordsFailed"] = len(job.failed)


def _spoil(job: Job, position: int) -> None:
    if job.poison is not None and job.poison(position):
        raise errors.locked(job.poison_code or "the row")


def _given_id(record: Json) -> str:
    return str(record.get("Id") or record.get("id") or "")


def _error_text(error: RowError, job: Job, table: Table, row: list[str]) -> str:
    if error.code != "INVALID_TYPE_ON_FIELD_IN_RECORD":
        return error.in_csv()
    name = error.fields[0]
    column = job.header.index(name) if name in job.header else 0
    kind = table.fields[name].describe()["soapType"]
    message = (
        f"Failed to deserialize field at col {column}. Due to, '{row[column]}' is not "
        f"a valid value for the type {kind}"
    )
    return RowError("INVALID_FIELD", message, [name]).in_csv()


Act = Callable[[Writer, Json], tuple[str, str]]


def _act(job: Job, table: Table, records: list[Json]) -> Act:
    """Return what does one record: it answers (id, whether created)."""
    operation = job.shown["operation"]
    if operation == "insert":
        return lambda writer, record: (writer.create(table, record).id, "true")
    if operation == "update":
        return lambda writer, record: (
            collections_api.update_one(writer, table, record),
            "false",
        )
    if operation == "upsert":
        return _upserting(job, table, records)

    def delete(writer: Writer, record: Json) -> tuple[str, str]:
        collections_api.delete_one(writer, _given_id(record))
        return ids.normal(_given_id(record)), "false"

    return delete


def _upserting(job: Job, table: Table, records: list[Json]) -> Act:
    made = table.field(job.shown["externalIdFieldName"])
    if made is None:
        raise errors.not_found()
    twice = collections_api.repeated(table, made, records)

    def act(writer: Writer, record: Json) -> tuple[str, str]:
        done = collections_api.upsert_one(writer, table, made, record, twice)
        return str(done["id"]), str(done["created"]).lower()

    return act
