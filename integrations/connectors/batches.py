"""Sending batches so that every item ends with exactly one outcome.

PURE: a batch is sent by a function that is handed in. Vendors that refuse a whole
batch for one bad record are asked again in halves, never resending what was taken.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from integrations.connectors.paging import halves
from integrations.errors import (
    DuplicateFound,
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    RecordRejected,
    Retryable,
    SyncError,
)

T = TypeVar("T")
R = TypeVar("R")

ABOUT_ONE_RECORD = (RecordRejected, DuplicateFound, Misconfigured)

# A batch in which so many are refused one by one is a mistake in the mapping, and
# finding every one of them would cost two calls a record.
MAX_REFUSED_ALONE = 20


def settle(
    batches: Iterable[Sequence[T]],
    send: Callable[[Sequence[T]], list[R]],
    failed: Callable[[T, SyncError], R],
    *,
    blamed: Callable[[T, SyncError], bool] = lambda item, error: False,
) -> list[R]:
    """Send batches in turn and return one outcome for each item, in no order.

    send: returns an outcome for every item of its batch, or raises when the
    vendor took none of them. `blamed` says which items a refusal is about where
    the vendor told; the others are sent again without them.

    Raises what `send` raised for a whole batch when nothing has come of any batch
    yet and the others would fare no better; else it becomes the outcome of the batch,
    and what was not sent after it is NotSent or, where it is the account's matter, has
    the same error.
    """
    waiting = deque(batch for batch in batches if batch)
    done: list[R] = []
    while waiting:
        batch = waiting.popleft()
        try:
            outcome, given_up = _settle_one(batch, send, failed, blamed)
        except SyncError as error:
            local = _is_of_one_call(error) and bool(waiting)
            if not done and not local:
                raise
            rest = _not_sent() if local else error
            done += [failed(item, error) for item in batch]
            return done + _all_failed(waiting, failed, rest)
        done += outcome
        if given_up:
            return done + _all_failed(waiting, failed, _not_sent())
    return done


def _settle_one(
    batch: Sequence[T],
    send: Callable[[Sequence[T]], list[R]],
    failed: Callable[[T, SyncError], R],
    blamed: Callable[[T, SyncError], bool],
) -> tuple[list[R], bool]:
    """Send one batch, in parts where it is refused; tell whether it was given up.

    Raises what is about no record of it while nothing of it was taken.
    """
    waiting: deque[Sequence[T]] = deque([batch])
    done: list[R] = []
    refused_alone = 0
    while waiting:
        part = waiting.popleft()
        try:
            done += send(part)
        except OutcomeUnknown as error:
            done += [failed(item, error) for item in part]
        except ABOUT_ONE_RECORD as error:
            guilty = [item for item in part if blamed(item, error)]
            if len(part) == 1:
                refused_alone += 1
                guilty = list(part)
            done += [failed(item, error) for item in guilty]
            waiting.extendleft(reversed(_rest(part, guilty)))
            if refused_alone >= MAX_REFUSED_ALONE and waiting:
                return done + _all_failed(waiting, failed, _mostly_refused()), True
        except SyncError as error:
            if not done:
                raise
            waiting.appendleft(part)
            return done + _all_failed(waiting, failed, error), True
    return done, False


def _rest(batch: Sequence[T], guilty: list[T]) -> list[Sequence[T]]:
    """What to send next of a refused batch: the innocent, or both halves."""
    if guilty:
        innocent = [item for item in batch if item not in guilty]
        return [innocent] if innocent else []
    return [half for half in halves(batch) if half]


def _is_of_one_call(error: SyncError) -> bool:
    """Tell whether the next call may fare better: an outage, not a limit or a right."""
    return isinstance(error, Retryable) and not isinstance(error, RateLimited)


def _mostly_refused() -> SyncError:
    return Retryable(
        "Not sent: too many records of this batch were refused",
        code="BATCH_MOSTLY_REFUSED",
    )


def _not_sent() -> SyncError:
    return NotSent("Not sent: the call before it failed", code="NOT_SENT")


def _all_failed(
    batches: Iterable[Sequence[T]],
    failed: Callable[[T, SyncError], R],
    error: SyncError,
) -> list[R]:
    return [failed(item, error) for batch in batches for item in batch]
