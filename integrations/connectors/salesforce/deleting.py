"""Deleting records, each judged by itself."""

from collections.abc import Sequence

from integrations.connectors.messages import Call
from integrations.connectors.paging import chunks
from integrations.connectors.salesforce import answers
from integrations.connectors.salesforce.calls import Calls
from integrations.connectors.salesforce.spec import COLLECTION, WRITE_HEADERS
from integrations.connectors.salesforce.values import is_id, long_id
from integrations.errors import SyncError


def delete(calls: Calls, object_type: str, ids: Sequence[str]) -> dict[str, SyncError]:
    """Move records to the recycle bin; return id -> why it stays, of those that do."""
    known = [one for one in dict.fromkeys(ids) if is_id(one)]
    kept: dict[str, SyncError] = {}
    for chunk in chunks(known, COLLECTION):
        call = Call(
            "DELETE",
            calls.path("composite", "sobjects"),
            query={"ids": ",".join(map(long_id, chunk)), "allOrNone": "false"},
            headers=WRITE_HEADERS,
            inputs=len(chunk),
            object_type=object_type,
            expects="list",
        )
        kept |= answers.not_deleted(chunk, calls.http.request(call).items, object_type)
    return kept
