"""What each class of failure means to a person, and the way out of it.

PURE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# Where the fix is made: a page of the product, or the record itself.
Fix = Literal["mapping", "connection", "record", "retry", "wait", "delivery", "run"]


@dataclass(frozen=True, slots=True)
class Cause:
    """A class of failure. label: for a pill; means, todo: a sentence each."""

    name: str
    label: str
    tone: Literal["bad", "warn", "info", "idle"]
    means: str
    todo: str
    fix: Fix


_ALL = (
    Cause(
        "rejected",
        "Invalid data",
        "bad",
        "The CRM refused a value of this record.",
        "Correct the value in the record, or how its field is mapped; then retry.",
        "record",
    ),
    Cause(
        "gone",
        "Deleted in the CRM",
        "warn",
        "The record, or one it belongs to, was deleted in the CRM.",
        "Restore it there and retry, or delete it here as well.",
        "record",
    ),
    Cause(
        "hidden",
        "Not visible to us",
        "warn",
        "The CRM no longer shows us the record, or one it belongs to, and does not say "
        "that it was deleted.",
        "Give the connected user access to it in the CRM; it goes on by itself. What "
        "is gone for good can be deleted here as well.",
        "record",
    ),
    Cause(
        "schema",
        "Field mapping",
        "bad",
        "The mapping names a field that the CRM does not have, or not in this form.",
        "Open the mapping and choose another field; then retry.",
        "mapping",
    ),
    Cause(
        "permission",
        "Permission",
        "bad",
        "The connected account may not do this.",
        "Give the app the missing permission in the CRM and reconnect; then retry.",
        "connection",
    ),
    Cause(
        "auth",
        "Sign-in",
        "bad",
        "The CRM no longer accepts our sign-in.",
        "Reconnect. Everything that waits is sent afterwards by itself.",
        "connection",
    ),
    Cause(
        "duplicate",
        "Duplicate",
        "warn",
        "It looks like a record that is there already, or like another one here.",
        "Look at both side by side and say whether they are one: link them, merge "
        "them, or keep them apart. It then goes on by itself.",
        "record",
    ),
    Cause(
        "ambiguous",
        "Needs a decision",
        "warn",
        "It is not certain which record is meant, or whether it is there already.",
        "Look at the records it may be and say which one it is; it then goes on by "
        "itself. Where none is shown, look there first and retry.",
        "record",
    ),
    Cause(
        "held",
        "Value without a match",
        "warn",
        "A value has nothing in the mapping that it becomes on the other side.",
        "Give the value a match in the mapping, then retry. Until then the other side "
        "keeps what it has.",
        "mapping",
    ),
    Cause(
        "currency",
        "Another currency",
        "warn",
        "An amount is in a currency that the CRM's account does not count in.",
        "Give the deal in the account's currency; it then goes on by itself. If the "
        "account has several by now, read its fields again and map the currency.",
        "record",
    ),
    Cause(
        "braked",
        "Stopped for approval",
        "bad",
        "A change of very many records was stopped before the first of them.",
        "Look at the samples on the page of the run; then approve or cancel it.",
        "run",
    ),
    Cause(
        "throttled",
        "Rate limit",
        "info",
        "The CRM asks us to slow down.",
        "Nothing to do: it goes on by itself.",
        "wait",
    ),
    Cause(
        "transient",
        "CRM unavailable",
        "warn",
        "The CRM did not answer, or answered that it is out of order.",
        "It is tried again by itself. When tries are used up, retry once it is back.",
        "retry",
    ),
    Cause(
        "unknown",
        "Outcome unknown",
        "warn",
        "The connection broke after sending: the CRM may have taken it.",
        "The next try looks first, so nothing is doubled.",
        "retry",
    ),
    Cause(
        "waiting",
        "Waiting for a parent",
        "info",
        "A record it belongs to has to be in the CRM first.",
        "Have that record created first; this one follows by itself.",
        "wait",
    ),
    Cause(
        "crashed_worker",
        "Worker stopped",
        "bad",
        "The worker stopped each time it took this on.",
        "Retry once; if it stops again, tell whoever runs this server.",
        "retry",
    ),
    Cause(
        "malformed",
        "Unreadable payload",
        "bad",
        "The delivery holds nothing that can be understood.",
        "Look at the payload and correct it where it is sent.",
        "delivery",
    ),
    Cause(
        "bug",
        "Internal error",
        "bad",
        "Something went wrong on our side.",
        "Retry; if it fails again, tell whoever runs this server.",
        "retry",
    ),
)
CAUSES: Mapping[str, Cause] = {one.name: one for one in _ALL}


def of(error_class: str) -> Cause:
    """Return the cause of an error class; an unlisted one is ours to solve.

    >>> of("auth").label
    'Sign-in'
    """
    return CAUSES.get(error_class) or CAUSES["bug"]
