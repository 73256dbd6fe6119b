"""Writing many rows at once: the same rows as one at a time, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import DataError, connection
from django.utils import timezone

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from leads.models import Change, Deal, Lead
from leads.services import bulk
from leads.testing import make_deal, make_lead, make_ready_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    made = make_ready_workspace()
    with in_workspace(made):
        yield made


def test_new_records_get_their_ids_in_order(workspace: Workspace) -> None:
    leads = [Lead(workspace=workspace, city=f"City {n}") for n in range(50)]

    bulk.insert(Lead, leads)

    stored = dict(Lead.objects.values_list("pk", "city"))
    assert stored == {lead.pk: lead.city for lead in leads}
    assert all(lead.created_at <= timezone.now() for lead in leads)


def test_every_kind_of_value_is_stored_as_it_is(workspace: Workspace) -> None:
    given = make_deal(workspace)
    copy = Deal.objects.get(pk=given.pk)
    copy.pk = None
    copy.name = 'Ünïcode "quoted" \\ new\nline % {} 👩‍👩‍👧'
    copy.amount, copy.close_date = Decimal("123456789012.78"), date(2026, 3, 31)
    copy.custom = {"a": [1, 2.5, None, True], "ü": {"b": "\u2028"}}

    bulk.insert(Deal, [copy])

    stored = Deal.objects.get(pk=copy.pk)
    for name in ("name", "amount", "close_date", "custom", "lead_id", "stage_id"):
        assert getattr(stored, name) == getattr(copy, name)


def test_only_the_named_columns_are_changed(workspace: Workspace) -> None:
    one, other = make_lead(workspace, city="Rome"), make_lead(workspace, city="Oslo")
    at = datetime(2026, 3, 1, 9, 30, 1, 5, tzinfo=UTC)
    for lead in (one, other):
        lead.last_reply_at, lead.country, lead.city = at, f"Land {lead.pk}", "not saved"

    bulk.update(Lead, [one, other], ["last_reply_at", "country"])

    stored = Lead.objects.order_by("pk").values_list("city", "country", "last_reply_at")
    assert list(stored) == [
        ("Rome", f"Land {one.pk}", at),
        ("Oslo", f"Land {other.pk}", at),
    ]


def test_rows_without_objects_are_stored(workspace: Workspace) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    names = ("workspace_id", "record_type", "record_id", "action", "fields", "at")
    more = ("origin_kind", "origin_id", "origin_label", "trace_id")
    row = (workspace.pk, "lead", 7, "updated", {"city": ["", "Rome"]}, at)

    bulk.insert_rows(Change, names + more, [(*row, "user", "", "", "")])

    change = Change.objects.get()
    assert (change.fields, change.record_id) == ({"city": ["", "Rome"]}, 7)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="needs PostgreSQL")
def test_a_text_too_long_is_refused_and_not_cut(workspace: Workspace) -> None:
    assert connection.vendor == "postgresql"

    with pytest.raises(DataError):
        bulk.insert(Lead, [Lead(workspace=workspace, city="x" * 101)])


def test_nothing_costs_no_query(
    workspace: Workspace, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        bulk.insert(Lead, [])
        bulk.update(Lead, [], ["city"])
        bulk.insert_rows(Change, ("action",), [])
