"""Figures of freshness: what waits, what was read, what drifted, what holds it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crmsync.core.models import Channel, Workspace
from integrations import figures, freshness
from integrations.freshness import Freshness
from integrations.models import Connection, Cursor, ObjectMapping
from integrations.sync import outbox
from integrations.testing import (
    make_conflict,
    make_connection,
    make_link,
    make_mapping,
    make_run,
    make_work_item,
)
from leads.testing import make_lead

pytestmark = pytest.mark.usefixtures("inside")
HOUR = timedelta(hours=1)


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    return make_mapping(make_connection(workspace), direction="both")


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def fresh(mapping: ObjectMapping, now: datetime) -> Freshness:
    return freshness.of_connections([mapping.connection], now)[mapping.connection_id]


def wait(mapping: ObjectMapping, **given: Any) -> None:
    make_work_item(
        mapping.workspace,
        channel=mapping.connection.channel,
        group=str(mapping.pk),
        **given,
    )


def test_the_oldest_unsent_change_is_told(
    mapping: ObjectMapping, now: datetime
) -> None:
    wait(mapping, created_at=now - HOUR)
    wait(mapping, created_at=now - 2 * HOUR)
    wait(mapping, created_at=now - 3 * HOUR, state="done")

    found = fresh(mapping, now)

    assert found.oldest_at == now - 2 * HOUR
    assert found.mappings[0].waiting.count == 2


def test_a_row_that_is_used_again_counts_from_its_last_ask(
    mapping: ObjectMapping, now: datetime
) -> None:
    wait(
        mapping,
        created_at=now - 9 * HOUR,
        finished_at=now - 8 * HOUR,
        updated_at=now - HOUR,
    )

    assert fresh(mapping, now).oldest_at == now - HOUR


def test_what_waits_for_its_batch_is_put_aside_and_not_behind(
    mapping: ObjectMapping, now: datetime, workspace: Workspace
) -> None:
    wait(mapping, not_before=outbox.WHEN_ASKED)

    found = fresh(mapping, now)

    waiting = found.mappings[0].waiting
    assert (waiting.count, waiting.aside, found.oldest_at) == (0, 1, None)
    assert figures.home_figures(workspace).waiting == 0


def test_a_poll_that_comes_again_is_no_backlog(
    mapping: ObjectMapping, now: datetime, workspace: Workspace
) -> None:
    make_work_item(
        workspace,
        kind="pull",
        key=str(mapping.pk),
        channel=mapping.connection.channel,
        not_before=now + HOUR,
    )

    (found,) = figures.home_figures(workspace).connections
    assert found.waiting == 0
    assert fresh(mapping, now).mappings[0].next_read_at == now + HOUR


def test_the_connection_is_as_old_as_its_oldest_mapping(
    mapping: ObjectMapping, now: datetime
) -> None:
    other = make_mapping(mapping.connection, direction="pull", remote_object="deals")
    Cursor.objects.create(mapping=mapping, read_at=now)
    Cursor.objects.create(mapping=other, read_at=now - HOUR)

    assert fresh(mapping, now).read_at == now - HOUR


def test_drift_is_that_of_the_last_finished_audit(
    mapping: ObjectMapping, now: datetime
) -> None:
    for drifted, state in ((9, "done"), (1, "done"), (5, "running")):
        cursor = {"counts": {"checked": 200, "drifted": drifted}}
        make_run(mapping, kind="audit", state=state, cursor=cursor)

    drift = fresh(mapping, now).drift

    assert drift is not None
    assert (drift.percent, drift.checked) == ("0.50 %", 200)


def test_the_days_budget_is_foretold(mapping: ObjectMapping, now: datetime) -> None:
    Channel.objects.update(
        daily_used=180, daily_limit=200, daily_reset_at=now + 12 * HOUR
    )

    budget = fresh(mapping, now).budget

    assert budget is not None
    assert budget.warns
    assert budget.runs_out_at is not None


def test_a_budget_whose_day_is_over_is_a_new_one(
    mapping: ObjectMapping, now: datetime
) -> None:
    Channel.objects.update(daily_used=200, daily_limit=200, daily_reset_at=now - HOUR)

    budget = fresh(mapping, now).budget

    assert budget is not None
    assert (budget.used, budget.warns) == (0, False)


HELD: list[tuple[dict[str, Any], str]] = [
    ({"blocked_because": "Reconnect HubSpot"}, "Reconnect HubSpot"),
    ({"breaker": "open"}, "Stopped after many failures in a row"),
    ({"breaker": "half"}, "tried one call at a time"),
    ({"paused_until": HOUR}, "asked us to slow down"),
    ({"batch_paused_until": HOUR}, "Only what is urgent leaves"),
]


@pytest.mark.parametrize(("columns", "told"), HELD)
def test_what_holds_a_connection_back_is_told(
    columns: dict[str, Any],
    told: str,
    admin: Client,
    mapping: ObjectMapping,
    now: datetime,
) -> None:
    times = {
        name: now + value if isinstance(value, timedelta) else value
        for name, value in columns.items()
    }
    Channel.objects.update(**times)

    page = admin.get(mapping.connection.get_absolute_url()).content.decode()

    assert told in page


def test_a_pause_that_is_over_holds_nothing(
    mapping: ObjectMapping, now: datetime
) -> None:
    Channel.objects.update(paused_until=now - HOUR, batch_paused_until=now - HOUR)

    assert fresh(mapping, now).hold is None


def test_the_first_page_tells_of_conflicts_and_runs(
    admin: Client, mapping: ObjectMapping
) -> None:
    make_conflict(mapping, make_link(mapping.connection, record_id=1))
    run = make_run(mapping, state="running")

    page = admin.get(reverse("home")).content.decode()

    assert "1 conflict" in page
    assert run.get_absolute_url() in page


def test_figures_of_many_connections_cost_no_more_queries(
    workspace: Workspace, now: datetime, django_assert_max_num_queries: Any
) -> None:
    connections = [make_connection(workspace) for _ in range(4)]
    for one in connections:
        make_mapping(one, direction="both")
    found = list(Connection.objects.all())

    with django_assert_max_num_queries(9):
        freshness.of_connections(found, now)


def test_records_that_are_not_visible_to_us_are_told_of_on_the_page_and_in_the_api(
    workspace: Workspace, mapping: ObjectMapping, admin: Client
) -> None:
    [lead, other] = (make_lead(workspace, last_name=name) for name in ("Unseen", "B"))
    there = mapping.connection
    make_link(there, record_id=lead.pk, remote_id="101", state="forbidden")
    make_link(there, record_id=other.pk, remote_id="102")

    page = admin.get(there.get_absolute_url()).content.decode()
    told = admin.get(f"/api/v1/connections/{there.pk}/").json()["freshness"]
    standing = admin.get(reverse("lead-standing", args=[lead.pk])).content.decode()

    assert "1 record is not visible to us" in page
    assert "Unseen" in page.partition('id="hidden"')[2].partition("</section>")[0]
    assert told["hidden_records"] == 1
    assert "Not visible to us" in standing
    assert "no longer shows it to us" in standing
