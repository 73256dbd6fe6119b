"""One id from the webhook to the CRM call: binds trace ids to every log line.

Work is done in batches, so a line carries either the one id it is about, as
`trace_id`, or the ids of all that share the batch, as `traces`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

from structlog.contextvars import bound_contextvars

# A longer list says no more and makes a line too long for log shippers.
MAX_TRACES = 200


def trace_fields(trace_ids: Iterable[str]) -> dict[str, object]:
    """Return the fields of a log line about these.

    >>> trace_fields(["a", "a", ""]), trace_fields(["a", "b"]), trace_fields([])
    ({'trace_id': 'a'}, {'traces': ['a', 'b']}, {})
    """
    distinct = list(dict.fromkeys(one for one in trace_ids if one))
    if len(distinct) > 1:
        return {"traces": distinct[:MAX_TRACES]}
    return {"trace_id": distinct[0]} if distinct else {}


def bound(trace_ids: Iterable[str]) -> AbstractContextManager[None]:
    """Put the trace ids on every line that is logged inside."""
    return bound_contextvars(**trace_fields(trace_ids))


def only(trace_ids: Iterable[str]) -> str:
    """Return the trace id all of these share, "" when there are several or none."""
    return str(trace_fields(trace_ids).get("trace_id", ""))
