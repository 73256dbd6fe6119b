"""The API of links: looked up, parted by hand, joined again."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from crmsync.core.models import AuditEntry, WorkItem, Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import api_client
from integrations.models import Conflict, Link, ObjectMapping
from integrations.testing import (
    make_alias,
    make_conflict,
    make_connection,
    make_link,
    make_mapping,
)
from leads.models import Lead
from leads.testing import make_lead, make_ready_workspace

pytestmark = pytest.mark.django_db
LINKS = "/api/v1/links/"


@pytest.fixture
def workspace() -> Workspace:
    return make_ready_workspace()


@pytest.fixture
def ops(workspace: Workspace) -> APIClient:
    return api_client(workspace, "sales_ops")


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    return make_mapping(make_connection(workspace), direction="both")


@pytest.fixture
def link(mapping: ObjectMapping) -> Link:
    lead = make_lead(mapping.workspace)
    return make_link(mapping.connection, record_id=lead.pk, base={"city": "Bonn"})


def found(client: APIClient, query: str) -> list[int]:
    return [one["id"] for one in client.get(f"{LINKS}?{query}").json()["results"]]


def waiting(workspace: Workspace) -> list[tuple[str, str]]:
    with in_workspace(workspace):
        return list(WorkItem.objects.values_list("kind", "key"))


def test_a_link_is_found_by_its_record_and_by_its_connection(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping, link: Link
) -> None:
    make_link(make_connection(workspace), record_id=link.record_id + 1)

    by_record = f"record_type=lead&record_id={link.record_id}"
    assert found(ops, by_record) == [link.pk]
    assert found(ops, f"connection_id={link.connection_id}") == [link.pk]


def test_a_link_is_found_by_an_id_it_had_before(ops: APIClient, link: Link) -> None:
    make_alias(link, remote_id="4711")
    make_link(link.connection, record_id=link.record_id + 1)

    shown = ops.get(f"{LINKS}{link.pk}/").json()

    assert found(ops, "remote_id=4711") == [link.pk]
    assert found(ops, f"remote_id={link.remote_id}") == [link.pk]
    (alias,) = shown["aliases"]
    assert (alias["remote_id"], alias["reason"]) == ("4711", "merged")


def test_a_link_leads_to_the_page_in_the_crm(ops: APIClient, link: Link) -> None:
    url = ops.get(f"{LINKS}{link.pk}/").json()["remote_url"]

    assert link.remote_id in url
    assert link.connection.account_id in url


def test_a_list_of_links_costs_the_same_for_many(
    ops: APIClient, link: Link, django_assert_max_num_queries: Any
) -> None:
    for number in range(1, 21):
        make_alias(make_link(link.connection, record_id=link.record_id + number))

    with django_assert_max_num_queries(12):
        ops.get(LINKS)


@pytest.mark.parametrize("query", ["colour=red", "state=asleep", "record_id=x"])
def test_a_filter_that_is_none_is_refused(ops: APIClient, query: str) -> None:
    assert ops.get(f"{LINKS}?{query}").status_code == 400


def test_parting_leaves_both_records_and_nothing_to_decide(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping, link: Link
) -> None:
    make_conflict(mapping, link)
    settled = make_conflict(mapping, link, state="resolved", winner="hub")

    answer = ops.post(f"{LINKS}{link.pk}/unlink/")

    assert (answer.status_code, answer.json()["state"]) == (200, "unlinked")
    with in_workspace(workspace):
        assert Lead.objects.filter(pk=link.record_id).exists()
        assert list(Conflict.objects.values_list("pk", flat=True)) == [settled.pk]
        assert AuditEntry.objects.get().action == "link.unlinked"


def test_what_was_parted_is_not_parted_again(ops: APIClient, link: Link) -> None:
    ops.post(f"{LINKS}{link.pk}/unlink/")

    assert ops.post(f"{LINKS}{link.pk}/unlink/").status_code == 409


def test_joining_reads_theirs_before_ours_is_sent(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping, link: Link
) -> None:
    ops.post(f"{LINKS}{link.pk}/unlink/")

    answer = ops.post(f"{LINKS}{link.pk}/relink/")

    assert (answer.status_code, answer.json()["state"]) == (202, "linked")
    assert answer.json()["gone_at"] is None
    assert waiting(workspace) == [("fetch", f"{mapping.pk}:{link.remote_id}")]
    link.refresh_from_db()
    assert link.base == {"city": "Bonn"}


def test_joining_under_a_mapping_that_only_sends_sends(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping, link: Link
) -> None:
    with in_workspace(workspace):
        ObjectMapping.objects.update(direction="push")
    ops.post(f"{LINKS}{link.pk}/unlink/")

    ops.post(f"{LINKS}{link.pk}/relink/")

    assert waiting(workspace) == [("push", f"{mapping.pk}:{link.record_id}")]


def test_joining_asks_nothing_of_a_mapping_that_is_off(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping, link: Link
) -> None:
    with in_workspace(workspace):
        ObjectMapping.objects.update(active=False)
    ops.post(f"{LINKS}{link.pk}/unlink/")

    assert ops.post(f"{LINKS}{link.pk}/relink/").status_code == 202
    assert waiting(workspace) == []


def test_only_a_parted_pair_is_joined(ops: APIClient, link: Link) -> None:
    assert ops.post(f"{LINKS}{link.pk}/relink/").status_code == 409


def test_a_record_that_is_gone_is_not_joined(
    ops: APIClient, workspace: Workspace, link: Link
) -> None:
    ops.post(f"{LINKS}{link.pk}/unlink/")
    with in_workspace(workspace):
        Lead.objects.all().delete()

    answer = ops.post(f"{LINKS}{link.pk}/relink/")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "record_id"
