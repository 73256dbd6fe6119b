"""How much a connection may have under way at once follows its vendor's facts."""

from __future__ import annotations

import pytest

from crmsync.core.models import Channel
from crmsync.core.testing import make_workspace
from integrations.connectors import CONNECTORS
from integrations.sync import plans
from integrations.testing import make_connection

pytestmark = pytest.mark.django_db


def cap_of(channel_id: int) -> int:
    return Channel.objects.get(pk=channel_id).cap


@pytest.mark.parametrize("vendor", sorted(CONNECTORS))
def test_a_figure_of_an_older_release_is_put_right(vendor: str) -> None:
    connection = make_connection(make_workspace(), vendor=vendor)
    Channel.objects.filter(pk=connection.channel_id).update(cap=3)

    plans.ask_due()

    assert cap_of(connection.channel_id or 0) == CONNECTORS[vendor].spec.concurrency


def test_what_belongs_to_no_connection_keeps_its_cap() -> None:
    inbox = Channel.objects.create(name="workspace:x", cap=1)

    plans.ask_due()

    assert cap_of(inbox.pk) == 1
