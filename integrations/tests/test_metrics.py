"""`/metrics`: who may look, what it counts, and that it tells no names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from django_scopes import scopes_disabled
from prometheus_client.parser import text_string_to_metric_families

from crmsync.core import heartbeat, queue
from crmsync.core.models.work import State
from crmsync.core.testing import make_workspace
from integrations import tasks
from integrations.models import ApiCall, Cursor, Delivery, ObjectMapping, Run
from integrations.sync import outbox
from integrations.testing import (
    make_conflict,
    make_connection,
    make_delivery,
    make_endpoint,
    make_link,
    make_mapping,
    make_parked_item,
    make_run,
    make_work_item,
)
from integrations.views.metrics import kept
from integrations.webhooks import ingest
from leads.testing import make_lead

pytestmark = pytest.mark.django_db
Sample = tuple[str, frozenset[tuple[str, str]]]
Samples = dict[Sample, float]


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """Each test counts anew."""
    kept.forget()


@pytest.fixture
def samples(client) -> Callable[[], Samples]:
    """Return what is served, as (name, labels) -> value."""

    def read() -> Samples:
        text = client.get("/metrics").content.decode()
        return {
            (one.name, frozenset(one.labels.items())): one.value
            for family in text_string_to_metric_families(text)
            for one in family.samples
        }

    return read


def key(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


def test_the_queue_is_counted_by_kind_channel_and_state(samples) -> None:
    workspace = make_workspace()
    channel = f"workspace:{workspace.pk}"
    long_ago = timezone.now() - timedelta(minutes=10)
    make_work_item(workspace, not_before=long_ago)
    make_work_item(workspace, state=State.DONE, applied=1)

    found = samples()

    labels = {"kind": "push", "channel": channel}
    assert found[key("crmsync_queue_items", **labels, state="ready")] == 1
    assert 590 < found[key("crmsync_queue_oldest_seconds", **labels)] < 700
    assert key("crmsync_queue_items", **labels, state="done") not in found


def test_failures_are_counted_by_class(samples) -> None:
    make_parked_item(make_workspace(), error_class="rejected")

    found = samples()

    assert found[key("crmsync_parked_items", kind="push", error_class="rejected")] == 1


def test_leases_and_lost_leases_are_told_apart(samples) -> None:
    workspace, now = make_workspace(), timezone.now()
    soon, before = now + timedelta(seconds=30), now - timedelta(seconds=30)
    for token, until in ((1, soon), (1, soon), (2, before)):
        make_work_item(
            workspace, state=State.LEASED, lease_token=token, leased_until=until
        )

    found = samples()

    assert found[key("crmsync_leases", kind="push")] == 1
    assert found[key("crmsync_leases_expired")] == 1


def test_the_ledger_balances_and_a_gap_shows(samples) -> None:
    sound, leaking = make_workspace(), make_workspace()
    make_work_item(sound, wanted=3)
    make_work_item(sound, state=State.DONE, wanted=2, applied=1, coalesced=1)
    make_work_item(leaking, state=State.DONE, wanted=2, applied=1)

    found = samples()

    mine = {"workspace": str(sound.pk)}
    assert found[key("crmsync_ledger_asks", **mine, outcome="received")] == 5
    assert found[key("crmsync_ledger_asks", **mine, outcome="waiting")] == 3
    assert found[key("crmsync_ledger_difference", **mine)] == 0
    other = {"workspace": str(leaking.pk)}
    assert found[key("crmsync_ledger_difference", **other)] == 1


def test_deliveries_calls_and_connections_are_counted(samples) -> None:
    workspace = make_workspace()
    make_delivery(make_endpoint(workspace), state=Delivery.State.FAILED)
    connection = make_connection(workspace)
    with scopes_disabled():
        ApiCall.objects.bulk_create(
            ApiCall(
                connection=connection,
                method="POST",
                path="/crm/v3/objects/contacts/batch/upsert",
                status=200,
                outcome="ok",
                inputs=inputs,
                duration_ms=duration_ms,
            )
            for inputs, duration_ms in ((90, 100), (10, 300))
        )

    found = samples()

    assert found[key("crmsync_deliveries", state="failed")] == 1
    good = {"vendor": "hubspot", "outcome": "ok"}
    assert found[key("crmsync_api_calls_recent", **good)] == 2
    assert found[key("crmsync_api_call_records_recent", **good)] == 100
    assert found[key("crmsync_api_call_mean_seconds_recent", **good)] == 0.2
    active = {"vendor": "hubspot", "status": "active"}
    assert found[key("crmsync_connections", **active)] == 1


def test_calls_of_an_hour_ago_are_not_recent(samples) -> None:
    connection = make_connection(make_workspace())
    with scopes_disabled():
        call = ApiCall.objects.create(
            connection=connection, method="GET", path="/", outcome="ok", duration_ms=1
        )
        ApiCall.objects.filter(pk=call.pk).update(
            at=timezone.now() - timedelta(hours=1)
        )

    found = samples()

    labels = {"vendor": "hubspot", "outcome": "ok"}
    assert key("crmsync_api_calls_recent", **labels) not in found


def test_pauses_and_blocks_of_channels_show(samples) -> None:
    workspace = make_workspace()
    paused, blocked = make_connection(workspace), make_connection(workspace)
    queue.pause(paused.channel_id, 60)
    queue.block(blocked.channel_id, "Sign in again")

    found = samples()

    wait_s = found[
        key("crmsync_channel_paused_seconds", channel=f"connection:{paused.pk}")
    ]
    assert 50 < wait_s <= 60
    assert (
        found[key("crmsync_channel_blocked", channel=f"connection:{blocked.pk}")] == 1
    )


# --- how fresh each connection is -----------------------------------------------------


@pytest.fixture
def mapping() -> ObjectMapping:
    return make_mapping(make_connection(make_workspace()), direction="both")


def of(mapping: ObjectMapping, /, **labels: str) -> dict[str, str]:
    """Return the labels of a connection's samples."""
    return {"connection": str(mapping.connection_id), "vendor": "hubspot", **labels}


def test_the_oldest_change_that_should_have_left_is_told(samples, mapping) -> None:
    given = {"channel": mapping.connection.channel, "group": str(mapping.pk)}
    ten_minutes_ago = timezone.now() - timedelta(minutes=10)
    make_work_item(mapping.workspace, created_at=ten_minutes_ago, **given)
    make_work_item(mapping.workspace, not_before=outbox.WHEN_ASKED, **given)

    found = samples()

    age_s = found[key("crmsync_oldest_unsynced_seconds", **of(mapping))]
    assert 590 < age_s < 700
    counted = "crmsync_unsynced_changes"
    assert found[key(counted, **of(mapping, put_aside="no"))] == 1
    assert found[key(counted, **of(mapping, put_aside="yes"))] == 1


def test_nothing_to_send_is_as_fresh_as_can_be(samples, mapping) -> None:
    found = samples()

    assert found[key("crmsync_oldest_unsynced_seconds", **of(mapping))] == 0


def test_reading_is_told_by_mapping(samples, mapping) -> None:
    at = timezone.now() - timedelta(minutes=10)
    mapping.fast_pull_until = timezone.now() + timedelta(minutes=1)
    mapping.save()
    Cursor.objects.create(mapping=mapping, read_at=at, swept_at=at)
    counts = {"checked": 200, "drifted": 1}
    make_run(mapping, kind=Run.Kind.AUDIT, cursor={"counts": counts})

    found = samples()

    labels = of(mapping, mapping=str(mapping.pk))
    assert 590 < found[key("crmsync_pull_age_seconds", **labels)] < 700
    assert 590 < found[key("crmsync_compare_age_seconds", **labels)] < 700
    assert found[key("crmsync_webhooks_silent", **labels)] == 1
    assert found[key("crmsync_drift_share", **labels)] == 0.005


@pytest.mark.parametrize("given", [{"direction": "push"}, {"active": False}])
def test_what_takes_nothing_in_has_no_age(samples, mapping, given) -> None:
    other = make_mapping(mapping.connection, remote_object="deals", **given)
    Cursor.objects.create(mapping=other, read_at=timezone.now())

    found = samples()

    labels = of(other, mapping=str(other.pk))
    assert key("crmsync_pull_age_seconds", **labels) not in found


def test_conflicts_and_runs_are_counted(samples, mapping) -> None:
    link = make_link(mapping.connection, record_id=1)
    make_conflict(mapping, link)
    make_conflict(mapping, link, state="resolved")
    for state in (Run.State.STOPPED, Run.State.DONE, Run.State.DONE):
        make_run(mapping, state=state)

    found = samples()

    assert found[key("crmsync_conflicts_open", **of(mapping))] == 1
    labels = of(mapping, kind="reconcile")
    assert found[key("crmsync_runs", **labels, state="done")] == 2
    assert found[key("crmsync_runs", **labels, state="stopped")] == 1


def test_the_breaker_and_the_budget_are_told(samples, mapping) -> None:
    channel = mapping.connection.channel
    channel.breaker, channel.daily_used, channel.daily_limit = "half", 250, 1000
    channel.save()

    found = samples()

    told = {
        state: found[key("crmsync_breaker", **of(mapping, state=state))]
        for state in ("closed", "open", "half")
    }
    assert told == {"closed": 0, "open": 0, "half": 1}
    assert found[key("crmsync_daily_budget_share", **of(mapping))] == 0.25


def test_a_disconnected_account_is_not_behind(samples, mapping) -> None:
    mapping.connection.status = "disconnected"
    mapping.connection.save()

    assert key("crmsync_oldest_unsynced_seconds", **of(mapping)) not in samples()


# --- what is told, and to whom --------------------------------------------------------


def test_what_the_inbox_counts_is_served_too(client) -> None:
    ingest.RECEIVED.labels("accepted").inc()

    assert (
        'crmsync_webhooks_total{outcome="accepted"}'
        in client.get("/metrics").content.decode()
    )


def test_no_name_and_no_secret_is_told(client) -> None:
    workspace = make_workspace(name="Canary Workspace", slug="canary-slug")
    make_lead(workspace, email="canary@example.com")
    make_endpoint(workspace, name="Canary endpoint", token="canary-token-12345")
    make_connection(workspace, name="Canary connection", account_name="Canary Inc")
    make_parked_item(workspace, message="canary@example.com is invalid")

    text = client.get("/metrics").content.decode().lower()

    assert "canary" not in text


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.8", "::1", "fd00::1", ""])
def test_neighbours_may_look_without_a_token(client, address) -> None:
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 200


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "unknown"])
def test_strangers_may_not(client, address) -> None:
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "Via"])
def test_a_stranger_behind_our_proxy_is_no_neighbour(client, header) -> None:
    answer = client.get(
        "/metrics", REMOTE_ADDR="10.0.0.2", headers={header: "198.51.100.7"}
    )

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("Bearer right-token", 200),
        ("Bearer wrong-token", 403),
        ("Bearer é", 403),
        ("", 403),
    ],
)
def test_with_a_token_set_only_the_token_counts(client, settings, sent, status) -> None:
    settings.METRICS_TOKEN = "right-token"

    answer = client.get("/metrics", headers={"authorization": sent})

    assert answer.status_code == status


def test_the_tasks_leave_their_mark(settings, samples) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    }

    tasks.sweep()
    tasks.rush()
    tasks.drain()

    assert all((heartbeat.silent_s(name) or 0) < 60 for name in heartbeat.SILENT_S)
    assert None not in [heartbeat.silent_s(name) for name in heartbeat.SILENT_S]
    assert key("crmsync_worker_last_seen_timestamp_seconds", queue="sync") in samples()
