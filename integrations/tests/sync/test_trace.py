"""One id leads from the webhook to the CRM call, in rows and in log lines."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest

from crmsync.core.models import Workspace
from crmsync.logs import json_formatter
from integrations.models import ApiCall, Connection, Delivery, SyncEntry
from integrations.sync.push import push_due
from integrations.testing import make_endpoint
from integrations.tests.webhooks.deliveries import receive
from integrations.webhooks import inbox, samples
from leads.models import Change

Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Return what the product's own formatter writes during the test."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(json_formatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(before)


def about(trace_id: str, found: list[dict[str, object]]) -> set[object]:
    """Return the events of the lines that carry the id."""
    return {
        line["event"]
        for line in found
        if line.get("trace_id") == trace_id or trace_id in str(line.get("traces", ""))
    }


def test_a_delivery_is_followed_by_its_trace_id(
    workspace: Workspace, hubspot: Connection, lines: Lines
) -> None:
    body = samples.body_of("lgm", "reply_interested")

    (delivery_id,) = receive(make_endpoint(workspace), body)
    inbox.process_due()
    push_due()

    trace_id = Delivery.objects.get(pk=delivery_id).trace_id
    assert Change.objects.filter(trace_id=trace_id).exists()
    sent = SyncEntry.objects.filter(trace_id=trace_id)
    assert {"lead", "deal", "activity"} <= set(
        sent.values_list("record_type", flat=True)
    )
    writes = ApiCall.objects.filter(trace_id=trace_id, outcome="ok")
    assert writes.filter(path__contains="batch").exists()
    assert {"deliveries stored", "deliveries processed", "pushed"} <= about(
        trace_id, lines()
    )


def test_a_batch_of_deliveries_is_one_line_with_every_id(
    workspace: Workspace, hubspot: Connection, lines: Lines
) -> None:
    bodies = [
        samples.body_of("lgm", case) for case in ("reply_interested", "reply_linkedin")
    ]

    receive(make_endpoint(workspace), *bodies)
    inbox.process_due()
    push_due()

    ids = list(Delivery.objects.values_list("trace_id", flat=True))
    processed = [one for one in lines() if one["event"] == "deliveries processed"]
    assert len(processed) == 1
    assert sorted(processed[0]["traces"]) == sorted(ids)  # type: ignore[call-overload]
    assert all("pushed" in about(one, lines()) for one in ids)


def test_the_lines_of_a_reply_tell_nothing_of_the_person(
    workspace: Workspace, hubspot: Connection, lines: Lines
) -> None:
    receive(make_endpoint(workspace), samples.body_of("lgm", "reply_interested"))
    inbox.process_due()
    push_due()

    text = json.dumps(lines())
    (message,) = samples.events_of("lgm", "reply_interested")
    person = message["person"]
    assert person["email"] not in text
    assert person["last_name"] not in text
    assert message["body"] not in text
    assert "pat-demo-token" not in text
