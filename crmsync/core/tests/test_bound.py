"""A cursor that carries parameters beside the statement behaves as any other."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from crmsync.core import bound
from crmsync.core.models import Channel

pytestmark = pytest.mark.django_db
ODD = 'it\'s \\ "100%" %s ü'


def make(*names: str) -> None:
    with bound.cursor() as cursor:
        sql = (
            "INSERT INTO core_channel (name, vtime, cap, blocked_because, slowed,"
            " lane_turns, breaker, breaker_opened, breaker_failures,"
            " breaker_successes, breaker_ramp, window_calls, window_failed)"
            " VALUES (%s, 0, 4, '', 0, '[]', 'closed', 0, 0, 0, 0, 0, 0)"
        )
        for name in names:
            cursor.execute(sql, [name])


def test_what_it_carries_arrives_as_it_is() -> None:
    make(ODD)

    assert Channel.objects.get().name == ODD


def test_it_is_part_of_the_transaction_and_raises_what_django_raises() -> None:
    make("one")
    with pytest.raises(IntegrityError), transaction.atomic():
        make("two", "one")

    assert [one.name for one in Channel.objects.all()] == ["one"]


def test_its_statements_are_captured() -> None:
    with CaptureQueriesContext(connection) as queries:
        make("one")

    assert len(queries) == 1
    assert "core_channel" in queries[0]["sql"]
