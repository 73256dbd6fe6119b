"""What was merged away or deleted: what the recycle bin still knows."""

from datetime import datetime

from integrations.connectors.salesforce import answers, soql
from integrations.connectors.salesforce.answers import STAMP
from integrations.connectors.salesforce.calls import Calls
from integrations.connectors.salesforce.reading import has_more
from integrations.connectors.salesforce.spec import MASTER, MERGEABLE, QUERY_PAGE
from integrations.connectors.salesforce.values import long_id
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


def _gone(record: RemoteRecord) -> Gone:
    master = record.fields.get(MASTER)
    return Gone(
        record.object_type,
        record.remote_id,
        record.updated_at,
        merged_into=long_id(master) if master else None,
    )
