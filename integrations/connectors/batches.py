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
    OutcomeUnknown,
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
    yet; later it becomes the outcome of everything not yet sent.
    """
    waiting = deque(batch for batch in batches if batch)
    done: list[R] = []
    refused_alone = 0
    while waiting:
        batch = waiting.popleft()
        try:
            done += send(batch)
        except OutcomeUnknown as error:
            done += [failed(item, error) for item in batch]
        except ABOUT_ONE_RECORD as error:
            guilty = [item for item in batch if blamed(item, error)]
            if len(batch) == 1:
                refused_alone += 1
                guilty = list(batch)
            done += [failed(item, error) for item in guilty]
            if refused_alone < MAX_REFUSED_ALONE:
                waiting.extendleft(reversed(_rest(batch, guilty)))
            else:
                done += _give_up(waiting, failed)
        except SyncError as error:
            if not done:
                raise
            waiting.appendleft(batch)
            done += [failed(item, error) for rest in waiting for item in rest]
            waiting.clear()
    return done


def _rest(batch: Sequence[T], guilty: list[T]) -> list[Sequence[T]]:
    """What to send next of a refused batch: the innocent, or both halves."""
    if guilty:
        innocent = [item for item in batch if item not in guilty]
        return [innocent] if innocent else []
    return [half for half in halves(batch) if half]


def _give_up(
    waiting: deque[Sequence[T]], failed: Callable[[T, SyncError], R]
) -> list[R]:
    error = Retryable(
        "Not sent: too many records of this batch were refused",
        code="BATCH_MOSTLY_REFUSED",
    )
    rest = [failed(item, error) for batch in waiting for item in batch]
    waiting.clear()
    return rest
