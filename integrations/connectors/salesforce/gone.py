"""What was merged away or deleted: what the recycle bin still knows."""

from collections.abc import Sequence
from datetime import datetime

from integrations.connectors.paging import chunks
from integrations.connectors.salesforce import answers, soql
from integrations.connectors.salesforce.answers import STAMP
from integrations.connectors.salesforce.calls import Calls
from integrations.connectors.salesforce.reading import has_more
from integrations.connectors.salesforce.spec import (
    COLLECTION,
    MASTER,
    MERGEABLE,
    QUERY_PAGE,
)
from integrations.connectors.salesforce.values import is_id, long_id
from integrations.records import Gone, GonePage, RemoteRecord


def page(
    calls: Calls,
    object_type: str,
    window: tuple[datetime, datetime],
    cursor: str | None,
) -> GonePage:
    """Read one page of what went in a window, walked by (stamp, id).

    A record that was erased from the bin is known by its absence only.
    """
    master = (MASTER,) if object_type in MERGEABLE else ()
    text = soql.select(
        ("Id", STAMP, *master),
        object_type,
        "IsDeleted = true",
        soql.within(STAMP, *window),
        soql.after(STAMP, cursor),
        order=(STAMP, "Id"),
        limit=QUERY_PAGE + 1,
    )
    body = calls.query(text, object_type=object_type, deleted_too=True)
    found = answers.records(answers.entries(body), object_type)[:QUERY_PAGE]
    following = None
    if has_more(body, len(found)):
        following = soql.cursor_at(found[-1].updated_at, found[-1].remote_id)
    return GonePage(tuple(_gone(one) for one in found), following)


def among(calls: Calls, object_type: str, ids: Sequence[str]) -> list[Gone]:
    """Return which of ids are in the recycle bin, and what each was merged into.

    Its rows are shown by the rules of the live ones: a record that our user may not see
    is not told of when it is deleted, either.
    """
    master = (MASTER,) if object_type in MERGEABLE else ()
    asked = list(dict.fromkeys(long_id(one) for one in ids if is_id(one)))
    found: list[Gone] = []
    for chunk in chunks(asked, COLLECTION):
        text = soql.select(
            ("Id", STAMP, *master),
            object_type,
            soql.any_of("Id", chunk),
            "IsDeleted = true",
        )
        body = calls.query(text, object_type=object_type, deleted_too=True)
        found += map(_gone, answers.records(answers.entries(body), object_type))
    return found


def _gone(record: RemoteRecord) -> Gone:
    master = record.fields.get(MASTER)
    return Gone(
        record.object_type,
        record.remote_id,
        record.updated_at,
        merged_into=long_id(master) if master else None,
    )
