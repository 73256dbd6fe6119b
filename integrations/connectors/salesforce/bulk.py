"""Writing thousands of records in one job of Bulk API 2.0.

For upserts by an external id and updates by id: both can be repeated, so a job whose
end is not seen in time is an unknown outcome that a second try puts right.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from integrations.connectors.messages import Answer, Call, Method
from integrations.connectors.salesforce import answers, tables, writing
from integrations.connectors.salesforce.answers import Json, Sent
from integrations.connectors.salesforce.calls import Calls
from integrations.connectors.salesforce.errors import (
    VENDOR,
    bulk_error,
    job_error,
)
from integrations.connectors.salesforce.spec import WRITE_HEADERS
from integrations.connectors.salesforce.values import clean, is_id, long_id
from integrations.errors import OutcomeUnknown, Retryable, SyncError
from integrations.records import WriteResult

WAIT_S = 45.0
_FIRST_POLL_S, _SLOWEST_POLL_S = 0.5, 5.0
_OPEN = frozenset({"UploadComplete", "InProgress"})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a job is waited for, and by which clock."""

    wait_s: float = WAIT_S
    first_poll_s: float = _FIRST_POLL_S
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def write(calls: Calls, batch: Sequence[Sent], patience: Patience) -> list[WriteResult]:
    """Write rows of one kind and return a result for each, in no order.

    Raises SyncError until the job is started; later it is each row's outcome.
    """
    job = _Job(calls, batch)
    job.open()
    job.upload()
    try:
        job.start()
        state = job.wait(patience)
        return job.results(state)
    except SyncError as error:
        return [answers.refused(one, _unknown(error)) for one in batch]


class _Job:
    """One ingest job."""

    def __init__(self, calls: Calls, batch: Sequence[Sent]) -> None:
        self._calls = calls
        self._batch = batch
        self._object_type = batch[0].write.object_type
        self._id = ""

    def open(self) -> None:
        kind, key_field = writing.kind_of(self._batch[0])
        body = {
            "object": self._object_type,
            "operation": kind,
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        if key_field:
            body["externalIdFieldName"] = key_field
        made = self._ask("POST", "", json=body).body
        self._id = clean(made.get("id")) or ""
        if not is_id(self._id):
            raise Retryable("The job has no id", vendor=VENDOR, code="BAD_SHAPE")

    def upload(self) -> None:
        self._ask(
            "PUT",
            "/batches",
            content=tables.written(self._batch),
            inputs=len(self._batch),
        )

    def start(self) -> None:
        self._ask("PATCH", "", json={"state": "UploadComplete"})

    def wait(self, patience: Patience) -> Json:
        """Poll until the job has ended. Raises OutcomeUnknown when that takes long."""
        ends_at = patience.clock() + patience.wait_s
        pause_s = patience.first_poll_s
        while True:
            state = self._ask("GET", "").body
            if state.get("state") not in _OPEN:
                return state
            if patience.clock() + pause_s > ends_at:
                told = "The bulk job was not done in time"
                raise OutcomeUnknown(told, vendor=VENDOR, code="BULK_JOB_SLOW")
            patience.sleep(pause_s)
            pause_s = min(pause_s * 2, _SLOWEST_POLL_S)

    def results(self, state: Json) -> list[WriteResult]:
        """Give each row its result; what the job did not get to waits for another."""
        by_key = {tables.key_of(one).casefold(): one for one in self._batch}
        done: dict[str, WriteResult] = {}
        for row in self._rows("/successfulResults/"):
            self._place(done, by_key, row, _success)
        for row in self._rows("/failedResults/"):
            self._place(done, by_key, row, _failure)
        rest = self._rest(state)
        return [
            done.get(one.write.ref) or answers.refused(one, rest) for one in self._batch
        ]

    def _place(
        self,
        done: dict[str, WriteResult],
        by_key: Mapping[str, Sent],
        row: Mapping[str, str],
        outcome: Callable[[Sent, Mapping[str, str]], WriteResult],
    ) -> None:
        column = tables.key_column(self._batch)
        key = row.get(column) or row.get(tables.ID, "")
        if sent := by_key.get(key.casefold()):
            done[sent.write.ref] = outcome(sent, row)

    def _rest(self, state: Json) -> SyncError:
        if state.get("state") == "JobComplete":
            return answers.unanswered(self._object_type)
        return job_error(clean(state.get("errorMessage")) or "")

    def _rows(self, suffix: str) -> Sequence[Mapping[str, str]]:
        return list(tables.rows(self._ask("GET", suffix, raw=True).raw))

    def _ask(
        self,
        method: Method,
        suffix: str,
        *,
        json: object | None = None,
        content: bytes | None = None,
        inputs: int = 0,
        raw: bool = False,
    ) -> Answer:
        path = self._calls.path("jobs", "ingest") + ("/{job}" if self._id else "")
        call = Call(
            method,
            path + suffix,
            values={"job": self._id},
            json=json,
            content=content,
            content_type="text/csv; charset=UTF-8",
            headers=WRITE_HEADERS,
            inputs=inputs,
            object_type=self._object_type,
            expects="raw" if raw or content is not None else "object",
        )
        return self._calls.http.request(call)


def _success(sent: Sent, row: Mapping[str, str]) -> WriteResult:
    remote_id = row.get(tables.ID, "")
    if not is_id(remote_id):
        return answers.refused(sent, answers.unanswered(sent.write.object_type))
    created = row.get(tables.CREATED, "").lower() == "true"
    return WriteResult(sent.write.ref, long_id(remote_id), created, {})


def _failure(sent: Sent, row: Mapping[str, str]) -> WriteResult:
    error = bulk_error(row.get(tables.ERROR, ""))
    return answers.refused(sent, error)


def _unknown(error: SyncError) -> SyncError:
    """Name what broke a job that was under way: its rows may be written by now."""
    if isinstance(error, OutcomeUnknown):
        return error
    return OutcomeUnknown(
        error.message, vendor=VENDOR, status=error.status, code=error.code
    )
