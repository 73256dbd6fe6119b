"""What follows when a vendor call of waiting work fails, the same for all of it."""

from __future__ import annotations

import contextlib
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, OperationalError
from django.utils import timezone

from crmsync.core import queue, tracing
from crmsync.core.models import WorkItem
from crmsync.core.queue import Failure
from integrations.connectors.limits import in_lane
from integrations.connectors.messages import CallRecord
from integrations.connectors.session import open_connector
from integrations.errors import (
    AmbiguousMatch,
    DuplicateFound,
    Misconfigured,
    PermissionMissing,
    RateLimited,
    ReauthRequired,
    RecordRejected,
    SyncError,
    redact,
)
from integrations.models import ApiCall, Connection
from integrations.sync import clocks, signin

log = logging.getLogger(__name__)

# Outcomes of calls that speak of an outage, and those that say nothing about it.
_BROKEN = frozenset({"transient", "unknown"})
_NO_SIGN = frozenset({"throttled", "auth"})
# A daily budget that does not say when it is new.
DAILY_PAUSE_S = 900.0
# The class of what `Braked` stopped.
BRAKED = "braked"
_rng = random.Random()


class Braked(Exception):
    """The work was stopped before it could do harm; a person must approve it."""


@dataclass(slots=True)
class Guard:
    """Whether the guarded work failed; its items are then dealt with already."""

    failed: bool = False


@contextlib.contextmanager
def guarded(
    connection: Connection,
    items: Sequence[WorkItem],
    *,
    done: str,
    mapping_id: int | None = None,
) -> Iterator[Guard]:
    """Run work of a connection; deal with what fails, and write down its calls.

    done: what the log says it was. A rate limit pauses the connection, a refused
    sign-in blocks it, neither uses an attempt; what else fails is tried again by its
    class.
    """
    guard = Guard()
    # A claim is of one lane; the budget keeps a reserve for the urgent one.
    lane = min((item.lane for item in items), default=0)
    with tracing.bound(item.trace_id for item in items), in_lane(lane):
        try:
            with _judged(connection, items, guard):
                yield guard
        finally:
            _note_calls(connection, items, done=done, mapping_id=mapping_id)


@contextlib.contextmanager
def _judged(
    connection: Connection, items: Sequence[WorkItem], guard: Guard
) -> Iterator[None]:
    used = signin.generation_of(connection)
    failed = True
    try:
        yield
        failed = False
    except RateLimited as error:
        slow_down(connection, items, error)
    except ReauthRequired as error:
        sign_in_needed(connection, items, error, used)
    except SyncError as error:
        _fail(items, failure_of(error))
    except Braked as error:
        _fail(items, Failure(BRAKED, str(error)))
    except (IntegrityError, OperationalError) as error:
        # Somebody else was quicker, or the database is away: neither is lasting.
        log.warning("work interrupted", extra={"connection": connection.pk})
        _fail(items, Failure("transient", redact(str(error))))
    except Exception as error:
        log.exception("work failed", extra={"connection": connection.pk})
        _fail(items, Failure("bug", redact(f"{type(error).__name__}: {error}")))
    finally:
        guard.failed = failed


def _note_calls(
    connection: Connection,
    items: Sequence[WorkItem],
    *,
    done: str,
    mapping_id: int | None,
) -> None:
    _, made = open_connector(connection)
    calls = made.take()
    trace = tracing.only(item.trace_id for item in items)
    record(connection, calls, trace_id=trace)
    if calls:
        clocks.note(connection)
        _tell_breaker(connection, calls)
    log.info(
        done,
        extra={
            "connection": connection.pk,
            "mapping": mapping_id,
            "count": len(items),
            "outcomes": [call.outcome for call in calls],
            "vendor_request_ids": [call.request_id for call in calls],
        },
    )


def record(
    connection: Connection, calls: Sequence[CallRecord], *, trace_id: str = ""
) -> None:
    """Write down which calls were made; a good one marks the connection healthy."""
    ApiCall.objects.bulk_create(
        ApiCall(
            connection=connection,
            method=call.method,
            path=call.path[:200],
            status=call.status,
            outcome=call.outcome,
            inputs=call.inputs,
            duration_ms=round(call.duration_s * 1000),
            request_id=call.request_id[:100],
            trace_id=trace_id,
        )
        for call in calls
    )
    if any(call.outcome == "ok" for call in calls):
        Connection.objects.filter(pk=connection.pk).update(last_ok_at=timezone.now())


def _tell_breaker(connection: Connection, calls: Sequence[CallRecord]) -> None:
    """A call that was refused was answered; one that was slowed down says nothing."""
    broken = sum(1 for call in calls if call.outcome in _BROKEN)
    silent = sum(1 for call in calls if call.outcome in _NO_SIGN)
    queue.note_outcomes(
        connection.channel_id or 0, ok=len(calls) - broken - silent, failed=broken
    )


def _fail(items: Sequence[WorkItem], failure: Failure) -> None:
    for item in items:
        queue.fail(item, failure, _rng)


def failure_of(error: SyncError) -> Failure:
    """Return an error as what the outbox keeps: class, words, code and field."""
    name = ""
    if isinstance(error, RecordRejected | Misconfigured | DuplicateFound):
        name = error.field
    said = error.message or error.detail or type(error).__name__
    message = said
    if isinstance(error, PermissionMissing) and error.needs:
        message = f"{said.rstrip('.')}. {error.needs}"
    code = error.code or (str(error.status) if error.status else "")
    detail = "" if error.detail == said else error.detail
    return Failure(
        error.error_class,
        message,
        code=code,
        field=name,
        detail=detail,
        about=about_of(error),
    )


def about_of(error: SyncError) -> dict[str, object] | None:
    """Return the remote records an error names, None where it names none.

    {"there": [[object, "" for the one written, id], ...]}
    """
    if isinstance(error, DuplicateFound) and error.existing_id:
        return {"there": [[error.existing_object, error.existing_id]]}
    if isinstance(error, AmbiguousMatch) and error.candidates:
        return {"there": [list(one) for one in error.candidates]}
    return None


def slow_down(
    connection: Connection, items: Sequence[WorkItem], error: RateLimited
) -> None:
    """Let the whole connection wait as long as it was told; no try is used up."""
    channel_id = connection.channel_id or 0
    urgent = all(item.lane == 0 for item in items)
    if error.status is None:
        # Our own budget, to the moment: what is urgent may still have room in it.
        wait = queue.pause if urgent else queue.pause_batch
        wait(channel_id, error.retry_after_s or 0)
    elif error.scope == "daily" and not urgent:
        queue.pause_batch(channel_id, error.retry_after_s or DAILY_PAUSE_S)
    else:
        queue.slow_down(channel_id, error.retry_after_s, _rng)
    queue.give_back(items, failure=failure_of(error))


def sign_in_needed(
    connection: Connection,
    items: Sequence[WorkItem],
    error: ReauthRequired,
    used: int | None,
) -> None:
    """Hold everything of the connection until a person signs in again."""
    signin.end(connection, error, used=used)
    queue.give_back(items, failure=failure_of(error))
